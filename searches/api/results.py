"""The views of what a search found: candidates, points, buckets, front and events."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from engine.metrics import COST_NAMES, METRICS
from searches.api import candidate_rows
from searches.api.base import UnderSearch, number_of, numbers_of
from searches.api.filters import CandidateFilter
from searches.api.pagination import KeysetPagination
from searches.api.serializers.candidates import CandidateSerializer
from searches.api.serializers.results import BucketsSerializer, EventsSerializer, FrontSerializer, PointsSerializer
from searches.models import Candidate, Event
from searches.selectors import buckets, candidates, events, history, pareto, points, spaces
from searches.selectors.candidate_files import FORMATS
from searches.services import past

MAX_NUMBERS = 2_000
FALSE = ("0", "false", "no")
KINDS = tuple(Event.Kind.values)


class CandidateList(UnderSearch, ListAPIView):
    """Return the candidates of a search, filtered and sorted on the server."""

    queryset = Candidate.objects.none()
    serializer_class = CandidateSerializer
    filter_backends = [DjangoFilterBackend]
    filterset_class = CandidateFilter
    pagination_class = KeysetPagination
    ordering = "number"
    ordering_fields = ["number", *METRICS, "layer", "bucket", "round", "arch", "status", "scored_at"]

    def get_queryset(self) -> QuerySet[Candidate]:
        """Return the candidates with their evaluations, without the curves."""
        return candidates.of_search(self.parent)

    @property
    def unfiltered(self) -> QuerySet[Candidate]:
        """All candidates, from which `KeysetPagination` takes those of a page."""
        return candidates.with_evaluations()


class Points(UnderSearch):
    """The columns for plots."""

    @extend_schema(
        summary="Points for plots",
        parameters=[
            OpenApiParameter("after", int, description="only numbers above this", default=-1),
            OpenApiParameter("limit", int, default=points.LIMIT),
            OpenApiParameter("numbers", str, description="only these numbers, separated by commas; after is ignored"),
        ],
        responses=PointsSerializer,
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return scored and failed candidates as one array for each column."""
        if "numbers" in request.query_params:
            found = points.numbered(self.parent, numbers_of(request, "numbers", MAX_NUMBERS))
        else:
            limit = number_of(request, "limit", points.LIMIT, 1, points.LIMIT)
            found = points.after(self.parent, number_of(request, "after", -1, -1), limit)
        return Response(PointsSerializer(found).data)


class Buckets(UnderSearch):
    """The bucket grid."""

    @extend_schema(
        summary="Bucket grid",
        parameters=[
            OpenApiParameter("layer", int, description="only this layer, counted from 0"),
            OpenApiParameter("index", int, description="only buckets of this index"),
            OpenApiParameter(
                "residents", bool, default=True, description="0: counts instead of the networks in the buckets"
            ),
            OpenApiParameter("upto", int, description="replay: as filled by networks below this number"),
            OpenApiParameter("upto_layer", int, description="replay: this layer and those searched before; -1: none"),
        ],
        responses=BucketsSerializer,
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the cost buckets by layer in the order of the search, now or in a replay; empty if it has none."""
        names = spaces.of_search(self.parent).layer_names
        order = spaces.searched_layers(self.parent)
        metric = self.parent.configuration.objective.cost_metric
        place = {name: number_of(request, name, 0, 0) for name in ("layer", "index") if name in request.query_params}
        lows = {"upto": 0, "upto_layer": -1}
        back = {name: number_of(request, name, 0, low) for name, low in lows.items() if name in request.query_params}
        brief = request.query_params.get("residents", "1").lower() in FALSE
        if back:
            until = spaces.searched_until(self.parent, back["upto_layer"]) if "upto_layer" in back else None
            rows = past.buckets(self.parent, back.get("upto"), until)
            matching = [row for row in rows if all(getattr(row, name) == value for name, value in place.items())]
            layers = buckets.cells(self.parent, names, matching)
            for cell in (cell for layer in layers for cell in layer["buckets"] if brief):
                del cell["residents"]
        else:
            layers = (buckets.counts if brief else buckets.grid)(self.parent, names, **place)
        layers.sort(key=lambda row: order.index(row["layer"]))
        calibrated = bool(back) and self.parent.calibrations.exists()
        ranked_by = history.ranked_by(self.parent)
        found = {"metric": metric, "layers": layers, "calibrated": calibrated, "ranked_by": ranked_by}
        return Response(BucketsSerializer(found).data)


class Front(UnderSearch):
    """The Pareto front."""

    @extend_schema(
        summary="Pareto front",
        parameters=[
            OpenApiParameter("metric", str, enum=COST_NAMES, description="default: the search's own"),
            OpenApiParameter("feasible", bool, default=True, description="0: infeasible networks too"),
        ],
        responses=FrontSerializer,
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the networks of the front by ascending cost."""
        metric = request.query_params.get("metric") or self.parent.configuration.objective.cost_metric
        if metric not in COST_NAMES:
            raise ValidationError({"metric": f"Choose one of {', '.join(COST_NAMES)}."})
        feasible = request.query_params.get("feasible", "1").lower() not in FALSE
        found = {"metric": metric, "front": pareto.front(self.parent, metric, feasible)}
        return Response(FrontSerializer(found).data)


class Events(UnderSearch):
    """The log of the search."""

    @extend_schema(
        summary="Events after a number",
        parameters=[
            OpenApiParameter("after", int, default=0),
            OpenApiParameter("limit", int, default=500, description=f"up to {events.LIMIT}"),
            OpenApiParameter("kinds", str, description=f"only these, separated by commas: {', '.join(KINDS)}"),
        ],
        responses=EventsSerializer,
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return events, numbered 1, 2, 3, ... Ask again with ``after=last``, at once if ``limit`` events came."""
        after = number_of(request, "after", 0, 0)
        limit = number_of(request, "limit", 500, 1, events.LIMIT)
        kinds = [kind for kind in request.query_params.get("kinds", "").split(",") if kind]
        if unknown := set(kinds) - set(KINDS):
            raise ValidationError({"kinds": f"Choose of {', '.join(KINDS)}, not {', '.join(sorted(unknown))}."})
        return Response(EventsSerializer(events.after(self.parent, after, limit, kinds)).data)


class Export(UnderSearch):
    """The candidates as one file."""

    queryset = Candidate.objects.none()
    filter_backends = [DjangoFilterBackend]
    filterset_class = CandidateFilter

    @extend_schema(
        summary="Candidates as a file",
        description="All candidates of the search, or those that pass the filters of the candidates' list.",
        parameters=[OpenApiParameter("format", str, enum=list(FORMATS), default="csv")],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/json"): CandidateSerializer(many=True),
            (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY,
        },
        filters=True,
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Return the file, streamed in parts of bounded size."""
        wanted = request.query_params.get("format", "csv")
        if wanted not in FORMATS:
            raise ValidationError({"format": f"Choose one of {', '.join(FORMATS)}."})
        rows = DjangoFilterBackend().filter_queryset(request, candidates.of_search(self.parent), self)
        return candidate_rows.response(self.parent, rows, wanted)
