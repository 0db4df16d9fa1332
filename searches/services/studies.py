"""Making and ending studies. An arm is a search, so workers, caches, failures and resuming are those of searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from engine.config.study import StudyConfig
from engine.errors import ConfigError, FieldError
from searches.models import Search, Study
from searches.services import ablations, control, creation

SKIPPED = ("space", "dataset")
"""Fields that all arms share: an error in one of these fields is shown at the study's own field."""


def create(owner: Any, config: StudyConfig, *, local_files: bool | None = None) -> Study:
    """Return a study whose arms are queued; ConfigError names the field of the study that cannot be met."""
    ablations.check(owner, config, local_files=local_files)
    with transaction.atomic():
        study = Study.objects.create(owner=owner, name=config.name or _name(config), config=config.as_dict())
        for path, arm, search in config.searches():
            try:
                made = creation.create(owner, search, local_files=local_files)
            except ConfigError as error:
                raise _moved(error, path) from error
            ablations.check_size(config, int(made.space.size))
            Search.objects.filter(pk=made.pk).update(study=study, arm=arm)
    return study


def cancel(study: Study) -> None:
    """Cancel the arms that have not ended."""
    for search in study.searches.all():
        if "cancel" in control.allowed(search):
            control.cancel(search)


def delete(study: Study) -> None:
    """Remove the study with its searches; other searches keep the scores."""
    with transaction.atomic():
        searches = list(study.searches.select_for_update().order_by("pk"))  # before any evaluation is locked
        for search in searches:
            control.delete(search)
        study.delete()


def around(search: Search, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study's document with the space and the data of a search, except where ``wanted`` names others."""
    document = search.configuration.as_dict()
    shared = {"space": document["space"], "dataset": document["dataset"]}
    return {**{name: value for name, value in shared.items() if value is not None}, **wanted}


def _name(config: StudyConfig) -> str:
    names = [arm.name for arm in config.estimates]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return (f"{shown} against a truth" if config.truth is not None else shown)[:200]


def _moved(error: ConfigError, path: str) -> ConfigError:
    moved = []
    for item in error.errors:
        head, _, rest = item.path.partition(".")
        if head in SKIPPED:
            moved.append(item)
        else:
            moved.append(FieldError(".".join(part for part in (path, rest) if part), item.message))
    return ConfigError(moved)
