"""The views of a search's plots, which the server computes: scatter, history, and the best network at a budget."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from searches.api import binary
from searches.api.base import UnderSearch, number_of
from searches.api.serializers.plots import AtBudgetSerializer, HistorySerializer
from searches.selectors import budget, history, plot, spaces
from searches.selectors.columns import LESS_IS_BETTER, MORE_IS_BETTER, NUMBERS

TRUE = ("1", "true", "yes")
MOST_CELLS = (400, 240)
METRIC = OpenApiParameter("metric", str, enum=LESS_IS_BETTER, description="default: the search's own")
VALUE = OpenApiParameter("value", str, enum=MORE_IS_BETTER, default="score")


class Plot(UnderSearch):
    """The scatter plot of score and cost, or of any two columns."""

    @extend_schema(
        summary="Scatter plot as typed columns",
        description=f"{binary.__doc__}\n\n{plot.__doc__}",
        parameters=[
            OpenApiParameter("x", str, enum=NUMBERS, description="default: the search's cost metric"),
            OpenApiParameter("y", str, enum=NUMBERS, default="score"),
            OpenApiParameter("infeasible", bool, default=False),
            OpenApiParameter("log_x", bool, default=False),
            OpenApiParameter("log_y", bool, default=False),
            OpenApiParameter("outliers", bool, default=False, description="1: the axes include far outliers"),
            OpenApiParameter("window", str, description="x0,x1,y0,y1 of the part in view; default: all"),
            OpenApiParameter("cells", str, default="120,60", description="columns,rows of the view's cells"),
            OpenApiParameter("upto", int, description="replay: only numbers below this"),
            OpenApiParameter("layer", int, description="replay: this layer and those searched before; -1: none"),
        ],
        responses={(200, binary.CONTENT_TYPE): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the whole front, single candidates where they lie apart, and counts elsewhere."""
        asked = request.query_params
        window = _numbers(request, "window", 4)
        cells = _numbers(request, "cells", 2) or (120, 60)
        look = plot.Look(
            x=_choice(request, "x", NUMBERS, self.parent.configuration.objective.cost_metric),
            y=_choice(request, "y", NUMBERS, "score"),
            **{name: asked.get(name, "") in TRUE for name in ("infeasible", "log_x", "log_y", "outliers")},
            window=(window[0], window[1], window[2], window[3]) if window else None,
            cells=(_between(cells[0], MOST_CELLS[0]), _between(cells[1], MOST_CELLS[1])),
            latest=self.parent.is_active,
            upto=number_of(request, "upto", 0, 0) if "upto" in asked else None,
            layers=spaces.searched_until(self.parent, number_of(request, "layer", 0, -1)) if "layer" in asked else None,
        )
        return binary.response(request, *plot.plot(self.parent, look))


class History(UnderSearch):
    """The best network over time."""

    @extend_schema(summary="Best so far", responses=HistorySerializer)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the improvements over trials and charged seconds, with the spread of the scores."""
        return Response(HistorySerializer(history.history(self.parent)).data)


class BestAtCost(UnderSearch):
    """The best network at a cost."""

    @extend_schema(
        summary="Best network at a budget",
        parameters=[METRIC, VALUE, OpenApiParameter("cost", float, description="default: the front's largest cost")],
        responses=AtBudgetSerializer,
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the best network at a cost, its neighbours on the front, and the layers in which they differ."""
        metric = _choice(request, "metric", LESS_IS_BETTER, self.parent.configuration.objective.cost_metric)
        value = _choice(request, "value", MORE_IS_BETTER, "score")
        cost = _numbers(request, "cost", 1)
        found = budget.at(self.parent, metric, value, cost[0] if cost else None)
        return Response(AtBudgetSerializer(found).data)


def _choice(request: Request, name: str, allowed: Sequence[str], default: str) -> str:
    chosen = request.query_params.get(name) or default
    if chosen not in allowed:
        raise ValidationError({name: f"Choose one of {', '.join(allowed)}."})
    return chosen


def _numbers(request: Request, name: str, count: int) -> tuple[float, ...] | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count or not all(isfinite(number) for number in numbers):
        what = "a number" if count == 1 else f"{count} numbers, separated by commas"
        raise ValidationError({name: f"Give {what}."})
    return numbers


def _between(value: float, most: int) -> int:
    return int(min(max(value, 1), most))
