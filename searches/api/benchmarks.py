"""Official benchmark files of this machine: what is there, and reading them."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from searches.selectors import benchmarks
from searches.services import benchmark_files

STATES = ("missing", "package missing", "found", "waiting", "reading", "failed", "ready")


class BenchmarkSerializer(serializers.Serializer):
    """A benchmark or surrogate: where its official file belongs, what was measured, and how far reading it is."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # a declared field: DRF takes it off the class
    space = serializers.CharField(help_text="kind of the space that it knows")
    state = serializers.ChoiceField(STATES)
    file = serializers.CharField(allow_null=True, help_text="the official file found; null: missing")
    files = serializers.ListField(child=serializers.CharField(), help_text="names looked for")
    folder = serializers.CharField(allow_null=True, help_text="where to put it; null: told to administrators only")
    source = serializers.CharField()  # type: ignore[assignment] # a declared field: DRF takes it off the class
    datasets = serializers.ListField(child=serializers.CharField())
    epochs = serializers.ListField(child=serializers.IntegerField())
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    error = serializers.CharField(help_text="of the last reading; told to administrators only")
    what_to_do = serializers.CharField(help_text="empty: it is ready")


class Benchmarks(APIView):
    """What the estimates ``benchmark`` and ``nasbench301`` can look up."""

    @extend_schema(summary="Benchmark files", responses=BenchmarkSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All benchmarks that can be read, then NAS-Bench-301's surrogates, with their state."""
        return Response(BenchmarkSerializer(_rows(request), many=True).data)


class Benchmark(APIView):
    """One of them."""

    @extend_schema(summary="Read a benchmark file", request=None, responses={202: BenchmarkSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Converts the official file in the background; refused in words while it is missing. Administrators only."""
        _row(request, name)
        benchmark_files.read(request.user, name)
        return Response(BenchmarkSerializer(_row(request, name)).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Forget a benchmark", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Cancels the reading, or deletes the converted table; the official file stays. Administrators only."""
        is_open = _row(request, name)["state"] in ("waiting", "reading")
        end = benchmark_files.cancel if is_open else benchmark_files.forget
        end(request.user, name)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _rows(request: Request) -> list[dict[str, Any]]:
    return benchmarks.every(request.user) + benchmarks.surrogates(request.user)


def _row(request: Request, name: str) -> dict[str, Any]:
    """The one of a name; 404 for any other."""
    for row in _rows(request):
        if row["name"] == name:
            return row
    raise Http404
