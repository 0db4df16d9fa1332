"""Names, notes and marks that users give to their searches and candidates."""

from __future__ import annotations

from rest_framework import serializers

from searches.api.serializers.bodies import BodySerializer

NOTE = 10_000
TAGS = 20


class MarksSerializer(BodySerializer):
    """The marks of a candidate. A field that is left out stays as it is."""

    pinned = serializers.BooleanField(required=False)
    hidden = serializers.BooleanField(required=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=NOTE, help_text="Markdown")
    tags = serializers.ListField(
        child=serializers.RegexField(
            r"^[^,]+$", max_length=50, error_messages={"invalid": "A tag is a word or some words without a comma."}
        ),
        required=False,
        max_length=TAGS,
        help_text="all tags of the candidate; they replace the tags it had",
    )

    def validate_tags(self, tags: list[str]) -> list[str]:
        """Return every tag once."""
        return list(dict.fromkeys(tags))


class DescriptionSerializer(BodySerializer):
    """The name and the note of a search. A field that is left out stays as it is."""

    name = serializers.CharField(required=False, max_length=200)
    note = serializers.CharField(required=False, allow_blank=True, max_length=NOTE, help_text="Markdown")
