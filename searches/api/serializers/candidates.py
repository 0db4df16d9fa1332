"""Candidates in lists and in full."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from engine.metrics import COST_NAMES, METRICS
from searches.api.serializers.studies import RandomRankSerializer
from searches.models import Candidate, MoteScore
from searches.selectors import calibrations, candidates, notes, spaces, standing
from searches.services.export_jobs import FORMATS


class CostsSerializer(serializers.Serializer):
    """Costs by metric, in the unit that the name states. Unknown costs are null."""

    for _name in COST_NAMES:
        _why = METRICS[_name].missing
        vars()[_name] = serializers.FloatField(allow_null=True, help_text=f"null: {_why}" if _why else None)
    del _name, _why


class LineageSerializer(serializers.Serializer):
    """One ancestor."""

    number = serializers.IntegerField()
    id = serializers.IntegerField()
    arch = serializers.CharField()
    layer = serializers.IntegerField(allow_null=True)
    layer_name = serializers.CharField(allow_null=True)
    score = serializers.FloatField(allow_null=True)


class LabelSerializer(serializers.Serializer):
    """The choice at one layer."""

    layer = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # a declared field: DRF takes it off the class


class CurvesSerializer(serializers.Serializer):
    """Series for plots. They are empty if the estimate has none."""

    epoch_losses = serializers.ListField(child=serializers.FloatField())
    landscape_losses = serializers.ListField(child=serializers.FloatField())


class MoteSerializer(serializers.ModelSerializer):
    """The parts of a MOTE score."""

    class Meta:
        model = MoteScore
        fields = ["landscape", "speed", "time_seconds", "train_seconds", "profile", "time_model"]


class BestSerializer(serializers.ModelSerializer):
    """The best candidate of a search, in brief."""

    costs = CostsSerializer(source="*")

    class Meta:
        model = Candidate
        fields = ["id", "number", "arch", "score", "final_score", "valid_accuracy", "truth", "costs"]


class CandidateSerializer(serializers.ModelSerializer):
    """A candidate as lists show it."""

    costs = CostsSerializer(source="*")
    status = serializers.ChoiceField(Candidate.Status.choices)
    test_accuracy = serializers.FloatField(
        source="trained_test_accuracy", allow_null=True, help_text="percent; null: test data were never touched"
    )
    terms = serializers.DictField(
        child=serializers.FloatField(allow_null=True), help_text="of MOTE and MOTE+ with the joint as `score` has it"
    )
    parent = serializers.IntegerField(  # type: ignore[assignment] # a declared field: DRF takes it off the class
        source="parent_number", allow_null=True, help_text="number of the parent"
    )
    worker = serializers.CharField(source="evaluation.worker")
    tags: serializers.SlugRelatedField = serializers.SlugRelatedField("name", many=True, read_only=True)

    class Meta:
        model = Candidate
        fields = [
            "id",
            "number",
            "round",
            "arch",
            "status",
            "feasible",
            "score",
            "final_score",
            "valid_accuracy",
            "test_accuracy",
            "truth",
            "trained_valid_accuracy",
            "trained_test_accuracy",
            "costs",
            "terms",
            "seconds",
            "layer",
            "bucket",
            "parent",
            "origin",
            "from_cache",
            "error",
            "worker",
            "pinned",
            "hidden",
            "tags",
            "note",
        ]

    def to_representation(self, candidate: Candidate) -> dict[str, Any]:
        """Return what files hold of the candidate, and the further fields that a subclass declares."""
        shown = candidates.document(candidate)
        for name, field in self.fields.items():
            if name not in shown:
                shown[name] = field.to_representation(field.get_attribute(candidate))
        return shown


class FinalistSerializer(serializers.ModelSerializer):
    """A final estimate of a network."""

    estimator = serializers.CharField(source="evaluation.estimator")
    seed = serializers.IntegerField(source="evaluation.seed")
    terms = serializers.DictField(source="evaluation.terms", child=serializers.FloatField(allow_null=True))
    status = serializers.ChoiceField(Candidate.Status.choices)

    class Meta:
        model = Candidate
        fields = ["id", "number", "round", "status", "score", "estimator", "seed", "terms", "seconds", "error"]


class CandidateDetailSerializer(CandidateSerializer):
    """A candidate with its origin and all its values."""

    search = serializers.IntegerField(source="search_id")
    choices = serializers.ListField(child=serializers.IntegerField(), help_text="index of the option at each layer")
    labels = serializers.SerializerMethodField()
    curves = serializers.SerializerMethodField()
    mote = serializers.SerializerMethodField(help_text="null: not a MOTE estimate")
    device = serializers.CharField(source="evaluation.device")
    setup = serializers.SerializerMethodField(help_text="what the score was computed from, in words")
    seed = serializers.IntegerField(source="evaluation.seed")
    fidelity = serializers.CharField(source="evaluation.fidelity")
    downloads = serializers.SerializerMethodField()
    finals = serializers.SerializerMethodField(help_text="further estimates of the network, oldest first")
    drawing = serializers.SerializerMethodField()
    lineage = serializers.SerializerMethodField()
    note_html = serializers.SerializerMethodField(help_text="the note as safe HTML")
    random_rank = serializers.SerializerMethodField(help_text="null: no comparable random networks were scored")

    class Meta(CandidateSerializer.Meta):
        fields = [
            *CandidateSerializer.Meta.fields,
            "note_html",
            "random_rank",
            "search",
            "choices",
            "labels",
            "curves",
            "mote",
            "device",
            "setup",
            "seed",
            "fidelity",
            "stage",
            "finals",
            "downloads",
            "drawing",
            "lineage",
        ]

    def get_note_html(self, candidate: Candidate) -> str:
        """Return the rendered Markdown."""
        return notes.as_html(candidate.note)

    @extend_schema_field(RandomRankSerializer(allow_null=True))
    def get_random_rank(self, candidate: Candidate) -> dict[str, Any] | None:
        """Return the rank of the score among random networks of the space."""
        return standing.among_random(candidate)

    @extend_schema_field(LabelSerializer(many=True))
    def get_labels(self, candidate: Candidate) -> list[dict[str, str]]:
        """Return the choices layer by layer."""
        space = spaces.of_search(candidate.search)
        labels = space.labels(space.architecture(candidate.choices))
        return [{"layer": layer, "label": label} for layer, label in zip(space.layer_names, labels, strict=True)]

    @extend_schema_field(CurvesSerializer)
    def get_curves(self, candidate: Candidate) -> dict[str, Any]:
        """Return the curves, from MOTE's own record if there is one."""
        mote = _mote(candidate)
        curves = candidate.evaluation.curves
        names = ("epoch_losses", "landscape_losses")
        return {name: getattr(mote, name) if mote else curves.get(name, []) for name in names}

    @extend_schema_field(MoteSerializer(allow_null=True))
    def get_mote(self, candidate: Candidate) -> dict[str, Any] | None:
        """Return terms and seconds; None for other estimates."""
        mote = _mote(candidate)
        return MoteSerializer(mote).data if mote else None

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_setup(self, candidate: Candidate) -> dict[str, str]:
        """Return what the worker recorded, and the source of the constants that the score is computed with now."""
        constants = candidate.score is not None and calibrations.source(candidate)
        return {**candidate.evaluation.setup, **({"constants": constants} if constants else {})}

    @extend_schema_field(FinalistSerializer(many=True))
    def get_finals(self, candidate: Candidate) -> list[dict[str, Any]]:
        """Return the final estimates of the network, which decide which network is best."""
        return list(FinalistSerializer(candidates.finals(candidate), many=True).data)

    @extend_schema_field(serializers.DictField(child=serializers.URLField()))
    def get_downloads(self, candidate: Candidate) -> dict[str, str]:
        """Return the address of each format."""
        url = self._url("candidate-download", candidate)
        return {name: f"{url}?format={name}" for name in FORMATS}

    @extend_schema_field(serializers.URLField())
    def get_drawing(self, candidate: Candidate) -> str:
        """Return the address of the SVG."""
        return self._url("candidate-drawing", candidate)

    @extend_schema_field(LineageSerializer(many=True))
    def get_lineage(self, candidate: Candidate) -> list[dict[str, Any]]:
        """Return the candidate and its ancestors, back to the first layer."""
        names = spaces.of_search(candidate.search).layer_names
        line = candidates.lineage(candidate)
        return [{**step, "layer_name": None if step["layer"] is None else names[step["layer"]]} for step in line]

    def _url(self, name: str, candidate: Candidate) -> str:
        return str(reverse(name, [candidate.pk], request=self.context["request"]))


def _mote(candidate: Candidate) -> MoteScore | None:
    return getattr(candidate.evaluation, "mote", None)
