"""What searches are made of: spaces, data sets, tables."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from searches.api.serializers.bodies import AnswerSerializer, BodySerializer
from searches.models import Dataset, SearchSpace, Table
from searches.selectors import spaces


class SpaceSerializer(serializers.ModelSerializer):
    """A space; ``size`` is the exact number of architectures, in decimal digits."""

    class Meta:
        model = SearchSpace
        fields = ["id", "name", "kind", "size", "depth", "content_hash", "created_at"]


class SpaceLayerSerializer(AnswerSerializer):
    """One layer and its option labels."""

    layer = serializers.IntegerField()
    name = serializers.CharField()
    options = serializers.ListField(child=serializers.CharField())


class SpaceDetailSerializer(SpaceSerializer):
    """A space with its layers; ``options`` is what a search's configuration takes as ``space``."""

    options = serializers.JSONField()
    layers = serializers.SerializerMethodField()

    class Meta(SpaceSerializer.Meta):
        fields = [*SpaceSerializer.Meta.fields, "options", "layers"]

    @extend_schema_field(SpaceLayerSerializer(many=True))
    def get_layers(self, space: SearchSpace) -> list[dict[str, Any]]:
        """In search order."""
        return spaces.layers(spaces.of_document(space.options))


class NewSpaceSerializer(BodySerializer):
    """A chain of layers to save; ``definition`` as JSON, or as YAML text."""

    name = serializers.CharField(max_length=200)
    definition = serializers.JSONField()


class DatasetSerializer(serializers.ModelSerializer):
    """Uploaded images."""

    classes = serializers.SerializerMethodField()

    class Meta:
        model = Dataset
        fields = ["id", "name", "classes", "train_count", "test_count", "content_hash", "created_at"]

    def get_classes(self, dataset: Dataset) -> int:
        """Number of classes."""
        return len(dataset.class_names)


class InputSerializer(serializers.Serializer):
    """Size of the images, in pixels."""

    channels = serializers.IntegerField()
    height = serializers.IntegerField()
    width = serializers.IntegerField()


class DatasetDetailSerializer(DatasetSerializer):
    """Uploaded images with their classes and size."""

    class_names = serializers.ListField(child=serializers.CharField())
    class_counts = serializers.DictField(child=serializers.IntegerField(), help_text="training images a class")
    input = InputSerializer(source="*")

    class Meta(DatasetSerializer.Meta):
        fields = [*DatasetSerializer.Meta.fields, "class_names", "class_counts", "input"]


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
    """A file with a name; the file's own name when none is given."""

    name = serializers.CharField(max_length=200, required=False)
    file = serializers.FileField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fills in the name."""
        return {"name": attrs["file"].name[:200]} | attrs


class ImagesSizeSerializer(BodySerializer):
    """Images that a space is counted for."""

    channels = serializers.IntegerField(min_value=1, max_value=64, default=3)
    height = serializers.IntegerField(min_value=1, max_value=1024, default=32)
    width = serializers.IntegerField(min_value=1, max_value=1024, default=32)
    classes = serializers.IntegerField(min_value=2, max_value=100_000, default=10)


class SpaceCheckSerializer(BodySerializer):
    """A chain to look at; ``definition`` as JSON, or as YAML text."""

    definition = serializers.JSONField()
    input = ImagesSizeSerializer(required=False)


class CostRangeSerializer(AnswerSerializer):
    """Of one cost, the least and the largest of the space, and the default network's."""

    low = serializers.FloatField()
    high = serializers.FloatField()
    default = serializers.FloatField()


class SpaceInspectionSerializer(AnswerSerializer):
    """A space at a glance; ``size`` in decimal digits, ``options`` as a search's configuration takes them."""

    size = serializers.CharField()
    depth = serializers.IntegerField()
    layers = SpaceLayerSerializer(many=True)
    default = serializers.CharField()
    input = ImagesSizeSerializer()
    costs = serializers.DictField(child=CostRangeSerializer())
    options = serializers.JSONField()


class ClassSerializer(AnswerSerializer):
    """Images of one class."""

    name = serializers.CharField()
    train = serializers.IntegerField()
    valid = serializers.IntegerField()
    test = serializers.IntegerField()


class DatasetInspectionSerializer(AnswerSerializer):
    """Splits by the usual options, class by class, and preprocessing."""

    splits = serializers.DictField(child=serializers.IntegerField())
    valid_share = serializers.FloatField()
    classes = ClassSerializer(many=True)
    preprocessing = serializers.DictField()
    ignored = serializers.IntegerField(help_text="files that are no images of a class")


class ColumnInspectionSerializer(ColumnSerializer):
    """A column's range; null where it holds no numbers."""

    known = serializers.IntegerField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    mean = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class TableLineSerializer(AnswerSerializer):
    """A row: ``numbers`` in the order of the inspection's ``numbers``."""

    arch = serializers.CharField()
    numbers = serializers.ListField(child=serializers.FloatField(allow_null=True))


class TableInspectionSerializer(AnswerSerializer):
    """Columns, the names of those with numbers, and the first rows."""

    columns = ColumnInspectionSerializer(many=True)
    numbers = serializers.ListField(child=serializers.CharField())
    rows = TableLineSerializer(many=True)
    row_count = serializers.IntegerField()
