"""Full trainings of chosen candidates: configuration, progress and results."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models

from engine.config.training import TrainingConfig
from searches.models.candidate import Candidate
from searches.models.documents import Stored, readable, stated
from searches.models.source import Dataset


class Training(models.Model):
    """One full training; its checkpoint and the weights of its best epoch are in `folder`."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        FINISHED = "finished"
        FAILED = "failed"
        CANCELLED = "cancelled"

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="trainings")
    config = models.JSONField(help_text="engine.config.training.TrainingConfig as JSON")
    configuration = Stored(TrainingConfig)
    config_hash = models.CharField(max_length=64, help_text="digest of the configuration and of the data's content")
    dataset = models.ForeignKey(Dataset, models.PROTECT, null=True, blank=True, related_name="trainings")
    data_info = models.JSONField(help_text="as in Search, of the images it trains on")
    epochs = models.PositiveIntegerField()
    augmentation = models.TextField(
        blank=True, help_text="random changes of images and labels, in words; empty: older than this column"
    )

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED, db_index=True)
    error = models.TextField(blank=True, help_text="why it failed, in words")
    attempts = models.PositiveIntegerField(
        default=0, help_text="number of leases; distinguishes the present lease from older ones"
    )
    lost = models.PositiveIntegerField(default=0, help_text="workers lost in a row without a step in between")
    worker = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    dispatched_at = models.DateTimeField(null=True, blank=True)

    epoch = models.PositiveIntegerField(default=0, help_text="complete epochs")
    step = models.PositiveIntegerField(default=0, help_text="complete steps of the next epoch")
    steps = models.PositiveIntegerField(default=0, help_text="steps per epoch; 0: not known yet")
    train_losses = models.JSONField(default=list, help_text="mean of each epoch")
    valid_accuracies = models.JSONField(default=list, help_text="percent, after each epoch")
    best_epoch = models.PositiveIntegerField(default=0, help_text="from 1; validation chose it")
    seconds = models.FloatField(default=0.0, help_text="of all its runs")
    device = models.CharField(max_length=100, blank=True)
    valid_accuracy = models.FloatField(null=True, blank=True, help_text="percent, of the best epoch")
    test_accuracy = models.FloatField(null=True, blank=True, help_text="percent, measured once at the end")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["candidate", "config_hash"], name="one_training_a_config")]

    def __str__(self) -> str:
        return f"training {self.pk} of candidate {self.candidate_id}"

    @property
    def recipe(self) -> str:
        """The kind of recipe; what the document says, or an empty text, if it cannot be read."""
        return self.configuration.recipe if readable(self) else stated(self, "recipe", "")

    @property
    def arch(self) -> str:
        """The text that a worker shows as its current work."""
        return f"full training: {self.candidate.arch}"

    @property
    def folder(self) -> Path:
        """The folder of the checkpoint and the weights."""
        return Path(settings.NASWEB_HOME) / "trainings" / str(self.pk)

    @property
    def share(self) -> float:
        """The finished share of the training, from 0 to 1."""
        if self.status == self.Status.FINISHED:
            return 1.0
        inside = self.step / self.steps if self.steps else 0.0
        return min(1.0, (self.epoch + inside) / self.epochs)
