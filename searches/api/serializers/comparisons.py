"""The comparison of searches."""

from __future__ import annotations

from rest_framework import serializers

from searches.api.serializers.bodies import AnswerSerializer
from searches.models import Search


class ReferenceSerializer(AnswerSerializer):
    """The corner of all hypervolumes: the largest cost and the least score that count."""

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
    """One search. A step is ``[evaluations, seconds, score, truth]`` of the best network at that time; a volume is
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
    chosen_by = serializers.CharField(help_text="what decides which network is best; empty: the score")
    hypervolume = serializers.FloatField(allow_null=True)
    front = ComparedPointSerializer(many=True)
    steps = serializers.ListField(child=serializers.ListField(child=serializers.FloatField(allow_null=True)))
    volumes = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))


class SpreadSerializer(AnswerSerializer):
    """Mean, standard deviation, least and largest value at every ``x``."""

    x = serializers.ListField(child=serializers.FloatField())
    mean = serializers.ListField(child=serializers.FloatField())
    std = serializers.ListField(child=serializers.FloatField())
    low = serializers.ListField(child=serializers.FloatField())
    high = serializers.ListField(child=serializers.FloatField())


class SpreadsSerializer(AnswerSerializer):
    """The spread of the best score and of the hypervolume."""

    score = SpreadSerializer()
    hypervolume = SpreadSerializer()


class AlongSerializer(AnswerSerializer):
    """The curves over evaluations and over seconds."""

    evaluations = SpreadsSerializer()
    seconds = SpreadsSerializer()


class RepeatsSerializer(AnswerSerializer):
    """Searches that differ only in name and seed."""

    name = serializers.CharField()
    searches = serializers.ListField(child=serializers.IntegerField())
    seeds = serializers.ListField(child=serializers.IntegerField())
    curves = AlongSerializer()


class SettingSerializer(AnswerSerializer):
    """A setting in which the searches differ, with one value for each search."""

    path = serializers.CharField()
    values = serializers.ListField(child=serializers.CharField())


class ComparisonSerializer(AnswerSerializer):
    """The comparison of several searches."""

    metric = serializers.CharField()
    reference = ReferenceSerializer(allow_null=True)
    searches = ComparedSearchSerializer(many=True)
    groups = RepeatsSerializer(many=True)
    settings = SettingSerializer(many=True)
    warnings = serializers.ListField(child=serializers.CharField())
    missing = serializers.ListField(
        child=serializers.IntegerField(), help_text="numbers that are not searches of yours, which are left out"
    )
