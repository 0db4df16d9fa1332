"""Full training of networks in a worker: lease, train, record. Searches have priority.

At most half of the worker processes train. If there is only one worker process, it trains only while no search needs
it: when a search does, the training stops within seconds and later continues from its checkpoint, with the same result
as without the break.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from engine.blueprint import Blueprint
from engine.config.training import TrainingConfig
from engine.datasets.base import ImageData
from engine.errors import EngineError, Stopped
from searches import events
from searches.models import Candidate, Event, Search, Training
from searches.selectors import spaces
from searches.services import dispatching
from searches.services.heartbeat import heartbeat, lease_end
from searches.services.resolving import SHAPE, images_of

if TYPE_CHECKING:
    from engine.full_training.run import TrainingProgress, TrainingResult

PAUSE = 1.0
"""Seconds between two checks of the row, and between two writes of the progress."""
MOST_LOST = 3
LOST = "the worker was lost three times in a row without a training step in between (out of memory?)"
SEARCHES_FIRST = "searches have priority: this machine has one worker process, and a search is using it"
QUEUE = "waits for its turn: at most half of the worker processes train at a time"
Status = Training.Status
log = logging.getLogger(__name__)


def train(training_id: int) -> None:
    """Train the network if no other process does and there is room, then dispatch the next training."""
    from engine.full_training.run import (
        train_fully,
    )  # imports torch; done before the lease, because the import blocks the heartbeat

    training = lease(training_id)
    if training is None:
        return
    log.info("%s begins", training)
    with heartbeat().holding([training], training.candidate.search):
        try:
            blueprint, data, config = _given(training)
            outcome = train_fully(
                blueprint, data, config, training.folder, stop=stopper(training), tell=teller(training)
            )
        except Stopped:
            release(training)
        except EngineError as error:
            fail(training, str(error))
        except Exception as error:
            log.exception("%s failed", training)
            fail(training, f"{type(error).__name__}: {error}")
        else:
            finish(training, outcome)
    if not Training.objects.filter(
        pk=training.pk
    ).exists():  # it was deleted during the training, perhaps with its search
        shutil.rmtree(training.folder, ignore_errors=True)
    hand_out()


def lease(training_id: int) -> Training | None:
    """Lease the training to this process and return it.

    Returns None if another process has it, if it is no longer queued, or if there is no room.
    """
    queued = Training.objects.filter(pk=training_id, status=Status.QUEUED)
    if not room()[0]:
        queued.update(dispatched_at=None)
        return None
    hit = queued.update(
        status=Status.RUNNING,
        attempts=F("attempts") + 1,
        worker=heartbeat().name,
        lease_until=lease_end(),
        device="",
    )
    if not hit:
        return None
    Training.objects.filter(pk=training_id, started_at=None).update(started_at=timezone.now())
    return Training.objects.select_related("candidate__search__owner", "dataset").get(pk=training_id)


def room() -> tuple[int, str]:
    """Return how many trainings may begin now, and the reason if none may.

    Two processes that ask at the same time may both begin.
    """
    workers = max(1, dispatching.alive_workers())
    if workers == 1 and Search.objects.filter(status__in=Search.ACTIVE).exists():
        return 0, SEARCHES_FIRST
    free = max(1, workers // 2) - Training.objects.filter(status=Status.RUNNING).count()
    return (free, "") if free > 0 else (0, QUEUE)


def stopper(training: Training) -> Callable[[], bool]:
    """Return a ``stop`` that is true once this process has lost the training, or a search needs the process."""
    looked = monotonic()
    stopped = False
    mine = Training.objects.filter(pk=training.pk, attempts=training.attempts, status=Status.RUNNING)

    def stop() -> bool:
        nonlocal looked, stopped
        if not stopped and monotonic() - looked >= PAUSE:
            looked = monotonic()
            stopped = not mine.exists() or _needed_elsewhere()
        return stopped

    return stop


def teller(training: Training) -> Callable[[TrainingProgress], None]:
    """Return a ``tell`` that writes the progress after every epoch, and otherwise at most once in `PAUSE` seconds."""
    told = 0.0
    epoch = -1
    mine = Training.objects.filter(pk=training.pk, attempts=training.attempts, status=Status.RUNNING)

    def tell(progress: TrainingProgress) -> None:
        nonlocal told, epoch
        if progress.epoch == epoch and monotonic() - told < PAUSE:
            return
        mine.update(**_columns(progress), lost=0)
        told = monotonic()
        epoch = progress.epoch

    return tell


def release(training: Training) -> None:
    """End the lease and queue the training again."""
    mine = Training.objects.filter(pk=training.pk, attempts=training.attempts, status=Status.RUNNING)
    mine.update(status=Status.QUEUED, worker="", lease_until=None, dispatched_at=None)


def fail(training: Training, error: str) -> None:
    """End the training with the reason, if the lease is still valid."""
    mine = Training.objects.filter(pk=training.pk, attempts=training.attempts, status=Status.RUNNING)
    with transaction.atomic():
        search = Search.objects.select_for_update().filter(pk=training.candidate.search_id).first()
        if search and mine.update(status=Status.FAILED, error=error, lease_until=None, finished_at=timezone.now()):
            number = training.candidate.number
            events.record(search, [events.error(f"the full training of candidate {number} failed: {error}")])


def finish(training: Training, outcome: TrainingResult) -> None:
    """Write the accuracies to the training and its candidate, and record an event for the search's pages."""
    mine = Training.objects.filter(pk=training.pk, attempts=training.attempts, status=Status.RUNNING)
    candidate = training.candidate
    with transaction.atomic():
        search = Search.objects.select_for_update().filter(pk=candidate.search_id).first()
        hit = mine.update(
            **_columns(outcome.progress),
            status=Status.FINISHED,
            error="",
            valid_accuracy=outcome.valid_accuracy,
            test_accuracy=outcome.test_accuracy,
            device=outcome.device,
            lease_until=None,
            finished_at=timezone.now(),
        )
        if search and hit:
            show_trained(candidate)
            test = "" if outcome.test_accuracy is None else f", test accuracy {outcome.test_accuracy:.2f} %"
            told = (
                f"candidate {candidate.number} was trained in full: validation accuracy {outcome.valid_accuracy:.2f} %"
            )
            log_entry = events.Entry(Event.Kind.LOG, told + test, {"training": training.pk})
            events.record(search, [log_entry, events.candidates([candidate.number])])


def show_trained(candidate: Candidate) -> None:
    """Copy the accuracies of the last finished training on the search's own data to the candidate."""
    own = candidate.search.data_info.get("content_hash")
    done = Training.objects.filter(candidate=candidate, status=Status.FINISHED).order_by("-finished_at")
    last = next((row for row in done if own is None or row.data_info["content_hash"] == own), None)
    candidate.trained_valid_accuracy = last.valid_accuracy if last else None
    candidate.trained_test_accuracy = last.test_accuracy if last else None
    candidate.save(update_fields=["trained_valid_accuracy", "trained_test_accuracy"])


def sweep() -> None:
    """Queue the trainings of lost workers again, and dispatch what waits; a third loss in a row is a failure."""
    expired = Training.objects.filter(status=Status.RUNNING, lease_until__lt=timezone.now())
    for training in expired.select_related("candidate__search"):
        if training.lost + 1 >= MOST_LOST:
            fail(training, LOST)
            continue
        lost = Training.objects.filter(pk=training.pk, attempts=training.attempts, status=Status.RUNNING)
        if lost.filter(lease_until__lt=timezone.now()).update(
            status=Status.QUEUED, lost=F("lost") + 1, worker="", lease_until=None, dispatched_at=None
        ):
            number = training.candidate.number
            message = f"the full training of candidate {number} lost its worker; it continues from its checkpoint"
            events.record(training.candidate.search, [events.Entry(Event.Kind.LOG, message)])
            log.warning("%s lost its worker %s; it continues from its checkpoint", training, training.worker)
    hand_out()


def hand_out() -> None:
    """Dispatch the oldest waiting trainings, as many as there is room for besides those already dispatched."""
    free, _ = room()
    old = timezone.now() - timedelta(seconds=settings.NASWEB_LEASE_SECONDS)
    queued = Training.objects.filter(status=Status.QUEUED)
    free -= queued.filter(dispatched_at__gte=old).count()
    if free <= 0:
        return
    waiting = queued.filter(Q(dispatched_at=None) | Q(dispatched_at__lt=old))
    for training in waiting.order_by("pk")[:free]:
        dispatching.train(training)


def _needed_elsewhere() -> bool:
    return dispatching.alive_workers() <= 1 and Search.objects.filter(status__in=Search.ACTIVE).exists()


def _given(training: Training) -> tuple[Blueprint, ImageData, TrainingConfig]:
    """Return the training's network, images and configuration; raises DataError if the images have changed."""
    info = training.data_info
    candidate = training.candidate
    config = training.configuration
    assert config.dataset is not None
    data = images_of(config.dataset, training.dataset, info["content_hash"])
    space = spaces.of_options(candidate.search.configuration.space, *(info[name] for name in SHAPE))
    return space.blueprint(space.architecture(candidate.choices)), data, config


def _columns(progress: TrainingProgress) -> dict[str, object]:
    names = ("epoch", "step", "steps", "train_losses", "valid_accuracies", "best_epoch", "seconds")
    return {name: getattr(progress, name) for name in names}
