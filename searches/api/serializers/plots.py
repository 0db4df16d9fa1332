"""Answers of the plots."""

from __future__ import annotations

from rest_framework import serializers

from searches.api.serializers.bodies import AnswerSerializer


class StepsSerializer(AnswerSerializer):
    """Networks that became the best, one array a column; ``final_score`` is null until finalists decide."""

    trials = serializers.ListField(child=serializers.IntegerField())
    seconds = serializers.ListField(child=serializers.FloatField())
    number = serializers.ListField(child=serializers.IntegerField())
    id = serializers.ListField(child=serializers.IntegerField())
    score = serializers.ListField(child=serializers.FloatField())
    final_score = serializers.ListField(child=serializers.FloatField(allow_null=True))
    truth = serializers.ListField(child=serializers.FloatField(allow_null=True))


class TriedSpreadSerializer(AnswerSerializer):
    """10, 50 and 90 percent quantiles of the feasible scores of equally long stretches."""

    trials = serializers.ListField(child=serializers.IntegerField())
    seconds = serializers.ListField(child=serializers.FloatField())
    low = serializers.ListField(child=serializers.FloatField())
    middle = serializers.ListField(child=serializers.FloatField())
    high = serializers.ListField(child=serializers.FloatField())


class HistorySerializer(AnswerSerializer):
    """The best feasible network so far; ``trials``, finalists included, and ``seconds`` are where the search is now."""

    steps = StepsSerializer()
    spread = TriedSpreadSerializer()
    chosen_by = serializers.CharField(help_text="what the best network is chosen by; empty: its score")
    trials = serializers.IntegerField()
    seconds = serializers.FloatField()


class DifferenceSerializer(AnswerSerializer):
    """A layer where a neighbour (``there``) chooses otherwise than the best network (``here``)."""

    layer = serializers.CharField()
    here = serializers.CharField()
    there = serializers.CharField()


class TieSerializer(AnswerSerializer):
    """What a near tie is: neighbours that differ by no more than ``limit``, in the value's unit."""

    limit = serializers.FloatField()
    noise = serializers.FloatField(allow_null=True, help_text="standard deviation over seeds; null: not known")
    words = serializers.CharField()


class AtBudgetNetworkSerializer(AnswerSerializer):
    """A network of the front; ``near_tie``: better than the next cheaper one by no more than the tie's limit."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    arch = serializers.CharField()
    cost = serializers.FloatField()
    value = serializers.FloatField()
    near_tie = serializers.BooleanField()
    differences = DifferenceSerializer(many=True)


class CrownedSerializer(AnswerSerializer):
    """The search's best, where the front at the budget names another network: ``by_finals``, or as good and dearer."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    cost = serializers.FloatField()
    by_finals = serializers.BooleanField()


class AtBudgetSerializer(AnswerSerializer):
    """``low`` to ``high`` is the front's cost band, ``costs`` its networks' costs, ``within`` counts what fits."""

    metric = serializers.CharField()
    value = serializers.CharField()
    cost = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    costs = serializers.ListField(child=serializers.FloatField())
    within = serializers.IntegerField()
    tie = TieSerializer()
    crowned = CrownedSerializer(allow_null=True)
    best = AtBudgetNetworkSerializer(allow_null=True)
    cheaper = AtBudgetNetworkSerializer(allow_null=True)
    dearer = AtBudgetNetworkSerializer(allow_null=True)
