"""Celery tasks: thin doors to the services."""

from __future__ import annotations

from celery import shared_task

from searches.services import advancing, measuring, scoring, training_runs


@shared_task(name="searches.tasks.advance_search")
def advance_search(search_id: int) -> None:
    """Takes a search as far as it goes without waiting."""
    advancing.advance(search_id)


@shared_task(name="searches.tasks.score_candidates")
def score_candidates(evaluation_ids: list[int], search_id: int) -> None:
    """Scores evaluations that a search waits for."""
    scoring.score(evaluation_ids, search_id)


@shared_task(name="searches.tasks.train_network")
def train_network(training_id: int) -> None:
    """Trains a network in full, as long as searches leave this process free."""
    training_runs.train(training_id)


@shared_task(name="searches.tasks.measure_latency")
def measure_latency(kind: str, row_id: int) -> None:
    """Measures a latency table (``table``) or a candidate's network (``network``)."""
    measuring.measure(kind, row_id)
