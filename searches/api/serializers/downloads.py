"""Files that are being prepared."""

from __future__ import annotations

from rest_framework import serializers


class PreparationSerializer(serializers.Serializer):
    """Whether a file is there to be fetched; while it is ``preparing``, ``done`` of ``of`` networks are written."""

    status = serializers.ChoiceField(["ready", "preparing"])
    url = serializers.URLField(help_text="GET it; it answers once the file is there")
    name = serializers.CharField(required=False)
    bytes = serializers.IntegerField(required=False)
    done = serializers.IntegerField(required=False)
    of = serializers.IntegerField(required=False)
