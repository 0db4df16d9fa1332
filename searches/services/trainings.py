"""The actions of a user on full trainings: create, cancel, resume, delete."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone

from engine.config.training import TrainingConfig
from engine.errors import ArchitectureError, ConfigError
from searches.models import Bucket, Candidate, Search, Training
from searches.selectors import pareto, spaces
from searches.services import training_runs
from searches.services.errors import ActionRefused
from searches.services.resolving import SHAPE, resolve_data

MOST = 200
SELECTIONS = ("front", "buckets")
Status = Training.Status
ALLOWED = {
    "cancel": Training.ACTIVE,
    "resume": (Status.CANCELLED, Status.FAILED),
    "delete": tuple(Status),
}


def selected(search: Search, select: str) -> list[Candidate]:
    """Return the Pareto front by the search's own cost, or the best candidate of every bucket, ordered by number."""
    if select == "front":
        front = pareto.front(search, search.configuration.objective.cost_metric)
        numbers = {point["number"] for point in front}
        missing = "The search has no front yet, because no feasible candidate is scored."
    elif select == "buckets":
        residents = Bucket.objects.filter(search=search).values_list("residents", flat=True)
        numbers = {kept[0][0] for kept in residents if kept}
        missing = "The search keeps no networks in buckets; choose the front instead."
    else:
        raise ConfigError.at("select", f"Choose one of {', '.join(SELECTIONS)}.")
    if not numbers:
        raise ActionRefused(missing)
    return list(search.candidates.filter(number__in=numbers).order_by("number"))


def create(owner: Any, candidates: Sequence[Candidate], config: TrainingConfig) -> list[Training]:
    """Return a queued training for each candidate.

    A training that exists already is not begun twice; if it ended without a result, it is resumed. ConfigError names
    the faulty field.
    """
    if not candidates:
        raise ConfigError.at("candidates", "Name at least one candidate.")
    if len(candidates) > MOST:
        raise ConfigError.at("candidates", f"{len(candidates)} networks are too many at once; give at most {MOST}.")
    for candidate in candidates:
        if candidate.stage:
            told = (
                f"Candidate {candidate.number} is a further estimate of candidate {candidate.parent_number}; name "
                "that candidate instead."
            )
            raise ConfigError.at("candidates", told)
    made: dict[int, tuple[TrainingConfig, Any, dict[str, Any]]] = {}
    for candidate in candidates:
        search = candidate.search
        if search.pk not in made:
            made[search.pk] = _with_data(owner, search, config)
        _check_network(candidate, made[search.pk][2])
    with transaction.atomic():
        begun = [_begun(candidate, *made[candidate.search_id]) for candidate in candidates]
        training_runs.hand_out()
    return begun


def cancel(training: Training) -> None:
    """End the training at once; its worker notices this within seconds. The checkpoint stays."""
    _change(training, "cancel", status=Status.CANCELLED, lease_until=None, finished_at=timezone.now())


def resume(training: Training) -> None:
    """Queue the training again; it continues from the checkpoint if there is one."""
    again = {"status": Status.QUEUED, "error": "", "lost": 0, "dispatched_at": None, "finished_at": None}
    _change(training, "resume", **again)
    training_runs.hand_out()


def delete(training: Training) -> None:
    """Delete the row, the checkpoint and the weights."""
    folder = training.folder
    candidate = training.candidate
    with transaction.atomic():
        training.delete()
        training_runs.show_trained(candidate)
        transaction.on_commit(partial(shutil.rmtree, folder, ignore_errors=True), robust=True)


def remove_files(trainings: Iterable[Training]) -> None:
    """After the commit, delete the checkpoints and weights of trainings that are deleted with their search."""
    for folder in [training.folder for training in trainings]:
        transaction.on_commit(partial(shutil.rmtree, folder, ignore_errors=True), robust=True)


def allowed(training: Training) -> list[str]:
    """Return the names of the actions that are possible now."""
    return [action for action, statuses in ALLOWED.items() if training.status in statuses]


def _change(training: Training, action: str, **columns: Any) -> None:
    hit = Training.objects.filter(pk=training.pk, status__in=ALLOWED[action]).update(**columns)
    training.refresh_from_db()
    if not hit:
        verb = {"cancel": "cancelled", "resume": "resumed"}[action]
        raise ActionRefused(f"A training that is {training.status} cannot be {verb}.")


def _with_data(owner: Any, search: Search, config: TrainingConfig) -> tuple[TrainingConfig, Any, dict[str, Any]]:
    """Return the configuration with its data filled in, and the data's row and description."""
    own = search.configuration.dataset
    if config.dataset is None and own is None:
        raise ConfigError.at("dataset", "This search looked up scores in a table; name the images to train on.")
    if config.dataset is None:
        config = config.model_copy(update={"dataset": own})
        row = search.dataset
        info = search.data_info
    else:
        row, info = resolve_data(owner, config.dataset)
    return config, row, info


def _check_network(candidate: Candidate, info: Mapping[str, Any]) -> None:
    """Raise ConfigError if the network cannot be built for these images."""
    space = spaces.of_options(candidate.search.configuration.space, *(info[name] for name in SHAPE))
    try:
        space.blueprint(space.architecture(candidate.choices))
    except ArchitectureError as error:
        raise ConfigError.at("dataset", f"Candidate {candidate.number} does not fit these images: {error}.") from error


def _begun(candidate: Candidate, config: TrainingConfig, row: Any, info: dict[str, Any]) -> Training:
    document = config.as_dict()
    key = sha256(json.dumps([document, info["content_hash"]], sort_keys=True).encode()).hexdigest()
    fields = {"config": document, "dataset": row, "data_info": info, "epochs": config.parts.epochs}
    fields["augmentation"] = config.augmentation
    training, new = Training.objects.get_or_create(candidate=candidate, config_hash=key, defaults=fields)
    if not new and training.status in ALLOWED["resume"]:
        resume(training)
    return training
