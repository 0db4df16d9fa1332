"""The log of a search, which the page reads after a message on its websocket."""

from __future__ import annotations

from django.db import models

from searches.models.search import Search


class Event(models.Model):
    """One visible change; ``seq`` counts 1, 2, 3, ... within a search without gaps."""

    class Kind(models.TextChoices):
        STATUS = "status"
        CANDIDATES = "candidates"
        ROUND = "round"
        ERROR = "error"
        LOG = "log"

    search = models.ForeignKey(Search, models.CASCADE, related_name="events", db_index=False)
    seq = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    message = models.TextField(blank=True, help_text="in words, for the log")
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["search", "seq"], name="one_event_a_number")]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"
