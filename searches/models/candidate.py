"""The candidates of a search with their results, and the buckets of its algorithm."""

from __future__ import annotations

from django.db import models

from engine.metrics import COST_NAMES
from searches.models.evaluation import Evaluation
from searches.models.search import Search


class CandidateQuerySet(models.QuerySet["Candidate"]):
    """Queries of candidates."""

    def networks(self) -> CandidateQuerySet:
        """Return one row for each network, without the further estimates of finalists."""
        return self.filter(stage=0)

    def finals(self) -> CandidateQuerySet:
        """Return only the further estimates of finalists."""
        return self.exclude(stage=0)


class Candidate(models.Model):
    """A proposal of a search, numbered in the order in which the algorithm asked for an evaluation.

    Its score and costs are copied here, so that rows can be sorted by them. There is a column for every metric of
    `engine.metrics`. Stage 0 rows are the networks of the search. A stage 1 row is the final estimate of the network
    whose number is ``parent_number``. It is evaluated like any other, but it is not a network of its own: its score is
    that network's ``final_score``.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed"
        LEASED = "leased"
        SCORED = "scored"
        FAILED = "failed"

    search = models.ForeignKey(Search, models.CASCADE, related_name="candidates", db_index=False)
    number = models.PositiveIntegerField(help_text="the proposal's number in its search, from 0")
    round = models.PositiveIntegerField()
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="candidates")
    from_cache = models.BooleanField(default=False)
    choices = models.JSONField()
    arch = models.TextField()
    origin = models.CharField(max_length=20)
    layer = models.PositiveIntegerField(null=True, blank=True, help_text="counted from 0")
    bucket = models.PositiveIntegerField(null=True, blank=True)
    parent_number = models.PositiveIntegerField(null=True, blank=True)
    stage = models.PositiveSmallIntegerField(default=0, help_text="0: the search's estimate, 1: the final one")

    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PROPOSED)
    error = models.TextField(blank=True)
    revived_round = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="of a retry: the round after which the algorithm is told the score instead of the failure",
    )
    feasible = models.BooleanField(default=True)
    score = models.FloatField(null=True, blank=True)
    final_score = models.FloatField(null=True, blank=True, help_text="of a finalist: the final estimate's")
    valid_accuracy = models.FloatField(null=True, blank=True, help_text="percent")
    truth = models.FloatField(null=True, blank=True, help_text="the table's truth column; never searched on")
    trained_valid_accuracy = models.FloatField(
        null=True, blank=True, help_text="percent, of the last full training on the search's data"
    )
    trained_test_accuracy = models.FloatField(null=True, blank=True, help_text="percent, of the same training")
    for _name in COST_NAMES:
        vars()[_name] = models.FloatField(null=True, blank=True)
    del _name
    seconds = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    scored_at = models.DateTimeField(null=True, blank=True)
    pinned = models.BooleanField(default=False, help_text="the user's: shown first")
    hidden = models.BooleanField(default=False, help_text="the user's: left out of plots, fronts and lists")
    note = models.TextField(blank=True, help_text="the user's, Markdown")

    objects = CandidateQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["search", "number"], name="one_candidate_a_number")]
        indexes = [
            models.Index(fields=["search", "score"], name="candidate_by_score"),
            models.Index(fields=["search", "layer", "score"], name="candidate_by_layer"),
            models.Index(fields=["search", "status"], name="candidate_by_status"),
            models.Index(fields=["search", "round"], name="candidate_by_round"),
            models.Index(fields=["search", "scored_at"], name="candidate_by_time"),
            models.Index(fields=["search"], condition=models.Q(pinned=True), name="candidate_pinned"),
        ]

    def __str__(self) -> str:
        return self.arch


class Tag(models.Model):
    """A word that the user put on a candidate."""

    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=50)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["candidate", "name"], name="one_tag_a_name")]
        indexes = [models.Index(fields=["name"], name="tag_by_name")]

    def __str__(self) -> str:
        return self.name


class Bucket(models.Model):
    """A bucket of the search's algorithm as of the last round (LayerNAS, equation 4), for display."""

    search = models.ForeignKey(Search, models.CASCADE, related_name="buckets")
    layer = models.PositiveIntegerField()
    index = models.PositiveIntegerField()
    low = models.FloatField(help_text="in the objective's cost metric")
    high = models.FloatField()
    residents = models.JSONField(default=list, help_text="[[candidate number, score], ...], best first")
    inserted = models.PositiveIntegerField(default=0)
    evicted = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["layer", "index"]
        constraints = [models.UniqueConstraint(fields=["search", "layer", "index"], name="one_bucket_a_place")]

    def __str__(self) -> str:
        return f"layer {self.layer} bucket {self.index}"
