"""The sources of searches: spaces, data sets and tables."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from searches.api.serializers.bodies import AnswerSerializer, BodySerializer
from searches.models import Dataset, SearchSpace, Table
from searches.selectors import datasets, spaces


class SpaceSerializer(serializers.ModelSerializer):
    """A space. ``size`` is the exact number of architectures, in decimal digits."""

    class Meta:
        model = SearchSpace
        fields = ["id", "name", "kind", "size", "depth", "content_hash", "created_at"]


class SpaceLayerSerializer(AnswerSerializer):
    """One layer and the labels of its options."""

    layer = serializers.IntegerField()
    name = serializers.CharField()
    options = serializers.ListField(child=serializers.CharField())


class SpaceDetailSerializer(SpaceSerializer):
    """A space with its layers. ``options`` is the ``space`` of a search's configuration."""

    options = serializers.JSONField()
    layers = serializers.SerializerMethodField()

    class Meta(SpaceSerializer.Meta):
        fields = [*SpaceSerializer.Meta.fields, "options", "layers"]

    @extend_schema_field(SpaceLayerSerializer(many=True))
    def get_layers(self, space: SearchSpace) -> list[dict[str, Any]]:
        """Return the layers as the space lists them."""
        return spaces.layers(spaces.of_document(space.options))


class NewSpaceSerializer(BodySerializer):
    """A chain to save. ``definition`` is JSON, or YAML as text."""

    name = serializers.CharField(max_length=200)
    definition = serializers.JSONField()


class DatasetSerializer(serializers.ModelSerializer):
    """Images that a user uploaded."""

    classes = serializers.SerializerMethodField()

    class Meta:
        model = Dataset
        fields = ["id", "name", "classes", "train_count", "test_count", "content_hash", "created_at"]

    def get_classes(self, dataset: Dataset) -> int:
        """Return the number of classes."""
        return len(dataset.class_names)


class InputSerializer(serializers.Serializer):
    """The size of the images, in pixels."""

    channels = serializers.IntegerField()
    height = serializers.IntegerField()
    width = serializers.IntegerField()


class LeftOutSerializer(AnswerSerializer):
    """Files of one suffix in one folder of an upload that are not used, and why.

    ``class_name`` is empty outside the class folders.
    """

    folder = serializers.CharField()
    class_name = serializers.CharField()
    suffix = serializers.CharField(help_text="with its dot, in small letters; empty for names without one")
    count = serializers.IntegerField()
    reason = serializers.CharField()


class DatasetDetailSerializer(DatasetSerializer):
    """Uploaded images with their classes and size, and the files that were left out."""

    class_names = serializers.ListField(child=serializers.CharField())
    class_counts = serializers.DictField(child=serializers.IntegerField(), help_text="training images by class")
    input = InputSerializer(source="*")
    left_out = serializers.SerializerMethodField()

    class Meta(DatasetSerializer.Meta):
        fields = [*DatasetSerializer.Meta.fields, "class_names", "class_counts", "input", "left_out"]

    @extend_schema_field(LeftOutSerializer(many=True))
    def get_left_out(self, dataset: Dataset) -> list[dict[str, Any]]:
        """Return the files that are not used; none if the images are gone."""
        return datasets.left_out(dataset)


class TableSerializer(serializers.ModelSerializer):
    """An uploaded table."""

    class Meta:
        model = Table
        fields = ["id", "name", "rows", "content_hash", "created_at"]


class ColumnSerializer(AnswerSerializer):
    """One column."""

    name = serializers.CharField()
    type = serializers.CharField()


class TableDetailSerializer(TableSerializer):
    """An uploaded table with its columns."""

    columns = ColumnSerializer(many=True)

    class Meta(TableSerializer.Meta):
        fields = [*TableSerializer.Meta.fields, "columns"]


class UploadSerializer(serializers.Serializer):
    """A file, and its name here; the default is the file's own name."""

    name = serializers.CharField(max_length=200, required=False)
    file = serializers.FileField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the fields with the name filled in."""
        return {"name": attrs["file"].name[:200]} | attrs


class ImagesSizeSerializer(BodySerializer):
    """The images for which the costs of a space are counted."""

    channels = serializers.IntegerField(min_value=1, max_value=64, default=3)
    height = serializers.IntegerField(min_value=1, max_value=1024, default=32)
    width = serializers.IntegerField(min_value=1, max_value=1024, default=32)
    classes = serializers.IntegerField(min_value=2, max_value=100_000, default=10)


class SpaceCheckSerializer(BodySerializer):
    """A chain to check. ``definition`` is JSON, or YAML as text."""

    definition = serializers.JSONField()
    input = ImagesSizeSerializer(required=False)


class CostRangeSerializer(AnswerSerializer):
    """The least and the largest value of one cost in the space, and that of the default network."""

    low = serializers.FloatField()
    high = serializers.FloatField()
    default = serializers.FloatField()


class SpaceInspectionSerializer(AnswerSerializer):
    """A space in brief. ``size`` is in decimal digits; ``options`` is the ``space`` of a configuration."""

    size = serializers.CharField()
    depth = serializers.IntegerField()
    layers = SpaceLayerSerializer(many=True)
    default = serializers.CharField()
    input = ImagesSizeSerializer()
    costs = serializers.DictField(child=CostRangeSerializer())
    options = serializers.JSONField()


class ClassSerializer(AnswerSerializer):
    """The numbers of images of one class."""

    name = serializers.CharField()
    train = serializers.IntegerField()
    valid = serializers.IntegerField()
    test = serializers.IntegerField()


class DatasetInspectionSerializer(AnswerSerializer):
    """The splits with the usual options, by class, and the preprocessing."""

    splits = serializers.DictField(child=serializers.IntegerField())
    valid_share = serializers.FloatField()
    classes = ClassSerializer(many=True)
    preprocessing = serializers.DictField()
    ignored = serializers.IntegerField(help_text="files that are not images of a class")
    left_out = LeftOutSerializer(many=True)


class ColumnInspectionSerializer(ColumnSerializer):
    """A column and its range, which is null if the column holds no numbers."""

    known = serializers.IntegerField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    mean = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class TableLineSerializer(AnswerSerializer):
    """A row. Its ``numbers`` are in the order of the inspection's ``numbers``."""

    arch = serializers.CharField()
    numbers = serializers.ListField(child=serializers.FloatField(allow_null=True))


class TableInspectionSerializer(AnswerSerializer):
    """The columns of a table, the names of those with numbers, and the first rows."""

    columns = ColumnInspectionSerializer(many=True)
    numbers = serializers.ListField(child=serializers.CharField())
    rows = TableLineSerializer(many=True)
    row_count = serializers.IntegerField()
