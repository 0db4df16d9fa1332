"""Celery tasks, each of which calls one service."""

from __future__ import annotations

from celery import shared_task

from searches.services import advancing, measuring, scoring, training_runs


@shared_task(name="searches.tasks.advance_search")
def advance_search(search_id: int) -> None:
    """Advance a search as far as possible without waiting."""
    advancing.advance(search_id)


@shared_task(name="searches.tasks.score_candidates")
def score_candidates(evaluation_ids: list[int], search_id: int) -> None:
    """Score evaluations for which a search waits."""
    scoring.score(evaluation_ids, search_id)


@shared_task(name="searches.tasks.train_network")
def train_network(training_id: int) -> None:
    """Train a network in full while no search needs this process."""
    training_runs.train(training_id)


@shared_task(name="searches.tasks.measure_latency")
def measure_latency(kind: str, row_id: int) -> None:
    """Measure a latency table (``table``) or a candidate's network (``network``), or read a ``benchmark`` file."""
    measuring.measure(kind, row_id)
