"""The checks of a study, above all of its ablations of MOTE, and a forecast of roughly how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from random import Random
from typing import Any

from engine import effort
from engine.config.estimators import EstimatorOptions, MoteOptions
from engine.config.study import ABLATIONS, SKIPS, StudyConfig, is_skip
from engine.correlation import LEAST
from engine.errors import ConfigError
from engine.reduction.architecture import is_full
from engine.reduction.choice import REDUCED_IMAGES
from searches.services import dispatching, timing
from searches.services.resolving import Resolved, resolve

SAMPLED = 100
"""Number of random networks that are searched for skip connections."""


@dataclass(frozen=True)
class Forecast:
    """Seconds of one network under one estimate (None: unknown), and where the number comes from, in words."""

    arm: str
    seconds: float | None
    basis: str


def check(owner: Any, config: StudyConfig, *, local_files: bool | None = None) -> None:
    """Raise ConfigError (``compare``) if an ablation would compare equal things, or cannot be made here."""
    options = MoteOptions()  # all arms of ablations have these labels and this profile
    for name in config.compare:
        resolved = _resolved(owner, config, name, local_files)
        labels = resolved.data_info["classes"]
        if name == "reduced_data" and labels <= options.reduced_labels:
            raise ConfigError.at(
                "compare",
                f"The data have {labels} labels: too few to leave any out, so there is no RD to compare. "
                f"Take data with more than {options.reduced_labels} labels, or leave this ablation out.",
            )
        if name == "reduced_network" and is_full(resolved.space, options.profile):
            raise ConfigError.at(
                "compare",
                "The reduced network of this space is the full one on these images: there is nothing to compare. "
                "Take larger images or another space, or leave this ablation out.",
            )
        if name == "skip_connections":
            _check_skips(config, resolved)


def check_size(config: StudyConfig, size: int) -> None:
    """Raise ConfigError (``networks``) if the space has fewer networks than the study would draw."""
    if size < LEAST:
        raise ConfigError.at("networks", f"The space has only {size} networks, too few to rank: choose a larger one.")
    if size < config.networks:
        raise ConfigError.at("networks", f"The space has only {size:,} networks: give {size:,} or fewer.")


def _check_skips(config: StudyConfig, resolved: Resolved) -> None:
    space = resolved.space
    rng = Random(config.seed)
    drawn = (space.labels(space.sample(rng)) for _ in range(SAMPLED))
    if not any(map(is_skip, set(chain.from_iterable(drawn)))):
        raise ConfigError.at(
            "compare",
            f"No option of this space is named after a skip connection ({', '.join(SKIPS)}): there is nothing to "
            "compare. Take another space, or leave this ablation out.",
        )
    if config.truth is None:
        raise ConfigError.at(
            "compare",
            "Networks with and without skip connections are ranked against a truth: name one, or leave it out.",
        )


def forecast(owner: Any, config: StudyConfig, *, local_files: bool | None = None) -> dict[str, Any]:
    """Return roughly how long a study takes: seconds of one network under each arm, the total, and remarks.

    Nothing is created. Raises ConfigError as `check` and `check_size` do.
    """
    check(owner, config, local_files=local_files)
    found = [(name, resolve(owner, search, local_files=local_files)) for _, name, search in config.searches()]
    check_size(config, found[0][1].space.size)
    arms = [_forecast(name, resolved) for name, resolved in found]
    known = [arm.seconds for arm in arms if arm.seconds is not None]
    workers = max(dispatching.alive_workers(), 1)
    return {
        "arms": [asdict(arm) for arm in arms],
        "networks": config.networks,
        "workers": workers,
        "total_seconds": sum(known) * config.networks / workers if len(known) == len(arms) else None,
        "notes": _notes(owner, config, local_files),
    }


def _forecast(name: str, resolved: Resolved) -> Forecast:
    stage = resolved.stages[0]
    if stage.inline:
        return Forecast(name, 0.0, "looked up")
    found = timing.measured(resolved, stage)
    options = stage.options
    if found.median_seconds is not None and (found.same_space or options.seconds_carry_over):
        where = "" if found.same_space else " on another space"
        return Forecast(name, found.median_seconds, f"median of {found.runs} measured here{where}")
    seconds = _effort(resolved, options)
    if seconds is None:
        return Forecast(name, None, "not measured yet")
    for base in (*options.like_mote(), MoteOptions()):
        known = timing.measured(resolved, replace(stage, options=base))
        if known.median_seconds is not None:
            times = seconds / (_effort(resolved, base) or seconds)
            basis = f"{times:.3g} times MOTE's {base.profile} run on the reduced network, measured"
            return Forecast(name, known.median_seconds * times, f"forecast: {basis} ({known.median_seconds:.3g} s)")
    return Forecast(name, seconds, "forecast: a guess from the networks' shapes, for nothing like it was measured yet")


def _effort(resolved: Resolved, options: EstimatorOptions) -> float | None:
    counts = resolved.data_info["counts"]
    return effort.seconds(options, resolved.space, counts["train"], counts["valid"])


def _notes(owner: Any, config: StudyConfig, local_files: bool | None) -> Sequence[str]:
    if "reduced_data" not in config.compare:
        return []
    images = _resolved(owner, config, "reduced_data", local_files).data_info["counts"]["train"]
    notes = ["Full data take as long as reduced data: the number of steps is the same."]
    if images <= REDUCED_IMAGES:
        notes.append(
            f"RD-RS takes up to {REDUCED_IMAGES:,} images; here that is all {images:,}, the same as the full data."
        )
    return notes


def _resolved(owner: Any, config: StudyConfig, name: str, local_files: bool | None) -> Resolved:
    arm = ABLATIONS[name][-1].name
    return next(
        resolve(owner, search, local_files=local_files) for _, label, search in config.searches() if label == arm
    )
