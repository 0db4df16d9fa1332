"""The state of files that are being made."""

from __future__ import annotations

from rest_framework import serializers


class PreparationSerializer(serializers.Serializer):
    """The state of a file. While it is ``preparing``, ``done`` of ``of`` networks are written."""

    status = serializers.ChoiceField(["ready", "preparing"])
    url = serializers.URLField(help_text="address of the file; GET answers as soon as it is made")
    name = serializers.CharField(required=False)
    bytes = serializers.IntegerField(required=False)
    done = serializers.IntegerField(required=False)
    of = serializers.IntegerField(required=False)
