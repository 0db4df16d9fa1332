"""The views of one candidate: all its values, its drawing, and its downloads."""

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
from rest_framework.reverse import reverse

from engine.config.latency import LatencyOptions
from engine.drawing import Theme
from engine.errors import ConfigError
from searches.api.base import number_of
from searches.api.exports import FILE, FORM, FORMAT, TRAINING, chosen, network_job, prepared, sent
from searches.api.serializers.candidates import CandidateDetailSerializer
from searches.api.serializers.curation import MarksSerializer
from searches.api.serializers.differences import DifferenceSerializer
from searches.api.serializers.exports import PreparationSerializer
from searches.api.serializers.latencies import NetworkLatencySerializer
from searches.models import Candidate
from searches.selectors import candidates
from searches.services import curation, differences, export_jobs, latencies

MEASUREMENTS = 20
THEMES: tuple[Theme, ...] = ("system", "light", "dark")


class CandidateViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Candidates of the user's searches."""

    queryset = Candidate.objects.none()
    serializer_class = CandidateDetailSerializer
    lookup_value_converter = "int"
    pagination_class = None
    filter_backends = []

    def get_queryset(self) -> QuerySet[Candidate]:
        """Return candidates of the user's own searches; others are not found."""
        return candidates.detailed(self.request.user)

    @extend_schema(summary="Pin, hide, note, tag", request=MarksSerializer, responses=CandidateDetailSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the marks of a candidate, which are for people only; no search reads them."""
        candidate = self.get_object()
        body = MarksSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        curation.mark(candidate, **body.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        summary="Drawing",
        parameters=[
            OpenApiParameter("against", int, description="id of a candidate of the same space: what differs is marked"),
            OpenApiParameter("theme", str, enum=THEMES, default="system"),
        ],
        responses={(200, "image/svg+xml"): OpenApiTypes.STR},
    )
    def drawing(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return a drawing of the architecture as SVG."""
        theme = chosen(request, "theme", THEMES, "system")
        against = self._other(request) if "against" in request.query_params else None
        return HttpResponse(export_jobs.drawing(self.get_object(), against, theme), content_type="image/svg+xml")

    @extend_schema(
        summary="Difference to another candidate",
        parameters=[OpenApiParameter("against", int, required=True, description="id of a candidate of the same space")],
        responses=DifferenceSerializer,
    )
    @action(detail=True)
    def difference(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the layers in which two networks differ, and their costs and scores."""
        return Response(DifferenceSerializer(differences.difference(self.get_object(), self._other(request))).data)

    @extend_schema(methods=["GET"], summary="Measured latencies", responses=NetworkLatencySerializer(many=True))
    @extend_schema(
        methods=["POST"],
        summary="Measure the latency",
        request=LatencyOptions,
        responses={201: NetworkLatencySerializer},
    )
    @action(detail=True, methods=["get", "post"])
    def latency(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return or start timings of the whole network on a worker's machine, which check the latency table's sum."""
        candidate = self.get_object()
        if request.method == "POST":
            if not isinstance(request.data, Mapping):
                raise ConfigError.at("", "The body must be an object, {} for the usual measurement.")
            row = latencies.measure_network(candidate, request.data)
            return Response(NetworkLatencySerializer(row).data, status=status.HTTP_201_CREATED)
        rows = candidate.latencies.select_related("candidate")[:MEASUREMENTS]
        return Response(NetworkLatencySerializer(rows, many=True).data)

    @extend_schema(summary="Download", parameters=[FORMAT, FORM, TRAINING], responses=FILE)
    @action(detail=True)
    def download(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Return JSON, model.py, weights, ONNX, torch.export's .pt2, or a verified zip of all, once it is made."""
        return sent(network_job(request, self.get_object()))

    @extend_schema(
        summary="Prepare a download",
        parameters=[FORMAT, FORM, TRAINING],
        request=None,
        responses={200: PreparationSerializer, 202: PreparationSerializer},
    )
    @action(detail=True, methods=["post"])
    def prepare(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the state of the file; the status is 202 while it is being made, so ask again."""
        job = network_job(request, self.get_object())
        url = reverse("candidate-download", [self.kwargs["pk"]], request=request)
        query = request.query_params.urlencode()
        return prepared(job, f"{url}?{query}")

    def _other(self, request: Request) -> Candidate:
        number = number_of(request, "against", 0, 1)
        other = self.get_queryset().filter(pk=number).first()
        if other is None:
            raise ValidationError({"against": f"You have no candidate {number}."})
        return other
