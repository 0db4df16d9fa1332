"""The filters of lists."""

from __future__ import annotations

from django_filters import rest_framework as filters

from engine.metrics import METRICS
from searches.models import Candidate, Search

MARKS = ("pinned", "hidden", "tag")


class ChoicesFilter(filters.BaseInFilter, filters.ChoiceFilter):
    """A filter by one or more of the choices, separated by commas."""


class SearchFilter(filters.FilterSet):
    """Filters of searches by state and name."""

    status = ChoicesFilter(choices=Search.Status.choices, lookup_expr="in")
    search = filters.CharFilter(field_name="name", lookup_expr="icontains", label="part of the name")
    study = filters.NumberFilter(field_name="study_id", label="only the arms of a study; without it they are left out")

    class Meta:
        model = Search
        fields = ["status", "search", "study"]


class CandidateFilter(filters.FilterSet):
    """Filters of candidates by state, place in the search, name, and ranges of their numbers."""

    status = ChoicesFilter(choices=Candidate.Status.choices, lookup_expr="in")
    feasible = filters.BooleanFilter()
    from_cache = filters.BooleanFilter()
    pinned = filters.BooleanFilter()
    hidden = filters.BooleanFilter()
    tag = filters.CharFilter(field_name="tags__name", label="a tag that the user put on it")
    origin = filters.CharFilter()
    layer = filters.NumberFilter(label="counted from 0")
    bucket = filters.NumberFilter()
    round = filters.NumberFilter()
    search = filters.CharFilter(field_name="arch", lookup_expr="icontains", label="part of the architecture")

    for _name in METRICS:
        vars()[f"{_name}_min"] = filters.NumberFilter(field_name=_name, lookup_expr="gte")
        vars()[f"{_name}_max"] = filters.NumberFilter(field_name=_name, lookup_expr="lte")
    del _name

    class Meta:
        model = Candidate
        fields = [
            "status",
            "feasible",
            "from_cache",
            "pinned",
            "hidden",
            "tag",
            "origin",
            "layer",
            "bucket",
            "round",
            "search",
        ]
