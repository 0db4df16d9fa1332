"""Scored architectures, shared by all searches: an architecture is scored once per estimate, data and seed."""

from __future__ import annotations

from django.db import models


class Evaluation(models.Model):
    """One run of one estimate on one architecture; workers lease the pending ones."""

    class Status(models.TextChoices):
        PENDING = "pending"
        LEASED = "leased"
        DONE = "done"
        FAILED = "failed"

    key = models.CharField(max_length=64, unique=True, help_text="digest of all that the score depends on")
    space_hash = models.CharField(max_length=64)
    choices = models.JSONField(help_text="option index per layer")
    arch = models.TextField(help_text="the architecture's string form")
    estimator = models.CharField(max_length=50)
    identity = models.CharField(max_length=64, help_text="the estimator's identity: options and data")
    fidelity = models.CharField(max_length=50, default="default")
    seed = models.BigIntegerField(default=0)

    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    dispatched_at = models.DateTimeField(null=True, blank=True)

    score = models.FloatField(null=True, blank=True)
    terms = models.JSONField(default=dict)
    curves = models.JSONField(default=dict, help_text="named series; MOTE's are in MoteScore")
    setup = models.JSONField(default=dict, help_text="how the score was computed, as texts by name")
    seconds = models.FloatField(default=0.0)
    device = models.CharField(max_length=100, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["status", "lease_until"], name="evaluation_work"),
            models.Index(fields=["identity", "space_hash"], name="evaluation_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.arch} ({self.estimator})"


class MoteScore(models.Model):
    """The stored parts of a MOTE run; its terms are also in `Evaluation.terms`, from which calibrations read them."""

    evaluation = models.OneToOneField(Evaluation, models.CASCADE, primary_key=True, related_name="mote")
    landscape = models.FloatField()
    speed = models.FloatField()
    time_seconds = models.FloatField(help_text="T of the speed term: model time or wall seconds")
    train_seconds = models.FloatField(help_text="measured wall seconds of the training")
    profile = models.CharField(max_length=50)
    time_model = models.CharField(max_length=20)
    epoch_losses = models.JSONField(default=list)
    landscape_losses = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"MOTE of {self.evaluation_id}"
