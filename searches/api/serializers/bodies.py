"""Common ground of the bodies of actions and changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class BodySerializer(serializers.Serializer):
    """Unknown fields are refused, as configurations refuse them: a typing mistake is never ignored."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """ValidationError at every field that there is not, with those that there are."""
        unknown = [str(name) for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        if unknown:
            told = f"There is no such field; there are: {', '.join(self.fields)}."
            raise serializers.ValidationError({name: [told] for name in unknown})
        values: dict[str, Any] = super().to_internal_value(data)
        return values
