"""The views that list, add, show and delete spaces, data sets and tables."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from engine.blueprint import InputSpec
from engine.datasets.images import Fit
from searches.api.base import number_of
from searches.api.pagination import KeysetPagination
from searches.api.rendering import UploadParser
from searches.api.serializers.sources import (
    DatasetDetailSerializer,
    DatasetInspectionSerializer,
    DatasetSerializer,
    NewSpaceSerializer,
    SpaceCheckSerializer,
    SpaceDetailSerializer,
    SpaceInspectionSerializer,
    SpaceSerializer,
    TableDetailSerializer,
    TableInspectionSerializer,
    TableSerializer,
    UploadSerializer,
)
from searches.models import Dataset, SearchSpace, Table
from searches.selectors import datasets, spaces, table_contents
from searches.services import sources

FITS: tuple[Fit, ...] = ("resize", "crop")
IMAGES = [OpenApiParameter(name, int) for name in ("channels", "side", "classes")]
SAMPLE = [
    OpenApiParameter("class", str, required=True),
    OpenApiParameter("part", str, enum=datasets.PARTS),
    OpenApiParameter("fit", str, enum=FITS),
]


class SourceViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet):
    """Rows of the user. Lists use the serializer ``brief``, single rows ``serializer_class``."""

    lookup_value_converter = "int"
    filter_backends = []
    pagination_class = KeysetPagination
    ordering = "-id"
    ordering_fields = ["id", "name", "created_at"]
    brief: type[serializers.BaseSerializer]
    queryset: QuerySet[Any]
    serializer_class: type[serializers.BaseSerializer]

    def get_queryset(self) -> QuerySet[Any]:
        """Return the user's own rows; others are not found."""
        rows: QuerySet[Any] = self.queryset.model._default_manager.filter(owner=self.request.user)
        return rows

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        """Return the serializer of a list or of a single row."""
        return self.brief if self.action == "list" else self.serializer_class

    def created(self, row: Any) -> Response:
        """Return the new row in full, with the status 201."""
        return Response(self.serializer_class(row).data, status=status.HTTP_201_CREATED)


class SpaceViewSet(SourceViewSet):
    """Search spaces: those of the user's searches, and saved chains."""

    queryset = SearchSpace.objects.none()
    serializer_class = SpaceDetailSerializer
    brief = SpaceSerializer

    @extend_schema(summary="Save a chain", request=NewSpaceSerializer, responses={201: SpaceDetailSerializer})
    def create(self, request: Request) -> Response:
        """Save a chain; errors name the faulty part of the definition."""
        body = NewSpaceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return self.created(sources.save_space(request.user, **body.validated_data))

    @extend_schema(summary="Look at a chain", request=SpaceCheckSerializer, responses=SpaceInspectionSerializer)
    @action(detail=False, methods=["post"])
    def check(self, request: Request) -> Response:
        """Return size, layers and costs of a definition. Nothing is saved; errors name the faulty part."""
        body = SpaceCheckSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        spec = InputSpec(**body.validated_data["input"]) if "input" in body.validated_data else spaces.DEFINED_FOR
        found = sources.check_space(body.validated_data["definition"], spec)
        return Response(SpaceInspectionSerializer(found).data)

    @extend_schema(summary="Look into a space", parameters=IMAGES, responses=SpaceInspectionSerializer)
    @action(detail=True)
    def inspection(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return size, layers, and the costs for images of the given size."""
        row = self.get_object()
        side = number_of(request, "side", spaces.DEFINED_FOR.height, 1, 1024)
        spec = number_of(request, "channels", 3, 1, 64), side, side, number_of(request, "classes", 10, 2, 100_000)
        found = {**spaces.described(spaces.of_document(row.options, *spec)), "options": row.options}
        return Response(SpaceInspectionSerializer(found).data)

    @extend_schema(summary="Drawing of the default network", responses={(200, "image/svg+xml"): OpenApiTypes.STR})
    @action(detail=True, url_path="drawing.svg", url_name="drawing")
    def drawing(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the picture as SVG."""
        picture = spaces.default_drawing(spaces.of_document(self.get_object().options))
        return HttpResponse(picture, content_type="image/svg+xml")

    @extend_schema(summary="Delete a space", responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the row; refused while a search uses it."""
        sources.delete_space(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class DatasetViewSet(SourceViewSet):
    """Images that the user uploaded."""

    queryset = Dataset.objects.none()
    serializer_class = DatasetDetailSerializer
    brief = DatasetSerializer
    parser_classes = [UploadParser]

    @extend_schema(summary="Upload images", request=UploadSerializer, responses={201: DatasetDetailSerializer})
    def create(self, request: Request) -> Response:
        """Add the images of a zip with ``train/<class>/*``, and with ``test/<class>/*`` if there is a test set."""
        return self.created(sources.add_dataset(request.user, **_upload(request)))

    @extend_schema(summary="Look into images", responses=DatasetInspectionSerializer)
    @action(detail=True)
    def inspection(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return splits, classes with their counts, and preprocessing."""
        return Response(DatasetInspectionSerializer(datasets.inspected(self.get_object())).data)

    @extend_schema(summary="Sample images", parameters=SAMPLE, responses={(200, "image/png"): OpenApiTypes.BINARY})
    @action(detail=True)
    def sample(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return a few images of a class side by side, as networks see them."""
        part = request.query_params.get("part", "train")
        fit = next((fit for fit in FITS if fit == request.query_params.get("fit", "resize")), None)
        if part not in datasets.PARTS or fit is None:
            raise serializers.ValidationError({"part": "Choose train or test, and as fit resize or crop."})
        name = request.query_params.get("class", "")
        return HttpResponse(datasets.sample(self.get_object(), name, part, fit), content_type="image/png")

    @extend_schema(summary="Delete images", responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the images; refused while a search uses them."""
        sources.delete_dataset(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class TableViewSet(SourceViewSet):
    """Tables that the user uploaded."""

    queryset = Table.objects.none()
    serializer_class = TableDetailSerializer
    brief = TableSerializer
    parser_classes = [UploadParser]

    @extend_schema(summary="Upload a table", request=UploadSerializer, responses={201: TableDetailSerializer})
    def create(self, request: Request) -> Response:
        """Add a table: CSV or Parquet with a column ``arch``."""
        return self.created(sources.add_table(request.user, **_upload(request)))

    @extend_schema(summary="Look into a table", responses=TableInspectionSerializer)
    @action(detail=True)
    def inspection(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the first rows, and the range and the number of known values of every column."""
        return Response(TableInspectionSerializer(table_contents.inspected(self.get_object())).data)

    @extend_schema(summary="Delete a table", responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the row; refused while a search uses it."""
        sources.delete_table(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


def _upload(request: Request) -> dict[str, Any]:
    body = UploadSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
