"""The views of the kinds that configurations can name, and of the workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.kinds import Kind
from engine.registry import ALGORITHMS, ESTIMATORS, SPACES
from searches.api.serializers.results import KindSerializer, WorkerSerializer
from searches.selectors import workers


class Catalogue(APIView):
    """The kinds of one registry, each with the JSON schema of its options."""

    kinds: Mapping[str, Kind] = {}

    @extend_schema(responses=KindSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return the kinds in the order of the form."""
        return Response(KindSerializer([_described(*entry) for entry in self.kinds.items()], many=True).data)


class Algorithms(Catalogue):
    """Search algorithms."""

    kinds = ALGORITHMS


class Estimators(Catalogue):
    """Estimates of a network's quality."""

    kinds = ESTIMATORS


class SpaceKinds(Catalogue):
    """Kinds of search spaces."""

    kinds = SPACES


class Workers(APIView):
    """Worker processes."""

    @extend_schema(summary="Workers", responses=WorkerSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return the workers that reported within the last hour."""
        return Response(WorkerSerializer(workers.recent(request.user), many=True).data)


def _described(name: str, kind: Kind) -> dict[str, Any]:
    description = (kind.options.__doc__ or "").strip()
    return {
        "kind": name,
        "label": kind.label,
        "description": description,
        "options": kind.options.model_json_schema(),
    }
