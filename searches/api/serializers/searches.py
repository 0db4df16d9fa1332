"""Searches in lists and in full, and the bodies of what can be done with them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from engine.config.search import SearchConfig
from searches.api.serializers.bodies import AnswerSerializer, BodySerializer
from searches.api.serializers.candidates import BestSerializer
from searches.models import Calibration, Search
from searches.selectors import comparison, nearest, notes, searches, spaces, tables
from searches.services import control

ACTIONS = ("pause", "resume", "stop", "cancel", "retry", "extend", "delete", "clone", "repeat")


class SpaceBriefSerializer(serializers.Serializer):
    """The space of a search. ``size`` is the exact number of networks, in decimal digits."""

    kind = serializers.CharField()
    label = serializers.CharField(source="name")  # type: ignore[assignment] # a declared field: DRF takes it off the class
    size = serializers.CharField()
    depth = serializers.IntegerField()


class SpendingLimitsSerializer(serializers.Serializer):
    """The amounts that the search may spend. Null means no limit."""

    evaluations = serializers.IntegerField(source="budget_evaluations", allow_null=True)
    seconds = serializers.FloatField(source="budget_seconds", allow_null=True)


class LayerProgressSerializer(serializers.Serializer):
    """The number of scored candidates of one layer."""

    layer = serializers.IntegerField()
    name = serializers.CharField()
    scored = serializers.IntegerField()


class FailureSerializer(serializers.Serializer):
    """A candidate that could not be scored."""

    number = serializers.IntegerField()
    arch = serializers.CharField()
    error = serializers.CharField()


class OptimumSerializer(serializers.Serializer):
    """The network of a table with the best truth."""

    arch = serializers.CharField()
    truth = serializers.FloatField()
    limits = serializers.ChoiceField(
        ["none", "met", "ignored"],
        help_text="none: the search has no limits; met: the best of the networks within them; ignored: the best of the "
        "whole table, since finding those within the limits would take too long",
    )


class NearestSerializer(AnswerSerializer):
    """The network that comes closest to the limits of a search that found none within them."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    metric = serializers.CharField(help_text="the limited cost that the network exceeds most")
    cost = serializers.FloatField()
    limit = serializers.FloatField()
    excess = serializers.FloatField(help_text="distance from the limit, as a share of the limit")
    words = serializers.CharField()


class SearchSerializer(serializers.ModelSerializer):
    """A search as lists show it. The context has ``rates`` from `searches.selectors.searches.rates`."""

    status = serializers.ChoiceField(Search.Status.choices)
    space = SpaceBriefSerializer()
    dataset = serializers.SerializerMethodField(help_text="its label; null: the search trains nothing")
    algorithm = serializers.CharField(source="outline.algorithm")
    estimator = serializers.CharField(source="outline.estimator")
    cost_metric = serializers.CharField(source="outline.cost_metric")
    seed = serializers.IntegerField(source="outline.seed")
    round_size = serializers.IntegerField(source="outline.round_size")
    evaluated = serializers.IntegerField(source="state.evaluated", help_text="networks that were scored or failed")
    bound = serializers.IntegerField(
        source="state.bound", allow_null=True, help_text="largest possible number of evaluations"
    )
    budget = SpendingLimitsSerializer(source="*")
    rate_per_minute = serializers.FloatField(source="state.rate", allow_null=True, help_text="null: not running")
    eta_seconds = serializers.FloatField(source="state.eta", allow_null=True)
    progress = serializers.FloatField(source="state.share", help_text="from 0 to 1")
    best = BestSerializer(allow_null=True)
    actions = serializers.SerializerMethodField(help_text="what can be done now")

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
        """Return the row's fields and the numbers derived from them."""
        search.state = searches.progress(search, self.context["rates"].get(search.pk))
        return super().to_representation(search)

    def get_dataset(self, search: Search) -> str | None:
        """Return the label that the data had when the search was created; None if it has no data."""
        return search.data_info.get("label") or (search.dataset.name if search.dataset else None)

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(ACTIONS)))
    def get_actions(self, search: Search) -> list[str]:
        """Return the names of the POST routes, and delete, that are not refused now."""
        return control.allowed(search)


class CalibrationSerializer(serializers.ModelSerializer):
    """Constants of MOTE or MOTE+, fitted to the search's own networks. All scores of the search use the last ones."""

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
    failures = serializers.SerializerMethodField(help_text="the latest five failures")
    note_html = serializers.SerializerMethodField(help_text="the note as safe HTML")
    calibrations = CalibrationSerializer(many=True, help_text="of its estimate during the search; the last one counts")
    table_optimum = serializers.SerializerMethodField(
        help_text="null: no table, no truth column named, or no network within the limits"
    )

    nearest = serializers.SerializerMethodField(
        help_text="null: the search is active, or found a network within its limits"
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
            "nearest",
        ]

    @extend_schema_field(SearchConfig)  # type: ignore[arg-type] # `searches.api.schema` knows option models
    def get_config(self, search: Search) -> dict[str, Any]:
        """Return the configuration as given, with defaults filled in."""
        return search.configuration.as_dict()

    def get_yaml(self, search: Search) -> str:
        """Return the configuration as a YAML document."""
        return searches.as_yaml(search)

    def get_layer_names(self, search: Search) -> list[str]:
        """Return the names as the space lists them; ``layer`` of candidates and buckets is an index of this list."""
        return list(spaces.of_search(search).layer_names)

    @extend_schema_field(LayerProgressSerializer(many=True))
    def get_layers_progress(self, search: Search) -> list[dict[str, Any]]:
        """Return the scored candidates of each layer, in the order in which the layers are searched."""
        return searches.layers_progress(search)

    @extend_schema_field(FailureSerializer(many=True))
    def get_failures(self, search: Search) -> list[dict[str, Any]]:
        """Return number, architecture and reason of the latest failures."""
        return searches.failures(search)

    @extend_schema_field(NearestSerializer(allow_null=True))
    def get_nearest(self, search: Search) -> dict[str, Any] | None:
        """Return the network closest to the limits if none is within them."""
        return nearest.nearest(search)

    def get_note_html(self, search: Search) -> str:
        """Return the rendered Markdown."""
        return notes.as_html(search.note)

    @extend_schema_field(OptimumSerializer(allow_null=True))
    def get_table_optimum(self, search: Search) -> dict[str, Any] | None:
        """Return the table's best network within the search's limits, and its truth."""
        return tables.optimum(search)


class ConfigDocumentSerializer(AnswerSerializer):
    """A valid configuration with defaults filled in, as JSON and as YAML."""

    config = serializers.JSONField()
    yaml = serializers.CharField()


class ExtendSerializer(BodySerializer):
    """Amounts to add to the budget of a finished search."""

    evaluations = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False, allow_null=True)
    seconds = serializers.FloatField(min_value=0.001, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the amounts; ValidationError unless there is at least one."""
        if attrs.get("evaluations") is None and attrs.get("seconds") is None:
            raise serializers.ValidationError("Give evaluations, seconds, or both.")
        return attrs


class RepeatSerializer(BodySerializer):
    """The number of searches with further seeds."""

    count = serializers.IntegerField(min_value=1, max_value=comparison.MOST - 1, default=2)


class ExampleSerializer(serializers.Serializer):
    """A ready configuration. ``config`` is a body for POST /searches/."""

    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    config = serializers.JSONField()
