"""A search: its configuration, its state, and the numbers that every page shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models

from engine.config.search import SearchConfig
from searches.models.documents import Stored, readable, stated
from searches.models.source import Dataset, SearchSpace, Table


@dataclass(frozen=True)
class Outline:
    """The settings of a search that lists show."""

    algorithm: str
    estimator: str
    cost_metric: str
    seed: int
    round_size: int


class Search(models.Model):
    """One run of one algorithm; its outcomes are its candidates."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        QUEUED = "queued"
        RUNNING = "running"
        PAUSING = "pausing"
        PAUSED = "paused"
        STOPPING = "stopping"
        FINISHED = "finished"
        FAILED = "failed"
        CANCELLED = "cancelled"

    ACTIVE = (Status.QUEUED, Status.RUNNING, Status.PAUSING, Status.STOPPING)
    ENDED = (Status.FINISHED, Status.FAILED, Status.CANCELLED)

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="searches")
    name = models.CharField(max_length=200)
    note = models.TextField(blank=True, help_text="the user's, Markdown")
    config = models.JSONField(help_text="engine.config.search.SearchConfig as JSON")
    configuration = Stored(SearchConfig)
    space = models.ForeignKey(SearchSpace, models.PROTECT, related_name="searches")
    dataset = models.ForeignKey(Dataset, models.PROTECT, null=True, blank=True, related_name="searches")
    table = models.ForeignKey(Table, models.PROTECT, null=True, blank=True, related_name="searches")
    final_table = models.ForeignKey(
        Table, models.PROTECT, null=True, blank=True, related_name="final_searches", help_text="of the final estimate"
    )
    latency_table = models.ForeignKey(
        "searches.LatencyTable", models.PROTECT, null=True, blank=True, related_name="searches"
    )
    data_info = models.JSONField(
        default=dict,
        help_text="label, channels, height, width, classes, class_names, preprocessing, counts, content_hash",
    )
    study = models.ForeignKey("searches.Study", models.CASCADE, null=True, blank=True, related_name="searches")
    arm = models.CharField(max_length=100, blank=True, help_text="name of its estimate in the study")
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - null: no key was sent

    status = models.CharField(max_length=12, choices=Status.choices, default=Status.DRAFT, db_index=True)
    status_reason = models.TextField(blank=True, help_text="why it finished or failed, in words")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    budget_evaluations = models.PositiveIntegerField(null=True, blank=True)
    budget_seconds = models.FloatField(null=True, blank=True)
    bound = models.CharField(
        max_length=400, blank=True, help_text="the algorithm's bound on trials, exact; empty: none"
    )
    rounds = models.PositiveIntegerField(default=0, help_text="rounds told to the algorithm so far")
    asked = models.PositiveIntegerField(default=0)
    scored = models.PositiveIntegerField(default=0, help_text="networks scored by the search's estimate")
    finals = models.PositiveIntegerField(default=0, help_text="finalists scored by the final estimate")
    failed = models.PositiveIntegerField(default=0)
    from_cache = models.PositiveIntegerField(default=0)
    feasible = models.PositiveIntegerField(default=0, help_text="scored and feasible")
    charged_seconds = models.FloatField(default=0.0, help_text="sum of the trials' seconds, cache hits included")
    best = models.ForeignKey("searches.Candidate", models.SET_NULL, null=True, blank=True, related_name="+")

    advance_until = models.DateTimeField(null=True, blank=True, help_text="a task is advancing the search until then")
    advance_token = models.CharField(max_length=32, blank=True, help_text="which task that is")
    epoch = models.PositiveIntegerField(
        default=0, help_text="counts changes of results that the algorithm was told; its older copies are void"
    )
    event_seq = models.PositiveBigIntegerField(default=0, help_text="number of the last event")

    state: Any
    """This is not a column: serializers keep the row's progress here (`selectors.searches.progress`)."""

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["owner", "idempotency_key"], name="one_search_a_key")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Return whether workers may still work for the search."""
        return self.status in self.ACTIVE

    @property
    def outline(self) -> Outline:
        """The settings that lists show.

        If the document cannot be read, they are what it says. Texts that it does not say are empty, and numbers that it
        does not say have their defaults.
        """
        if readable(self):
            config = self.configuration
            return Outline(
                algorithm=config.algorithm.kind,
                estimator=config.estimator.kind,
                cost_metric=config.objective.cost_metric,
                seed=config.seed,
                round_size=config.round_size,
            )
        fields = SearchConfig.model_fields
        return Outline(
            algorithm=stated(self, "algorithm.kind", ""),
            estimator=stated(self, "estimator.kind", ""),
            cost_metric=stated(self, "objective.cost_metric", ""),
            seed=stated(self, "seed", int(fields["seed"].default)),
            round_size=stated(self, "round_size", int(fields["round_size"].default)),
        )


class Snapshot(models.Model):
    """The algorithm's state after ``rounds`` rounds, so that a rebuild replays only the rows of later rounds."""

    search = models.OneToOneField(Search, models.CASCADE, primary_key=True, related_name="snapshot")
    rounds = models.PositiveIntegerField()
    asked = models.PositiveIntegerField()
    state = models.JSONField()

    def __str__(self) -> str:
        return f"state of search {self.search_id} after {self.rounds} rounds"
