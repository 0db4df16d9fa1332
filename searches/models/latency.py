"""Latency tables with the milliseconds of each operator, whole networks timed to check them, and benchmark files."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from searches.models.candidate import Candidate


class Measurement(models.Model):
    """A measurement or conversion that a worker makes in the background, under a lease."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        MEASURING = "measuring"
        READY = "ready"
        FAILED = "failed"
        CANCELLED = "cancelled"

    OPEN = (Status.WAITING, Status.MEASURING)

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    error = models.TextField(blank=True)
    options = models.JSONField(default=dict, help_text="engine.config.latency.LatencyOptions; empty: not measured here")
    machine = models.CharField(max_length=300, blank=True, help_text="device and software in words")
    attempts = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    dispatched_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"measurement {self.pk}"

    @property
    def is_open(self) -> bool:
        """Return whether the measurement still waits or runs."""
        return self.status in self.OPEN


class LatencyTable(Measurement):
    """Milliseconds per operator, uploaded or measured for all operators of a space; its content never changes."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="latency_tables")
    name = models.CharField(max_length=200)
    space = models.JSONField(default=dict, help_text="the space measured, as a configuration; empty: uploaded")
    spec = models.JSONField(default=list, help_text="[channels, height, width, classes]; empty: uploaded")
    total = models.PositiveIntegerField(default=0, help_text="operators")
    done = models.PositiveIntegerField(default=0)
    entries = models.JSONField(default=dict, help_text="{operator: milliseconds}")
    content_hash = models.CharField(max_length=64, blank=True, help_text="empty until it is ready")

    def __str__(self) -> str:
        return self.name


class BenchmarkFile(Measurement):
    """An official benchmark file of this machine, converted to a table that all users may search in."""

    name = models.CharField(max_length=50, unique=True, help_text="engine.tabular_benchmarks.TABULAR_BENCHMARKS")
    total = models.PositiveIntegerField(default=0, help_text="architectures")
    done = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class NetworkLatency(Measurement):
    """A candidate's whole network timed on a worker's machine, in milliseconds per pass."""

    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="latencies")
    median_ms = models.FloatField(null=True, blank=True)
    low_ms = models.FloatField(null=True, blank=True, help_text="lower quartile")
    high_ms = models.FloatField(null=True, blank=True, help_text="upper quartile")
    repeats = models.PositiveIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"latency of {self.candidate_id}"
