"""The views that start, show and end studies, and the trust card of a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from engine.config.study import StudyConfig
from engine.errors import ConfigError
from searches.api.base import UnderSearch
from searches.api.pagination import KeysetPagination
from searches.api.serializers.studies import (
    ForecastSerializer,
    StudyDetailSerializer,
    StudyResultsSerializer,
    StudySerializer,
    TrustSerializer,
)
from searches.models import Study
from searches.selectors import studies as selector
from searches.selectors import trust
from searches.services import ablations, studies

BODY = {"application/json": StudyConfig, "application/yaml": OpenApiTypes.STR}


class StudyViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet):
    """The user's studies."""

    queryset = Study.objects.none()
    lookup_value_converter = "int"
    filter_backends = []
    pagination_class = KeysetPagination
    ordering = "-id"
    ordering_fields = ["id", "name", "created_at"]

    def get_queryset(self) -> QuerySet[Study]:
        """Return the user's own studies; others are not found."""
        return selector.owned(self.request.user)

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        """Return the serializer; lists leave the configuration out."""
        return StudySerializer if self.action == "list" else StudyDetailSerializer

    @extend_schema(summary="Start a study", request=BODY, responses={201: StudyDetailSerializer})
    def create(self, request: Request) -> Response:
        """Start a study from the configuration in the body. Every arm becomes a random search of the same networks."""
        study = studies.create(request.user, _config_of(request))
        return Response(self._shown(study.pk), status=status.HTTP_201_CREATED)

    @extend_schema(summary="What a study will roughly take", request=BODY, responses=ForecastSerializer)
    @action(detail=False, methods=["post"])
    def forecast(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the seconds per network of every arm of the study in the body. Nothing is created."""
        return Response(ForecastSerializer(ablations.forecast(request.user, _config_of(request))).data)

    @extend_schema(summary="What the study found so far", responses=StudyResultsSerializer)
    @action(detail=True)
    def results(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return rank correlations with the truth and among the estimates, the best tenth, and groups of networks."""
        return Response(StudyResultsSerializer(selector.results(self.get_object())).data)

    @extend_schema(summary="Cancel", request=None, responses=StudyDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End all arms of the study; their scores stay."""
        study = self.get_object()
        studies.cancel(study)
        return Response(self._shown(study.pk))

    @extend_schema(summary="Delete", request=None, responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the study with its searches."""
        studies.delete(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _shown(self, number: int) -> Any:
        return StudyDetailSerializer(self.get_queryset().get(pk=number)).data


def _config_of(request: Request) -> StudyConfig:
    if not isinstance(request.data, Mapping):
        raise ConfigError.at("", "The body must be an object with the fields space, arms, ...")
    return StudyConfig.parse(request.data)


class Trust(UnderSearch):
    """The trust card."""

    @extend_schema(summary="How far the scores can be trusted", responses=TrustSerializer)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return Kendall's tau with its interval for every source of truth, and a sentence."""
        return Response(TrustSerializer(trust.card(self.parent)).data)
