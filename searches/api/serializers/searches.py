"""Searches in lists and in full, and what may be asked of them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from engine.config.search import SearchConfig
from searches.api.serializers.bodies import AnswerSerializer, BodySerializer
from searches.api.serializers.candidates import BestSerializer
from searches.models import Calibration, Search
from searches.selectors import comparison, notes, searches, spaces, tables
from searches.services import control

ACTIONS = ("pause", "resume", "stop", "cancel", "retry", "extend", "delete", "clone", "repeat")


class SpaceBriefSerializer(serializers.Serializer):
    """The space of a search; ``size`` is exact, in decimal digits."""

    kind = serializers.CharField()
    label = serializers.CharField(source="name")  # type: ignore[assignment] # a declared field: DRF takes it off the class
    size = serializers.CharField()
    depth = serializers.IntegerField()


class SpendingLimitsSerializer(serializers.Serializer):
    """What the search may spend; null: no limit."""

    evaluations = serializers.IntegerField(source="budget_evaluations", allow_null=True)
    seconds = serializers.FloatField(source="budget_seconds", allow_null=True)


class LayerProgressSerializer(serializers.Serializer):
    """Scored candidates of one layer."""

    layer = serializers.IntegerField()
    name = serializers.CharField()
    scored = serializers.IntegerField()


class FailureSerializer(serializers.Serializer):
    """A candidate that could not be scored."""

    number = serializers.IntegerField()
    arch = serializers.CharField()
    error = serializers.CharField()


class OptimumSerializer(serializers.Serializer):
    """The best truth of a table."""

    arch = serializers.CharField()
    truth = serializers.FloatField()
    limits = serializers.ChoiceField(
        ["none", "met", "ignored"],
        help_text="none: the search has no limits; met: the best of the networks within them; ignored: the best of the "
        "whole table, since finding those within the limits would take too long",
    )


class SearchSerializer(serializers.ModelSerializer):
    """A search as lists show it; the context's ``rates`` come from `searches.selectors.searches.rates`."""

    status = serializers.ChoiceField(Search.Status.choices)
    space = SpaceBriefSerializer()
    dataset = serializers.SerializerMethodField(help_text="label; null: the search trains nothing")
    algorithm = serializers.CharField(source="configuration.algorithm.kind")
    estimator = serializers.CharField(source="configuration.estimator.kind")
    cost_metric = serializers.CharField(source="configuration.objective.cost_metric")
    seed = serializers.IntegerField(source="configuration.seed")
    round_size = serializers.IntegerField(source="configuration.round_size")
    evaluated = serializers.IntegerField(source="state.evaluated", help_text="scored and failed")
    bound = serializers.IntegerField(source="state.bound", allow_null=True, help_text="evaluations not exceeded")
    budget = SpendingLimitsSerializer(source="*")
    rate_per_minute = serializers.FloatField(source="state.rate", allow_null=True, help_text="null: not running")
    eta_seconds = serializers.FloatField(source="state.eta", allow_null=True)
    progress = serializers.FloatField(source="state.share", help_text="from 0 to 1")
    best = BestSerializer(allow_null=True)
    actions = serializers.SerializerMethodField(help_text="what may be done now")

    class Meta:
        model = Search
        fields = [
            "id",
            "name",
            "status",
            "status_reason",
            "created_at",
            "started_at",
            "finished_at",
            "space",
            "dataset",
            "algorithm",
            "estimator",
            "cost_metric",
            "seed",
            "round_size",
            "evaluated",
            "scored",
            "finals",
            "failed",
            "from_cache",
            "asked",
            "feasible",
            "bound",
            "budget",
            "charged_seconds",
            "rounds",
            "rate_per_minute",
            "eta_seconds",
            "progress",
            "best",
            "event_seq",
            "actions",
        ]

    def to_representation(self, search: Search) -> dict[str, Any]:
        """The row's fields and the numbers derived from them."""
        search.state = searches.progress(search, self.context["rates"].get(search.pk))
        return super().to_representation(search)

    def get_dataset(self, search: Search) -> str | None:
        """The label that the data had when the search was made."""
        return search.data_info.get("label") or (search.dataset.name if search.dataset else None)

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(ACTIONS)))
    def get_actions(self, search: Search) -> list[str]:
        """Names of the POST routes (and DELETE) that would not be refused."""
        return control.allowed(search)


class CalibrationSerializer(serializers.ModelSerializer):
    """Constants of MOTE or MOTE+ as fitted to the search's own networks; they hold for all its scores from then on."""

    constants = serializers.DictField(
        child=serializers.DictField(child=serializers.FloatField()),
        help_text="by term; MOTE: `lam` (Box-Cox exponent) and `std`, MOTE+: `mean` and `std`",
    )

    class Meta:
        model = Calibration
        fields = ["round", "networks", "constants", "created_at"]


class SearchDetailSerializer(SearchSerializer):
    """A search with its configuration, layers, failures and the table's optimum."""

    config = serializers.SerializerMethodField()
    yaml = serializers.SerializerMethodField()
    data_info = serializers.DictField()
    layer_names = serializers.SerializerMethodField()
    layers_progress = serializers.SerializerMethodField()
    failures = serializers.SerializerMethodField(help_text="the latest five")
    note_html = serializers.SerializerMethodField(help_text="the note as safe HTML")
    calibrations = CalibrationSerializer(many=True, help_text="of its estimate while it ran; the last one holds")
    table_optimum = serializers.SerializerMethodField(
        help_text="null: no table, no truth column named, or no network within the limits"
    )

    class Meta(SearchSerializer.Meta):
        fields = [
            *SearchSerializer.Meta.fields,
            "config",
            "yaml",
            "data_info",
            "layer_names",
            "layers_progress",
            "failures",
            "note",
            "note_html",
            "calibrations",
            "table_optimum",
        ]

    @extend_schema_field(SearchConfig)  # type: ignore[arg-type] # `searches.api.schema` knows option models
    def get_config(self, search: Search) -> dict[str, Any]:
        """As given, defaults filled in."""
        return search.configuration.as_dict()

    def get_yaml(self, search: Search) -> str:
        """The same as a YAML document."""
        return searches.as_yaml(search)

    def get_layer_names(self, search: Search) -> list[str]:
        """As the space lists them; `layer` of a candidate or a bucket counts in this list."""
        return list(spaces.of_search(search).layer_names)

    @extend_schema_field(LayerProgressSerializer(many=True))
    def get_layers_progress(self, search: Search) -> list[dict[str, Any]]:
        """Scored candidates a layer, in the order in which the layers are searched."""
        return searches.layers_progress(search)

    @extend_schema_field(FailureSerializer(many=True))
    def get_failures(self, search: Search) -> list[dict[str, Any]]:
        """Number, architecture and reason."""
        return searches.failures(search)

    def get_note_html(self, search: Search) -> str:
        """Rendered Markdown."""
        return notes.as_html(search.note)

    @extend_schema_field(OptimumSerializer(allow_null=True))
    def get_table_optimum(self, search: Search) -> dict[str, Any] | None:
        """What the table's best network within the search's limits reaches."""
        return tables.optimum(search)


class ConfigDocumentSerializer(AnswerSerializer):
    """A valid configuration, defaults filled in, in both forms."""

    config = serializers.JSONField()
    yaml = serializers.CharField()


class HistogramSerializer(AnswerSerializer):
    """``counts`` has one number fewer than ``edges``."""

    edges = serializers.ListField(child=serializers.FloatField())
    counts = serializers.ListField(child=serializers.IntegerField())


class BucketEdgesSerializer(AnswerSerializer):
    """Edges of the cost buckets of a layer, one more than there are buckets."""

    layer = serializers.CharField()
    edges = serializers.ListField(child=serializers.FloatField())


class MeasuredSerializer(AnswerSerializer):
    """Seconds of an evaluation in the latest runs of the same estimate and data; null without runs."""

    runs = serializers.IntegerField()
    median_seconds = serializers.FloatField(allow_null=True)
    low_seconds = serializers.FloatField(allow_null=True)
    high_seconds = serializers.FloatField(allow_null=True)
    same_space = serializers.BooleanField(help_text="false: of other spaces")
    devices = serializers.ListField(child=serializers.CharField())


class OutlookSerializer(AnswerSerializer):
    """How long it will take; ``stages`` are the search's estimate and the final one, where there is one."""

    inline = serializers.BooleanField(help_text="scores are looked up")
    stages = MeasuredSerializer(many=True)
    workers = serializers.IntegerField()
    eta_seconds = serializers.FloatField(allow_null=True, help_text="null: nothing was measured yet")


class PreflightSerializer(AnswerSerializer):
    """What a configuration would meet, from a seeded sample and from what was measured before."""

    feasible_share = serializers.FloatField()
    cost_low = serializers.FloatField()
    cost_high = serializers.FloatField()
    metric = serializers.CharField()
    histogram = HistogramSerializer()
    bucket_edges = BucketEdgesSerializer(many=True, help_text="empty for algorithms without cost buckets")
    samples = serializers.IntegerField()
    bound = serializers.CharField(allow_null=True)
    size = serializers.CharField()
    evaluations = serializers.IntegerField(allow_null=True)
    reduced_networks = serializers.ListField(child=serializers.CharField(), help_text="of each MOTE estimate, in words")
    reduced_data = serializers.ListField(child=serializers.CharField(), help_text="of each MOTE estimate, in words")
    time = OutlookSerializer()
    warnings = serializers.ListField(child=serializers.CharField())


class ExtendSerializer(BodySerializer):
    """Numbers added to the budget of a finished search."""

    evaluations = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False, allow_null=True)
    seconds = serializers.FloatField(min_value=0.001, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of both at least."""
        if attrs.get("evaluations") is None and attrs.get("seconds") is None:
            raise serializers.ValidationError("Give evaluations, seconds, or both.")
        return attrs


class RepeatSerializer(BodySerializer):
    """How many searches with further seeds."""

    count = serializers.IntegerField(min_value=1, max_value=comparison.MOST - 1, default=2)


class ExampleSerializer(serializers.Serializer):
    """A ready configuration; ``config`` is a body for POST /searches/."""

    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    config = serializers.JSONField()
