"""One candidate: all that is known of it, its drawing, its downloads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from engine.config.latency import LatencyOptions
from engine.errors import ConfigError
from searches.api.serializers.candidates import FORMATS, CandidateDetailSerializer
from searches.api.serializers.curation import MarksSerializer
from searches.api.serializers.latencies import NetworkLatencySerializer
from searches.models import Candidate
from searches.selectors import candidates
from searches.services import curation, exporting, latencies

MEASUREMENTS = 20
FORMAT = OpenApiParameter("format", str, enum=FORMATS, default="json")


class CandidateViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Candidates of the user's searches."""

    queryset = Candidate.objects.none()
    serializer_class = CandidateDetailSerializer
    lookup_value_converter = "int"
    pagination_class = None
    filter_backends = []

    def get_queryset(self) -> QuerySet[Candidate]:
        """Other users' candidates are not found."""
        return candidates.detailed(self.request.user)

    @extend_schema(summary="Pin, hide, note, tag", request=MarksSerializer, responses=CandidateDetailSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Marks for people; no search reads them."""
        candidate, body = self.get_object(), MarksSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        curation.mark(candidate, **body.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(summary="Drawing", responses={(200, "image/svg+xml"): OpenApiTypes.STR})
    def drawing(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The architecture as an SVG picture."""
        return HttpResponse(exporting.drawing(self.get_object()), content_type="image/svg+xml")

    @extend_schema(methods=["GET"], summary="Measured latencies", responses=NetworkLatencySerializer(many=True))
    @extend_schema(
        methods=["POST"],
        summary="Measure the latency",
        request=LatencyOptions,
        responses={201: NetworkLatencySerializer},
    )
    @action(detail=True, methods=["get", "post"])
    def latency(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The whole network timed on a worker's machine, newest first: a check on the sum of a latency table."""
        candidate = self.get_object()
        if request.method == "POST":
            if not isinstance(request.data, Mapping):
                raise ConfigError.at("", "The body must be an object, {} for the usual measurement.")
            row = latencies.measure_network(candidate, request.data)
            return Response(NetworkLatencySerializer(row).data, status=status.HTTP_201_CREATED)
        rows = candidate.latencies.select_related("candidate")[:MEASUREMENTS]
        return Response(NetworkLatencySerializer(rows, many=True).data)

    @extend_schema(
        summary="Download", parameters=[FORMAT], responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}
    )
    @action(detail=True)
    def download(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """JSON, model.py, ONNX, torch.export's .pt2, or all of them in a zip."""
        wanted = request.query_params.get("format", "json")
        if wanted not in FORMATS:
            raise ValidationError({"format": f"Choose one of {', '.join(FORMATS)}."})
        filename, content_type, content = exporting.export(self.get_object(), wanted)
        disposition = {"Content-Disposition": f'attachment; filename="{filename}"'}
        return HttpResponse(content, content_type=content_type, headers=disposition)
