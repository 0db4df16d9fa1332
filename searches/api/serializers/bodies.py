"""The common base of bodies that clients send, and of answers made of plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

CONVERTED = (serializers.BaseSerializer, serializers.CharField)
"""Fields of an answer that change their value; all others send it as it is."""


class BodySerializer(serializers.Serializer):
    """A body that refuses unknown fields, as configurations do, so that no typing mistake is ignored."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the validated values; ValidationError at every unknown field lists the known ones."""
        unknown = [str(name) for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        if unknown:
            message = f"There is no such field; there are: {', '.join(self.fields)}."
            raise serializers.ValidationError({name: [message] for name in unknown})
        values: dict[str, Any] = super().to_internal_value(data)
        return values


class AnswerSerializer(serializers.Serializer):
    """An answer made of plain values: a mapping that has the declared fields, as selectors and services return it.

    It only picks the fields, since answers can hold thousands of rows and hundreds of thousands of numbers.
    """

    def to_representation(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        """Return the declared fields in their order; KeyError if a required one is missing."""
        shown = {}
        for name, field in self.fields.items():
            if name in instance or field.required:
                value = instance[name]
                is_converted = value is not None and isinstance(field, CONVERTED)
                shown[name] = field.to_representation(value) if is_converted else value
        return shown
