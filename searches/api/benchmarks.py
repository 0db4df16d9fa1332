"""Official benchmark files of this machine: what is there, and reading them."""

from __future__ import annotations

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.benchmark_tables.catalogue import BENCHMARKS
from searches.selectors import benchmarks
from searches.services import benchmark_files

STATES = ("missing", "found", "waiting", "reading", "failed", "ready")


class BenchmarkSerializer(serializers.Serializer):
    """A benchmark: where its official file belongs, what was measured, and how far reading it is."""

    name = serializers.CharField()
    label = serializers.CharField()
    space = serializers.CharField(help_text="kind of the space that it is a table of")
    state = serializers.ChoiceField(STATES)
    file = serializers.CharField(allow_null=True, help_text="the official file found; null: missing")
    files = serializers.ListField(child=serializers.CharField(), help_text="names looked for")
    folder = serializers.CharField(help_text="where to put it")
    source = serializers.CharField()
    datasets = serializers.ListField(child=serializers.CharField())
    epochs = serializers.ListField(child=serializers.IntegerField())
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    error = serializers.CharField()


class Benchmarks(APIView):
    """What the estimate ``benchmark`` can look up."""

    @extend_schema(summary="Benchmark files", responses=BenchmarkSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All benchmarks that can be read, with their state."""
        return Response(BenchmarkSerializer(benchmarks.every(), many=True).data)


class Benchmark(APIView):
    """One of them."""

    @extend_schema(summary="Read a benchmark file", request=None, responses={202: BenchmarkSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Converts the official file in the background; refused in words while it is missing."""
        benchmark_files.read(known(name))
        return Response(_shown(name), status=status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Forget a benchmark", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Cancels the reading, or deletes the converted table; the official file stays."""
        if _shown(known(name))["state"] in ("waiting", "reading"):
            benchmark_files.cancel(name)
        else:
            benchmark_files.forget(name)
        return Response(status=status.HTTP_204_NO_CONTENT)


def known(name: str) -> str:
    """The name of a benchmark; 404 for any other."""
    if name not in BENCHMARKS:
        raise Http404
    return name


def _shown(name: str) -> dict[str, object]:
    return next(row for row in BenchmarkSerializer(benchmarks.every(), many=True).data if row["name"] == name)
