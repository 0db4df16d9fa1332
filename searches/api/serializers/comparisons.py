"""Searches side by side."""

from __future__ import annotations

from rest_framework import serializers

from searches.api.serializers.bodies import AnswerSerializer
from searches.models import Search


class ReferenceSerializer(AnswerSerializer):
    """The corner of every hypervolume: the largest cost and the least score that count."""

    cost = serializers.FloatField()
    score = serializers.FloatField()


class ComparedBestSerializer(AnswerSerializer):
    """The best network, in brief."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    arch = serializers.CharField()


class ComparedPointSerializer(AnswerSerializer):
    """One network of a front."""

    id = serializers.IntegerField()
    cost = serializers.FloatField()
    score = serializers.FloatField()


class ComparedSearchSerializer(AnswerSerializer):
    """One search; a step is ``[evaluations, seconds, score, truth]`` of the best network so far, a volume
    ``[evaluations, seconds, area]``."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.ChoiceField(Search.Status.choices)
    algorithm = serializers.CharField()
    estimator = serializers.CharField()
    seed = serializers.IntegerField()
    evaluations = serializers.IntegerField()
    seconds = serializers.FloatField()
    best = ComparedBestSerializer(allow_null=True)
    best_score = serializers.FloatField(allow_null=True)
    best_final_score = serializers.FloatField(allow_null=True)
    best_truth = serializers.FloatField(allow_null=True)
    chosen_by = serializers.CharField(help_text="what the best network is chosen by; empty: its score")
    hypervolume = serializers.FloatField(allow_null=True)
    front = ComparedPointSerializer(many=True)
    steps = serializers.ListField(child=serializers.ListField(child=serializers.FloatField(allow_null=True)))
    volumes = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))


class SpreadSerializer(AnswerSerializer):
    """Mean, standard deviation, least and largest at every ``x``."""

    x = serializers.ListField(child=serializers.FloatField())
    mean = serializers.ListField(child=serializers.FloatField())
    std = serializers.ListField(child=serializers.FloatField())
    low = serializers.ListField(child=serializers.FloatField())
    high = serializers.ListField(child=serializers.FloatField())


class SpreadsSerializer(AnswerSerializer):
    """Of the best score and of the hypervolume."""

    score = SpreadSerializer()
    hypervolume = SpreadSerializer()


class AlongSerializer(AnswerSerializer):
    """Against what the curves are drawn."""

    evaluations = SpreadsSerializer()
    seconds = SpreadsSerializer()


class RepeatsSerializer(AnswerSerializer):
    """Searches that differ in nothing but the seed."""

    name = serializers.CharField()
    searches = serializers.ListField(child=serializers.IntegerField())
    seeds = serializers.ListField(child=serializers.IntegerField())
    curves = AlongSerializer()


class SettingSerializer(AnswerSerializer):
    """A setting in which the searches differ, one value a search."""

    path = serializers.CharField()
    values = serializers.ListField(child=serializers.CharField())


class ComparisonSerializer(AnswerSerializer):
    """Searches side by side."""

    metric = serializers.CharField()
    reference = ReferenceSerializer(allow_null=True)
    searches = ComparedSearchSerializer(many=True)
    groups = RepeatsSerializer(many=True)
    settings = SettingSerializer(many=True)
    warnings = serializers.ListField(child=serializers.CharField())
    missing = serializers.ListField(child=serializers.IntegerField(), help_text="left out: no searches of yours")
