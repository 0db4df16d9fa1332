"""Studies, and the trust card of a search."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from searches.api.serializers.bodies import AnswerSerializer
from searches.models import Search, Study
from searches.selectors import studies


@extend_schema_serializer(component_name="StudyArm")
class ArmSerializer(serializers.Serializer):
    """One arm of a study, and the search that runs it."""

    arm = serializers.CharField()
    search = serializers.IntegerField()
    status = serializers.ChoiceField(Search.Status.choices)
    reason = serializers.CharField(help_text="why the arm failed")
    scored = serializers.IntegerField()
    failed = serializers.IntegerField()
    networks = serializers.IntegerField()


class StudySerializer(serializers.ModelSerializer):
    """A study as lists show it."""

    status = serializers.ChoiceField(Search.Status.choices, source="state.status")
    progress = serializers.FloatField(source="state.progress", help_text="from 0 to 1")
    arms = ArmSerializer(source="state.arms", many=True)

    class Meta:
        model = Study
        fields = ["id", "name", "status", "progress", "arms", "created_at"]

    def to_representation(self, study: Study) -> dict[str, Any]:
        """Return the row and the state of its searches."""
        study.state = studies.status(study)
        return super().to_representation(study)


class StudyDetailSerializer(StudySerializer):
    """A study with its configuration."""

    config = serializers.SerializerMethodField()
    yaml = serializers.SerializerMethodField()

    class Meta(StudySerializer.Meta):
        fields = [*StudySerializer.Meta.fields, "config", "yaml"]

    @extend_schema_field(serializers.DictField())
    def get_config(self, study: Study) -> dict[str, Any]:
        """Return the configuration as given, with defaults filled in."""
        return study.configuration.as_dict()

    def get_yaml(self, study: Study) -> str:
        """Return the configuration as a YAML document."""
        return study.configuration.to_yaml()


class ForecastArmSerializer(AnswerSerializer):
    """The time that one arm needs."""

    arm = serializers.CharField()
    seconds = serializers.FloatField(allow_null=True, help_text="per network; null: unknown")
    basis = serializers.CharField(help_text="that it was measured here, or how it was forecast")


class ForecastSerializer(AnswerSerializer):
    """The time that a study will roughly take."""

    arms = ForecastArmSerializer(many=True)
    networks = serializers.IntegerField()
    workers = serializers.IntegerField()
    total_seconds = serializers.FloatField(allow_null=True, help_text="of all arms on these workers; null: unknown")
    notes = serializers.ListField(child=serializers.CharField())


class TauSerializer(AnswerSerializer):
    """Kendall's tau with its 95% bootstrap interval."""

    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    count = serializers.IntegerField()


class RankingSerializer(AnswerSerializer):
    """The quality of a ranking of networks whose truth is known."""

    tau = TauSerializer(allow_null=True)
    spearman = serializers.FloatField(allow_null=True)
    tau_best_tenth = serializers.FloatField(allow_null=True, help_text="null if the tenth has fewer than 10 networks")
    ndcg_top = serializers.FloatField(
        allow_null=True, help_text="nDCG at the first tenth of the ranking; null if the tenth has fewer than 3 networks"
    )


class BaselineSerializer(RankingSerializer):
    """The quality of the ranking by a count: parameters, multiply-adds or trained layers."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # a declared field: DRF takes it off the class


class ComparedBaselineSerializer(BaselineSerializer):
    """A baseline on the networks that an estimate has scored, and how the estimate compares with it."""

    difference = TauSerializer(
        allow_null=True, help_text="tau of the estimate minus tau of the baseline, from paired resamples"
    )
    verdict = serializers.ChoiceField(
        ["better", "worse", "same", "unclear", "unknown"], help_text="what the estimate is beside the baseline"
    )
    networks_needed = serializers.IntegerField(
        allow_null=True, help_text="about how many networks would show the difference, where it is unclear"
    )


class StudiedEstimateSerializer(RankingSerializer):
    """The quality of the ranking by one estimate, or by a part of it."""

    name = serializers.CharField()
    arm = serializers.CharField()
    term = serializers.CharField()
    seconds = serializers.FloatField(help_text="mean per evaluation")
    scored = serializers.IntegerField()
    constant = serializers.CharField(
        allow_null=True, help_text="why nothing is ranked: all networks have the same score, or the same truth"
    )
    baselines = ComparedBaselineSerializer(many=True)
    sentence = serializers.CharField(help_text="how it compares with the baselines; empty if nothing is known")


class AgreementSerializer(AnswerSerializer):
    """Kendall's tau between each pair of estimates."""

    names = serializers.ListField(child=serializers.CharField())
    tau = serializers.ListField(child=serializers.ListField(child=serializers.FloatField(allow_null=True)))


class GroupSerializer(AnswerSerializer):
    """Tau among networks with an operation and among those without."""

    part = serializers.CharField()
    estimates = serializers.ListField(child=serializers.DictField())

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields; ``with`` cannot be an attribute, since it is a keyword of Python."""
        counts = {name: serializers.IntegerField() for name in ("with", "without")}
        return {**super().get_fields(), **counts}


class StudyPointsSerializer(AnswerSerializer):
    """One entry for each network. ``scores`` has one list for each estimate."""

    arch = serializers.ListField(child=serializers.CharField())
    truth = serializers.ListField(child=serializers.FloatField(allow_null=True), allow_null=True)
    scores = serializers.ListField(child=serializers.ListField(child=serializers.FloatField(allow_null=True)))


class StudyResultsSerializer(AnswerSerializer):
    """The results of a study so far."""

    networks = serializers.IntegerField()
    truth_known = serializers.IntegerField()
    resamples = serializers.IntegerField()
    resampled = serializers.IntegerField(help_text="largest number of networks that intervals are resampled from")
    estimates = StudiedEstimateSerializer(many=True)
    baselines = BaselineSerializer(many=True, help_text="on all networks of known truth")
    agreement = AgreementSerializer()
    groups = GroupSerializer(many=True)
    points = StudyPointsSerializer()


class TrustSourceSerializer(AnswerSerializer):
    """One source of truth, and how well the scores agree with it."""

    source = serializers.ChoiceField(["study", "table", "trainings"])  # type: ignore[assignment] # a declared field: DRF takes it off the class
    description = serializers.CharField()
    study = serializers.IntegerField(allow_null=True)
    count = serializers.IntegerField()
    tau = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    spearman = serializers.FloatField()
    tau_best_tenth = serializers.FloatField(allow_null=True, help_text="null if the tenth has fewer than 10 networks")
    ndcg_top = serializers.FloatField(
        allow_null=True, help_text="nDCG at the first tenth of the ranking; null if the tenth has fewer than 3 networks"
    )
    baselines = ComparedBaselineSerializer(many=True)
    sentence = serializers.CharField(help_text="how the scores compare with the baselines")


class RandomRankSerializer(AnswerSerializer):
    """The rank of a network's score among random networks that the same estimate has scored."""

    number = serializers.IntegerField(help_text="of the candidate")
    share = serializers.FloatField(help_text="of the random networks that score less, from 0 to 1")
    networks = serializers.IntegerField()
    search = serializers.IntegerField(help_text="the random search that scored them")
    words = serializers.CharField()


class NoiseSerializer(AnswerSerializer):
    """The variation of scores between seeds: the standard deviation, and the difference that separates two networks."""

    deviation = serializers.FloatField()
    limit = serializers.FloatField()
    words = serializers.CharField()


class TrustSerializer(AnswerSerializer):
    """The trust card of a search: how far its scores can be trusted."""

    sources = TrustSourceSerializer(many=True)
    sentence = serializers.CharField()
    noise = NoiseSerializer(allow_null=True)
    random = RandomRankSerializer(allow_null=True, help_text="rank of the best network")
