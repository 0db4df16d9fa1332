"""When the constants of MOTE or MOTE+ were fitted anew to the networks that a search had scored."""

from __future__ import annotations

from django.db import models

from searches.models.search import Search


class Calibration(models.Model):
    """An event at a round's boundary: from then on all scores of the search are read with these constants.

    It holds for what is told after ``round``, and changed the scores of what was told up to it. Replays meet it there.
    """

    search = models.ForeignKey(Search, models.CASCADE, related_name="calibrations")
    round = models.PositiveIntegerField(help_text="the round that was told last before it, from 0")
    networks = models.PositiveIntegerField(help_text="whose terms the constants were fitted to")
    constants = models.JSONField(help_text="fitted numbers by term (`engine.calibration.Numbers`)")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["round"]
        constraints = [models.UniqueConstraint(fields=["search", "round"], name="one_calibration_a_round")]

    def __str__(self) -> str:
        return f"calibration of search {self.search_id} after round {self.round}"
