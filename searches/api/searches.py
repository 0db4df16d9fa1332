"""The views that list, create, show and control searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from engine.config.search import SearchConfig
from searches.api.base import config_of
from searches.api.filters import SearchFilter
from searches.api.pagination import KeysetPagination
from searches.api.serializers.curation import DescriptionSerializer
from searches.api.serializers.preflight import PreflightSerializer
from searches.api.serializers.searches import (
    ConfigDocumentSerializer,
    ExampleSerializer,
    ExtendSerializer,
    RepeatSerializer,
    SearchDetailSerializer,
    SearchSerializer,
)
from searches.examples import EXAMPLES
from searches.models import Search
from searches.selectors import searches
from searches.services import control, creation, curation

CONFIG_BODY = {"application/json": SearchConfig, "application/yaml": OpenApiTypes.STR}
KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same key never creates a second search."
)


class SearchViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet):
    """The user's searches."""

    queryset = Search.objects.none()
    lookup_value_converter = "int"
    filter_backends = [DjangoFilterBackend]
    filterset_class = SearchFilter
    pagination_class = KeysetPagination
    ordering = "-id"
    ordering_fields = ["id", "name", "created_at", "finished_at"]

    def get_queryset(self) -> QuerySet[Search]:
        """Return the user's own searches; others are not found."""
        return searches.owned(self.request.user)

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        """Return the serializer; lists leave out what takes further queries for every row."""
        return SearchSerializer if self.action == "list" else SearchDetailSerializer

    @extend_schema(summary="All searches")
    def list(self, request: Request) -> Response:
        """Return searches, newest first. Arms of studies are listed only with the parameter ``study``."""
        rows = self.filter_queryset(self.get_queryset())
        page = self.paginate_queryset(rows if request.query_params.get("study") else rows.filter(study=None))
        return self.get_paginated_response(self._shown(page, many=True))

    @extend_schema(summary="One search")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the search with its configuration, layers and failures."""
        return Response(self._shown(self.get_object()))

    @extend_schema(
        summary="Create a search", request=CONFIG_BODY, parameters=[KEY], responses={201: SearchDetailSerializer}
    )
    def create(self, request: Request) -> Response:
        """Create a search from the configuration in the body, JSON or YAML. It starts at once."""
        key = request.headers.get("Idempotency-Key")
        if key is not None and not 1 <= len(key) <= 200:
            raise serializers.ValidationError({"Idempotency-Key": "Give 1 to 200 characters."})
        config = config_of(request)
        search = creation.create(request.user, config, idempotency_key=key)
        if key is not None and not creation.is_of(search, config):
            raise serializers.ValidationError({"Idempotency-Key": "This key made a search of another configuration."})
        return self._created(search)

    @extend_schema(summary="Name and note", request=DescriptionSerializer, responses=SearchDetailSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the name of the search on pages, and its note in Markdown."""
        search = self.get_object()
        body = DescriptionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        curation.describe(search, **body.validated_data)
        return self._changed()

    @extend_schema(summary="Delete a search", request=None, responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the search with its candidates and files."""
        control.delete(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Pause", request=None, responses=SearchDetailSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Pause the search: running evaluations end, and no new ones begin."""
        return self._changed(control.pause)

    @extend_schema(summary="Resume", request=None, responses=SearchDetailSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Continue a search after a pause."""
        return self._changed(control.resume)

    @extend_schema(summary="Stop", request=None, responses=SearchDetailSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End the search as soon as the running evaluations have ended."""
        return self._changed(control.stop)

    @extend_schema(summary="Cancel", request=None, responses=SearchDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End the search within seconds, also in the middle of a training."""
        return self._changed(control.cancel)

    @extend_schema(summary="Retry failed candidates", request=None, responses=SearchDetailSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Score the failed candidates once more."""
        return self._changed(control.retry_failed)

    @extend_schema(summary="Extend the budget", request=ExtendSerializer, responses=SearchDetailSerializer)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add to the budget of a finished search, which then continues."""
        search = self.get_object()
        body = ExtendSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        control.extend(search, **body.validated_data)
        return self._changed()

    @extend_schema(summary="Clone", request=None, responses={201: SearchDetailSerializer})
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a new search with the same configuration."""
        config = SearchConfig.stored(creation.clone(self.get_object()))
        return self._created(creation.create(request.user, config))

    @extend_schema(
        summary="Repeat with other seeds", request=RepeatSerializer, responses={201: SearchSerializer(many=True)}
    )
    @action(detail=True, methods=["post"])
    def repeat(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create searches with the same settings and the next seeds. A comparison shows their mean and spread."""
        search = self.get_object()
        body = RepeatSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = [row.pk for row in creation.repeat(search, **body.validated_data)]
        rows = list(self.get_queryset().filter(pk__in=made).order_by("id"))
        data = SearchSerializer(rows, many=True, context=self._context(rows)).data
        return Response(data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Look before launching", request=CONFIG_BODY, responses=PreflightSerializer)
    @action(detail=False, methods=["post"])
    def preflight(self, request: Request) -> Response:
        """Return sampled costs against the targets, bounds and warnings. Nothing is created."""
        return Response(PreflightSerializer(creation.preflight(request.user, config_of(request))).data)

    @extend_schema(summary="Check a configuration", request=CONFIG_BODY, responses=ConfigDocumentSerializer)
    @action(detail=False, methods=["post"])
    def validate(self, request: Request) -> Response:
        """Return the configuration with its defaults, as JSON and YAML; errors name their fields."""
        config = config_of(request)
        return Response(ConfigDocumentSerializer({"config": config.as_dict(), "yaml": config.to_yaml()}).data)

    @extend_schema(summary="Ready configurations", responses=ExampleSerializer(many=True))
    @action(detail=False, pagination_class=None, filter_backends=[])
    def examples(self, request: Request) -> Response:
        """Return ready configurations. Each ``config`` is a body for POST /searches/."""
        return Response(ExampleSerializer(EXAMPLES, many=True).data)

    def _changed(self, act: Any = None) -> Response:
        if act is not None:
            act(self.get_object())
        return Response(self._shown(self.get_object()))

    def _created(self, search: Search) -> Response:
        search = self.get_queryset().get(pk=search.pk)
        where = reverse("search-detail", [search.pk], request=self.request)
        body = SearchDetailSerializer(search, context=self._context([search])).data
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": where})

    def _shown(self, data: Any, many: bool = False) -> Any:
        context = self._context(data if many else [data])
        return self.get_serializer_class()(data, many=many, context=context).data

    def _context(self, rows: Sequence[Search]) -> dict[str, Any]:
        return {**self.get_serializer_context(), "rates": searches.rates(rows)}
