"""Latency tables and timed networks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from searches.models import LatencyTable, NetworkLatency

PROGRESS = ["status", "error", "options", "machine", "created_at", "finished_at"]


class LatencyTableSerializer(serializers.ModelSerializer):
    """A table; ``options`` say how it was measured (empty: uploaded), ``done`` of ``total`` operators are known."""

    options = serializers.DictField()
    space = serializers.DictField(help_text="the space measured; empty: uploaded")
    spec = serializers.ListField(
        child=serializers.IntegerField(), help_text="channels, height, width, classes; empty: uploaded"
    )

    class Meta:
        model = LatencyTable
        fields = ["id", "name", "total", "done", "content_hash", "space", "spec", *PROGRESS]


class LatencyTableDetailSerializer(LatencyTableSerializer):
    """A table with its operators, as far as they are known."""

    operators = serializers.DictField(
        source="entries", child=serializers.FloatField(), help_text="milliseconds a pass, by operator"
    )

    class Meta(LatencyTableSerializer.Meta):
        fields = [*LatencyTableSerializer.Meta.fields, "operators"]


class LatencyUploadSerializer(serializers.Serializer):
    """A CSV or JSON file with a name; the file's own when none is given."""

    name = serializers.CharField(max_length=200, required=False)
    file = serializers.FileField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fills in the name."""
        return {"name": attrs["file"].name[:200]} | attrs


class NetworkLatencySerializer(serializers.ModelSerializer):
    """A whole network timed; ``sum_ms`` is what the search's latency table says of it."""

    options = serializers.DictField()
    sum_ms = serializers.FloatField(source="candidate.latency_ms", allow_null=True)

    class Meta:
        model = NetworkLatency
        fields = ["id", *PROGRESS, "median_ms", "low_ms", "high_ms", "repeats", "sum_ms"]
