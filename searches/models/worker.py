"""The processes that score, train and measure networks at present."""

from __future__ import annotations

from django.db import models


class Worker(models.Model):
    """One worker process; it counts as lost if it has not reported for a while."""

    name = models.CharField(max_length=200, unique=True, help_text="host:pid")
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    device = models.CharField(max_length=100, blank=True)
    memory_mb = models.FloatField(default=0.0, help_text="resident memory")
    search = models.ForeignKey("searches.Search", models.SET_NULL, null=True, blank=True, related_name="workers")
    current = models.TextField(blank=True, help_text="architecture being scored; empty: idle")
    started_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
