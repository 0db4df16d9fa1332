"""Spaces, data sets and tables: list, add, look at, delete."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from searches.api.pagination import KeysetPagination
from searches.api.rendering import UploadParser
from searches.api.serializers.sources import (
    DatasetDetailSerializer,
    DatasetSerializer,
    NewSpaceSerializer,
    SpaceDetailSerializer,
    SpaceSerializer,
    TableDetailSerializer,
    TableSerializer,
    UploadSerializer,
)
from searches.models import Dataset, SearchSpace, Table
from searches.services import sources


class SourceViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet):
    """Rows of the user; ``brief`` is the list's serializer, ``serializer_class`` the full one."""

    lookup_value_converter = "int"
    filter_backends = []
    pagination_class = KeysetPagination
    ordering = "-id"
    ordering_fields = ["id", "name", "created_at"]
    brief: type[serializers.BaseSerializer]

    def get_queryset(self) -> QuerySet[Any]:
        """Other users' rows are not found."""
        return self.queryset.model.objects.filter(owner=self.request.user)

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        """Lists are brief."""
        return self.brief if self.action == "list" else self.serializer_class

    def created(self, row: Any) -> Response:
        """The new row in full."""
        return Response(self.serializer_class(row).data, status=status.HTTP_201_CREATED)


class SpaceViewSet(SourceViewSet):
    """Search spaces: those of searches, and chains saved for later."""

    queryset = SearchSpace.objects.none()
    serializer_class, brief = SpaceDetailSerializer, SpaceSerializer

    @extend_schema(summary="Save a chain", request=NewSpaceSerializer, responses={201: SpaceDetailSerializer})
    def create(self, request: Request) -> Response:
        """Errors name the faulty part of the definition."""
        body = NewSpaceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        name, definition = body.validated_data["name"], body.validated_data["definition"]
        return self.created(sources.save_space(request.user, name, definition))

    @extend_schema(summary="Delete a space", responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refused while a search uses it."""
        sources.delete_space(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class DatasetViewSet(SourceViewSet):
    """Uploaded images."""

    queryset = Dataset.objects.none()
    serializer_class, brief = DatasetDetailSerializer, DatasetSerializer
    parser_classes = [UploadParser]

    @extend_schema(summary="Upload images", request=UploadSerializer, responses={201: DatasetDetailSerializer})
    def create(self, request: Request) -> Response:
        """A zip with ``train/<class>/*`` and perhaps ``test/<class>/*``."""
        return self.created(sources.add_dataset(request.user, **_upload(request)))

    @extend_schema(summary="Delete images", responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refused while a search uses them."""
        sources.delete_dataset(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class TableViewSet(SourceViewSet):
    """Uploaded tables."""

    queryset = Table.objects.none()
    serializer_class, brief = TableDetailSerializer, TableSerializer
    parser_classes = [UploadParser]

    @extend_schema(summary="Upload a table", request=UploadSerializer, responses={201: TableDetailSerializer})
    def create(self, request: Request) -> Response:
        """CSV or Parquet with a column ``arch``."""
        return self.created(sources.add_table(request.user, **_upload(request)))

    @extend_schema(summary="Delete a table", responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refused while a search uses it."""
        sources.delete_table(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


def _upload(request: Request) -> dict[str, Any]:
    body = UploadSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    return body.validated_data
