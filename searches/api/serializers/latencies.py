"""Latency tables and timed networks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from searches.models import LatencyTable, NetworkLatency

PROGRESS = ["status", "error", "options", "machine", "created_at", "finished_at"]


class LatencyTableSerializer(serializers.ModelSerializer):
    """A table with ``done`` of ``total`` operators. ``options`` say how it was measured; they are empty if uploaded."""

    options = serializers.DictField()
    space = serializers.DictField(help_text="the space that was measured; empty: the table was uploaded")
    spec = serializers.ListField(
        child=serializers.IntegerField(), help_text="channels, height, width, classes; empty: the table was uploaded"
    )

    class Meta:
        model = LatencyTable
        fields = ["id", "name", "total", "done", "content_hash", "space", "spec", *PROGRESS]


class LatencyTableDetailSerializer(LatencyTableSerializer):
    """A table with the operators that are known so far."""

    operators = serializers.DictField(
        source="entries", child=serializers.FloatField(), help_text="milliseconds per pass, by operator"
    )

    class Meta(LatencyTableSerializer.Meta):
        fields = [*LatencyTableSerializer.Meta.fields, "operators"]


class LatencyUploadSerializer(serializers.Serializer):
    """A CSV or JSON file, and its name here; the default is the file's own name."""

    name = serializers.CharField(max_length=200, required=False)
    file = serializers.FileField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the fields with the name filled in."""
        return {"name": attrs["file"].name[:200]} | attrs


class NetworkLatencySerializer(serializers.ModelSerializer):
    """The measured latency of a whole network. ``sum_ms`` is the sum according to the search's latency table."""

    options = serializers.DictField()
    sum_ms = serializers.FloatField(source="candidate.latency_ms", allow_null=True)

    class Meta:
        model = NetworkLatency
        fields = ["id", *PROGRESS, "median_ms", "low_ms", "high_ms", "repeats", "sum_ms"]
