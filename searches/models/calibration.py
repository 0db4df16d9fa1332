"""Calibrations: fits of the constants of MOTE or MOTE+ to the networks that a search had scored."""

from __future__ import annotations

from django.db import models

from searches.models.search import Search


class Calibration(models.Model):
    """A calibration after ``round``; from then on all scores of the search are computed with these constants.

    It changed all scores up to that round, and it applies to all later ones. A replay applies it after the same round.
    """

    search = models.ForeignKey(Search, models.CASCADE, related_name="calibrations")
    round = models.PositiveIntegerField(help_text="the last round told before the calibration, from 0")
    networks = models.PositiveIntegerField(help_text="number of networks to whose terms the constants were fitted")
    constants = models.JSONField(help_text="fitted numbers by term (`engine.calibration.Numbers`)")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["round"]
        constraints = [models.UniqueConstraint(fields=["search", "round"], name="one_calibration_a_round")]

    def __str__(self) -> str:
        return f"calibration of search {self.search_id} after round {self.round}"
