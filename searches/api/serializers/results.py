"""The results of a search so far, and the catalogue of kinds and workers."""

from __future__ import annotations

from rest_framework import serializers

from engine.metrics import METRICS
from searches.api.serializers.bodies import AnswerSerializer
from searches.models import Event


class ColumnsSerializer(AnswerSerializer):
    """One array for each column, all of the same length."""

    id = serializers.ListField(child=serializers.IntegerField())
    number = serializers.ListField(child=serializers.IntegerField())
    feasible = serializers.ListField(child=serializers.BooleanField())
    layer = serializers.ListField(child=serializers.IntegerField(allow_null=True))
    for _name in METRICS:
        vars()[_name] = serializers.ListField(child=serializers.FloatField(allow_null=True))
    del _name


class PointsSerializer(AnswerSerializer):
    """Scored and failed candidates by number. Ask again with ``after=last`` while ``more`` is true."""

    columns = ColumnsSerializer()
    last = serializers.IntegerField()
    more = serializers.BooleanField()


class BucketSerializer(AnswerSerializer):
    """A bucket for costs in ``[low, high)``. ``kept`` counts its ``residents``: ``[number, score]``, best first."""

    index = serializers.IntegerField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    score = serializers.FloatField(allow_null=True)
    number = serializers.IntegerField(allow_null=True)
    id = serializers.IntegerField(allow_null=True)
    kept = serializers.IntegerField()
    residents = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()), required=False, help_text="absent if residents=0"
    )
    inserted = serializers.IntegerField()
    evicted = serializers.IntegerField()


class BucketLayerSerializer(AnswerSerializer):
    """The buckets of one layer."""

    layer = serializers.IntegerField()
    name = serializers.CharField()
    buckets = BucketSerializer(many=True)


class BucketsSerializer(AnswerSerializer):
    """The grid of cost buckets."""

    metric = serializers.CharField()
    layers = BucketLayerSerializer(many=True)
    calibrated = serializers.BooleanField(help_text="this is a replay, and scores were calibrated again since")
    ranked_by = serializers.CharField(help_text="what buckets rank networks by; empty: their scores")


class FrontPointSerializer(AnswerSerializer):
    """One network of the front."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    arch = serializers.CharField()
    score = serializers.FloatField()
    cost = serializers.FloatField()


class FrontSerializer(AnswerSerializer):
    """The networks that no cheaper network equals or beats, by ascending cost."""

    metric = serializers.CharField()
    front = FrontPointSerializer(many=True)


class EventSerializer(serializers.ModelSerializer):
    """One change, with its number."""

    kind = serializers.ChoiceField(Event.Kind.choices)
    payload = serializers.DictField()

    class Meta:
        model = Event
        fields = ["seq", "kind", "message", "payload", "created_at"]


class EventsSerializer(serializers.Serializer):
    """Events in order. Ask again with ``after=last``."""

    results = EventSerializer(many=True)
    last = serializers.IntegerField()


class KindSerializer(AnswerSerializer):
    """One kind that configurations can name, with the JSON schema of its options."""

    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # a declared field: DRF takes it off the class
    description = serializers.CharField()
    options = serializers.DictField()


class WorkerSerializer(serializers.Serializer):
    """One worker process. ``search`` and ``current`` are shown for your own searches only."""

    name = serializers.CharField()
    host = serializers.CharField()
    pid = serializers.IntegerField()
    device = serializers.CharField()
    memory_mb = serializers.FloatField()
    search = serializers.IntegerField(allow_null=True)
    current = serializers.CharField()
    seen_at = serializers.DateTimeField()
    alive = serializers.BooleanField()
