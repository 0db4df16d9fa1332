"""Full trainings."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from searches.models import Candidate, Training
from searches.models.documents import readable
from searches.selectors import trainings as selector
from searches.services import training_runs, trainings


class TrainedCandidateSerializer(serializers.ModelSerializer):
    """The network that is trained."""

    search_name = serializers.CharField(source="search.name")

    class Meta:
        model = Candidate
        fields = ["id", "number", "arch", "score", "search", "search_name"]


class TrainingSerializer(serializers.ModelSerializer):
    """A full training. Accuracies are in percent; ``waiting`` says why a queued training has not begun."""

    candidate = TrainedCandidateSerializer()
    status = serializers.ChoiceField(Training.Status.choices)
    recipe = serializers.CharField()
    described = serializers.SerializerMethodField(help_text="the recipe in words; a shortened one says so")
    data = serializers.CharField(source="data_info.label")  # type: ignore[assignment] # a declared field: DRF takes it off the class
    progress = serializers.FloatField(source="share", help_text="from 0 to 1")
    eta_seconds = serializers.SerializerMethodField()
    best_valid_accuracy = serializers.SerializerMethodField(help_text="of the best epoch so far")
    waiting = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()

    class Meta:
        model = Training
        fields = [
            "id",
            "candidate",
            "status",
            "recipe",
            "described",
            "data",
            "progress",
            "epoch",
            "epochs",
            "step",
            "steps",
            "best_epoch",
            "best_valid_accuracy",
            "valid_accuracy",
            "test_accuracy",
            "seconds",
            "eta_seconds",
            "device",
            "worker",
            "waiting",
            "error",
            "actions",
            "created_at",
            "started_at",
            "finished_at",
        ]

    def get_described(self, training: Training) -> str:
        """Return the recipe, the epochs, and the settings that differ from it; empty if they cannot be read."""
        return training.configuration.described if readable(training) else ""

    def get_eta_seconds(self, training: Training) -> float | None:
        """Return the seconds left at the pace so far; None unless it runs."""
        if training.status != Training.Status.RUNNING or not training.share:
            return None
        return training.seconds * (1 - training.share) / training.share

    def get_best_valid_accuracy(self, training: Training) -> float | None:
        """Return the best validation accuracy so far, in percent; None before the first epoch."""
        return training.valid_accuracies[training.best_epoch - 1] if training.best_epoch else None

    def get_waiting(self, training: Training) -> str:
        """Return why the training waits; empty unless it is queued."""
        if training.status != Training.Status.QUEUED:
            return ""
        if "room" not in self.context:
            cast(dict[str, Any], self.context)["room"] = training_runs.room()[1]
        return self.context["room"] or "a worker takes it up as soon as it has nothing to score"

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_actions(self, training: Training) -> list[str]:
        """Return the names of the actions that are possible now."""
        return trainings.allowed(training)


class TrainingDetailSerializer(TrainingSerializer):
    """A full training with its learning curves, which have one entry for each epoch."""

    train_losses = serializers.ListField(child=serializers.FloatField())
    valid_accuracies = serializers.ListField(child=serializers.FloatField())
    config = serializers.DictField(source="configuration.as_dict")
    source = serializers.SerializerMethodField(  # type: ignore[assignment] # a declared field: DRF takes it off the class
        help_text="where the recipe comes from"
    )
    augmentation = serializers.SerializerMethodField(help_text="what is changed in images and labels, in words")

    class Meta(TrainingSerializer.Meta):
        fields = [
            *TrainingSerializer.Meta.fields,
            "train_losses",
            "valid_accuracies",
            "config",
            "source",
            "augmentation",
        ]

    def get_source(self, training: Training) -> str:
        """Return the paper of the recipe, and what differs from it."""
        return training.configuration.parts.source

    def get_augmentation(self, training: Training) -> str:
        """Return what is changed in training images, and how other images are cut."""
        return selector.augmentation(training)


class NewTrainingsSerializer(serializers.Serializer):
    """Either ``candidates``, or ``search`` with ``select``. The other fields are the training's configuration."""

    candidates = serializers.ListField(child=serializers.IntegerField(), required=False, help_text="their ids")
    search = serializers.IntegerField(required=False)
    select = serializers.ChoiceField(list(trainings.SELECTIONS), required=False)
    recipe = serializers.CharField(required=False)
    epochs = serializers.IntegerField(required=False, allow_null=True)
    batch_size = serializers.IntegerField(required=False, allow_null=True)
    flip = serializers.BooleanField(required=False, allow_null=True)
    crop = serializers.BooleanField(required=False, allow_null=True)
    dataset = serializers.DictField(required=False, allow_null=True)
    seed = serializers.IntegerField(required=False)

    def config(self) -> dict[str, Any]:
        """Return the fields of the configuration, which the engine checks."""
        chosen = ("candidates", "search", "select")
        return {name: value for name, value in self.initial_data.items() if name not in chosen}


class RecipeSerializer(serializers.Serializer):
    """One recipe."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # a declared field: DRF takes it off the class
    source = serializers.CharField()  # type: ignore[assignment] # a declared field: DRF takes it off the class
    epochs = serializers.IntegerField()
    batch_size = serializers.IntegerField()
    flip = serializers.BooleanField()
    crop = serializers.BooleanField()
    parts = serializers.BooleanField(help_text="of class folders, crops are random parts of the file")
    jitter = serializers.FloatField(help_text="of brightness, contrast and saturation")
    label_smoothing = serializers.FloatField()


class TrainedRowSerializer(serializers.Serializer):
    """One finished training and the score of its network."""

    training = serializers.IntegerField()
    candidate = serializers.IntegerField()
    number = serializers.IntegerField()
    score = serializers.FloatField(allow_null=True)
    valid_accuracy = serializers.FloatField()
    test_accuracy = serializers.FloatField(allow_null=True)


class InversionSerializer(serializers.Serializer):
    """Two networks that the estimate and the training rank differently."""

    better = TrainedRowSerializer(help_text="the network that trained better, though its score is lower")
    worse = TrainedRowSerializer()
    gap = serializers.FloatField(help_text="percentage points of validation accuracy")


class TrainedGroupSerializer(serializers.Serializer):
    """Trainings of one recipe on one data set, and the rank correlation of scores and validation accuracies."""

    described = serializers.CharField()
    data = serializers.CharField()  # type: ignore[assignment] # a declared field: DRF takes it off the class
    trainings = TrainedRowSerializer(many=True)
    kendall_tau = serializers.FloatField(allow_null=True)
    p_value = serializers.FloatField(allow_null=True)
    pairs = serializers.IntegerField()
    inverted = serializers.IntegerField()
    inversions = InversionSerializer(many=True, help_text="the widest first, at most 100")
