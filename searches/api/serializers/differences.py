"""The comparison of two networks."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from searches.models import Candidate


class SideSerializer(serializers.ModelSerializer):
    """One of the two networks."""

    search_name = serializers.CharField(source="search.name")

    class Meta:
        model = Candidate
        fields = ["id", "number", "arch", "search", "search_name"]


class LayerDifferenceSerializer(serializers.Serializer):
    """The choices of both networks at one layer."""

    layer = serializers.IntegerField(help_text="counted from 0")
    name = serializers.CharField()
    own = serializers.CharField()
    other = serializers.CharField()
    changed = serializers.BooleanField()


class NumberDifferenceSerializer(serializers.Serializer):
    """One number of both networks, and the first minus the second."""

    name = serializers.CharField()
    own = serializers.FloatField()
    other = serializers.FloatField()
    difference = serializers.FloatField()


@extend_schema_serializer(component_name="NetworkDifference")
class DifferenceSerializer(serializers.Serializer):
    """Two networks of one space. Numbers that one of the networks lacks are left out."""

    candidate = SideSerializer()
    other = SideSerializer()
    layers = LayerDifferenceSerializer(many=True)
    changed = serializers.IntegerField(help_text="number of layers that differ")
    costs = NumberDifferenceSerializer(many=True)
    measures = NumberDifferenceSerializer(many=True)
