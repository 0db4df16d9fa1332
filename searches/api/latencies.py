"""The views that list, measure, upload, show, cancel and delete latency tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from engine.config.latency import LatencyRequest
from engine.errors import ConfigError
from engine.latency import LatencyTable as Latencies
from searches.api.rendering import JSONParser, UploadParser
from searches.api.serializers.latencies import (
    LatencyTableDetailSerializer,
    LatencyTableSerializer,
    LatencyUploadSerializer,
)
from searches.api.sources import SourceViewSet
from searches.models import LatencyTable
from searches.services import latencies

BODIES = {"application/json": LatencyRequest, "multipart/form-data": LatencyUploadSerializer}


class LatencyTableViewSet(SourceViewSet):
    """Latency tables. Searches that name one in ``objective.latency_table`` have the metric ``latency_ms``."""

    queryset = LatencyTable.objects.none()
    serializer_class = LatencyTableDetailSerializer
    brief = LatencyTableSerializer
    parser_classes = [JSONParser, UploadParser]

    @extend_schema(
        summary="Measure or upload a latency table", request=BODIES, responses={201: LatencyTableDetailSerializer}
    )
    def create(self, request: Request) -> Response:
        """Have a worker measure every operator of a space (JSON body), or add an uploaded CSV or JSON file (form)."""
        if "file" in request.data or request.content_type.startswith("multipart/"):
            body = LatencyUploadSerializer(data=request.data)
            body.is_valid(raise_exception=True)
            return self.created(latencies.add_table(request.user, **body.validated_data))
        if not isinstance(request.data, Mapping):
            raise ConfigError.at("", "The body must be an object with the fields space and dataset or input.")
        return self.created(latencies.measure_table(request.user, LatencyRequest.parse(request.data)))

    @extend_schema(summary="Cancel a measurement", request=None, responses=LatencyTableDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End a measurement. What was measured stays visible, but no search can use it."""
        row = self.get_object()
        latencies.cancel(row)
        return Response(self.serializer_class(row).data)

    @extend_schema(summary="Download as CSV", responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=True)
    def download(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the columns ``operator`` and ``milliseconds``, which an upload accepts."""
        row = self.get_object()
        headers = {"Content-Disposition": f'attachment; filename="latency-table-{row.pk}.csv"'}
        return HttpResponse(Latencies.csv_of(row.entries), content_type="text/csv; charset=utf-8", headers=headers)

    @extend_schema(summary="Delete a latency table", responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the table; refused while a search uses it."""
        latencies.delete_table(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)
