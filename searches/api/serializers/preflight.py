"""The answer of the preflight of a search."""

from __future__ import annotations

from rest_framework import serializers

from searches.api.serializers.bodies import AnswerSerializer


class HistogramSerializer(AnswerSerializer):
    """A histogram. ``counts`` has one number fewer than ``edges``."""

    edges = serializers.ListField(child=serializers.FloatField())
    counts = serializers.ListField(child=serializers.IntegerField())


class BucketEdgesSerializer(AnswerSerializer):
    """The edges of the cost buckets of a layer, one more than there are buckets."""

    layer = serializers.CharField()
    edges = serializers.ListField(child=serializers.FloatField())


class MeasuredSerializer(AnswerSerializer):
    """Seconds of an evaluation in the latest runs of the same estimate and data. They are null without runs."""

    runs = serializers.IntegerField()
    median_seconds = serializers.FloatField(allow_null=True)
    low_seconds = serializers.FloatField(allow_null=True)
    high_seconds = serializers.FloatField(allow_null=True)
    same_space = serializers.BooleanField(help_text="false: the runs are of other spaces")
    devices = serializers.ListField(child=serializers.CharField())


class OutlookSerializer(AnswerSerializer):
    """The time that a search will take. ``stages`` are its estimate and its final estimate, if it has one."""

    inline = serializers.BooleanField(help_text="scores are looked up")
    stages = MeasuredSerializer(many=True)
    workers = serializers.IntegerField()
    eta_seconds = serializers.FloatField(allow_null=True, help_text="null: nothing was measured yet")


class DryRunSerializer(AnswerSerializer):
    """A run of the algorithm on random scores."""

    evaluations = serializers.IntegerField()
    feasible = serializers.IntegerField(help_text="evaluations whose network meets the limits")
    first_feasible = serializers.IntegerField(allow_null=True, help_text="its number, counted from 1; null: none")


class SuggestionSerializer(AnswerSerializer):
    """A change that lets more networks meet the limits."""

    path = serializers.CharField(help_text="of the field, dotted as in the configuration")
    value = serializers.JSONField()
    action = serializers.CharField(help_text="what it does, in words")


class PreflightSerializer(AnswerSerializer):
    """A forecast for a search, from a seeded sample of its space and from earlier measurements."""

    feasible_share = serializers.FloatField()
    cost_low = serializers.FloatField()
    cost_high = serializers.FloatField()
    metric = serializers.CharField()
    histogram = HistogramSerializer()
    bucket_edges = BucketEdgesSerializer(many=True, help_text="empty for algorithms without cost buckets")
    dry_run = DryRunSerializer()
    suggestions = SuggestionSerializer(many=True, help_text="empty if half of the dry run or more meets the limits")
    samples = serializers.IntegerField()
    bound = serializers.CharField(allow_null=True, help_text="largest possible number of evaluations; null: none")
    size = serializers.CharField()
    evaluations = serializers.IntegerField(allow_null=True)
    reduced_networks = serializers.ListField(child=serializers.CharField(), help_text="of each MOTE estimate, in words")
    reduced_data = serializers.ListField(child=serializers.CharField(), help_text="of each MOTE estimate, in words")
    time = OutlookSerializer()
    warnings = serializers.ListField(child=serializers.CharField())
