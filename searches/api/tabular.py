"""The views that show and read the official benchmark files of this machine."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from searches.selectors import tabular
from searches.services import tabular_files

STATES = ("missing", "package missing", "found", "waiting", "reading", "failed", "ready")


class TabularFileSerializer(serializers.Serializer):
    """A benchmark or surrogate: the place of its official file, what it measured, and how far it was read."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # a declared field: DRF takes it off the class
    space = serializers.CharField(help_text="kind of the space that it covers")
    state = serializers.ChoiceField(STATES)
    file = serializers.CharField(allow_null=True, help_text="the official file that was found; null: none")
    files = serializers.ListField(child=serializers.CharField(), help_text="names that are looked for")
    folder = serializers.CharField(allow_null=True, help_text="where to put the file; null: only administrators see it")
    source = serializers.CharField()  # type: ignore[assignment] # a declared field: DRF takes it off the class
    datasets = serializers.ListField(child=serializers.CharField())
    epochs = serializers.ListField(child=serializers.IntegerField())
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    error = serializers.CharField(help_text="why the last reading failed; only administrators see it")
    what_to_do = serializers.CharField(help_text="what to do before it can be used; empty: it is ready")


class TabularFiles(APIView):
    """The benchmarks and surrogates that the estimates ``benchmark`` and ``nasbench301`` can use."""

    @extend_schema(summary="Benchmark files", responses=TabularFileSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return all benchmarks that can be read, then NAS-Bench-301's surrogates, with their state."""
        return Response(TabularFileSerializer(_rows(request), many=True).data)


class TabularFile(APIView):
    """A single benchmark, which administrators can have read or forgotten."""

    @extend_schema(summary="Read a benchmark file", request=None, responses={202: TabularFileSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Convert the official file in the background; refused while the file is missing. For administrators only."""
        _row(request, name)
        tabular_files.read(request.user, name)
        return Response(TabularFileSerializer(_row(request, name)).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Forget a benchmark", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Cancel the reading, or delete the converted table; the official file stays. For administrators only."""
        is_open = _row(request, name)["state"] in ("waiting", "reading")
        end = tabular_files.cancel if is_open else tabular_files.forget
        end(request.user, name)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _rows(request: Request) -> list[dict[str, Any]]:
    return tabular.every(request.user) + tabular.surrogates(request.user)


def _row(request: Request, name: str) -> dict[str, Any]:
    """Return the benchmark or surrogate of that name; 404 for an unknown name."""
    for row in _rows(request):
        if row["name"] == name:
            return row
    raise Http404
