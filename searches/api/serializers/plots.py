"""The answers of the plots."""

from __future__ import annotations

from rest_framework import serializers

from searches.api.serializers.bodies import AnswerSerializer


class StepsSerializer(AnswerSerializer):
    """The networks that became the best, one array per column. ``final_score`` is null until finalists decide."""

    trials = serializers.ListField(child=serializers.IntegerField())
    seconds = serializers.ListField(child=serializers.FloatField())
    number = serializers.ListField(child=serializers.IntegerField())
    id = serializers.ListField(child=serializers.IntegerField())
    score = serializers.ListField(child=serializers.FloatField())
    final_score = serializers.ListField(child=serializers.FloatField(allow_null=True))
    truth = serializers.ListField(child=serializers.FloatField(allow_null=True))


class TriedSpreadSerializer(AnswerSerializer):
    """The 10, 50 and 90 percent quantiles of the feasible scores in equally long parts of the search."""

    trials = serializers.ListField(child=serializers.IntegerField())
    seconds = serializers.ListField(child=serializers.FloatField())
    low = serializers.ListField(child=serializers.FloatField())
    middle = serializers.ListField(child=serializers.FloatField())
    high = serializers.ListField(child=serializers.FloatField())


class HistorySerializer(AnswerSerializer):
    """The best feasible network over time. ``trials`` (with finalists) and ``seconds`` are the totals so far."""

    steps = StepsSerializer()
    spread = TriedSpreadSerializer()
    chosen_by = serializers.CharField(help_text="what decides which network is best; empty: the score")
    trials = serializers.IntegerField()
    seconds = serializers.FloatField()


class NeighbourDifferenceSerializer(AnswerSerializer):
    """A layer in which a neighbour (``there``) differs from the best network (``here``)."""

    layer = serializers.CharField()
    here = serializers.CharField()
    there = serializers.CharField()


class TieSerializer(AnswerSerializer):
    """The definition of a near tie: neighbours that differ by at most ``limit``, in the value's unit."""

    limit = serializers.FloatField()
    noise = serializers.FloatField(allow_null=True, help_text="standard deviation over seeds; null: not known")
    words = serializers.CharField()


class AtBudgetNetworkSerializer(AnswerSerializer):
    """A network of the front. It is a ``near_tie`` if it beats the next cheaper one by at most the tie's limit."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    arch = serializers.CharField()
    cost = serializers.FloatField()
    value = serializers.FloatField()
    near_tie = serializers.BooleanField()
    differences = NeighbourDifferenceSerializer(many=True)


class CrownedSerializer(AnswerSerializer):
    """The search's best network, if it is not the front's: finalists decided (``by_finals``), or it costs more."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    cost = serializers.FloatField()
    by_finals = serializers.BooleanField()


class AtBudgetSerializer(AnswerSerializer):
    """The best network at a cost. The front reaches from ``low`` to ``high``; ``within`` counts what fits."""

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
