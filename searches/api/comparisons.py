"""The view that compares searches."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.metrics import COST_NAMES
from searches.api.base import numbers_of
from searches.api.exports import chosen
from searches.api.serializers.comparisons import ComparisonSerializer
from searches.models import Search
from searches.selectors import comparison, searches

MISSING = ("refuse", "leave_out")


class Comparison(APIView):
    """A comparison of several searches of the user."""

    @extend_schema(
        summary="Compare searches",
        parameters=[
            OpenApiParameter("searches", str, required=True, description="numbers, separated by commas"),
            OpenApiParameter(
                "missing", str, enum=MISSING, default="refuse", description="what happens when there is no such search"
            ),
            OpenApiParameter("metric", str, enum=COST_NAMES, description="default: the first search's own"),
        ],
        responses=ComparisonSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return fronts, hypervolume and best score over time, repeats as mean and spread, and differing settings."""
        wanted = list(dict.fromkeys(numbers_of(request, "searches", comparison.MOST)))
        rows = searches.owned(request.user).in_bulk(wanted)
        missing = [number for number in wanted if number not in rows]
        strict = chosen(request, "missing", MISSING, "refuse") == "refuse"
        if not rows or (missing and strict):
            message = f"There is no search {', '.join(map(str, missing))}." if missing else "Name at least one search."
            raise ValidationError({"searches": message})
        found: list[Search] = [rows[number] for number in wanted if number in rows]
        metric = request.query_params.get("metric") or found[0].configuration.objective.cost_metric
        if metric not in COST_NAMES:
            raise ValidationError({"metric": f"Choose one of {', '.join(COST_NAMES)}."})
        return Response(ComparisonSerializer({**comparison.compare(found, metric), "missing": missing}).data)
