"""MOTE with its reductions and without: where a comparison makes no sense, and what a study will roughly cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.config.estimators import EstimatorOptions, MoteOptions, ShortTrainingOptions
from engine.config.study import COMPARISONS, StudyConfig
from engine.errors import ConfigError
from engine.reduction.architecture import full_over_reduced, is_full
from engine.reduction.choice import REDUCED_IMAGES
from searches.services import dispatching, timing
from searches.services.resolving import Resolved, resolve

MOTE_SECONDS = 1.0
"""A guess for the fast profile's reduced network where none was measured: good enough to tell minutes from days."""
MOTE_IMAGES = 3_200
"""How many images that profile trains on: a hundred steps of 32."""


@dataclass(frozen=True)
class Forecast:
    """Seconds of one network under one estimate (None: unknown), and where the number comes from."""

    arm: str
    seconds: float | None
    basis: str


def check(owner: Any, config: StudyConfig, *, local_files: bool | None = None) -> None:
    """ConfigError (``compare``) for a comparison of things that are the same here, or not to be had."""
    for name in config.compare:
        options = COMPARISONS[name][0].estimator
        assert isinstance(options, MoteOptions)
        resolved = _resolved(owner, config, name, local_files)
        labels = resolved.data_info["classes"]
        if name == "reduced_data" and labels <= options.reduced_labels:
            raise ConfigError.at(
                "compare",
                f"The data have {labels} labels: too few to leave any out, so there is no RD to compare. "
                f"Take data with more than {options.reduced_labels} labels, or leave this comparison out.",
            )
        if name == "reduced_network" and is_full(resolved.space, options.profile):
            raise ConfigError.at(
                "compare",
                "The reduced network of this space is the full one on these images: there is nothing to compare. "
                "Take larger images or another space, or leave this comparison out.",
            )


def forecast(owner: Any, config: StudyConfig, *, local_files: bool | None = None) -> dict[str, Any]:
    """Roughly what a study will take: seconds a network and arm, all of it, and remarks; nothing is created."""
    check(owner, config, local_files=local_files)
    arms = [_forecast(name, resolve(owner, search, local_files=local_files)) for _, name, search in config.searches()]
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
    found, options = timing.measured(resolved, stage), stage.options
    times = _times(resolved, options)
    if found.median_seconds is not None and (found.same_space or times == 1):
        where = "" if found.same_space else " on another space"
        return Forecast(name, found.median_seconds, f"median of {found.runs} measured here{where}")
    if times is None:
        return Forecast(name, None, "not measured yet")
    base = timing.measured(resolved, replace(stage, options=MoteOptions()))
    if isinstance(options, MoteOptions):
        reduced = replace(stage, options=options.model_copy(update={"network": "reduced"}))
        base = max(timing.measured(resolved, reduced), base, key=lambda one: one.runs)
    seconds = MOTE_SECONDS if base.median_seconds is None else base.median_seconds
    told = f"{seconds:.3g} s, " + ("a guess, for none was measured yet" if base.median_seconds is None else "measured")
    if times == 1:
        return Forecast(name, seconds, f"forecast: {told}")
    basis = f"forecast: {times:.3g} times the multiply-adds of MOTE's short run on the reduced network ({told})"
    return Forecast(name, seconds * times, basis)


def _times(resolved: Resolved, options: EstimatorOptions) -> float | None:
    """How many times the multiply-adds of MOTE's fast run an estimate takes; None where they say nothing about it."""
    if isinstance(options, MoteOptions):
        return full_over_reduced(resolved.space, options.profile) if options.network == "full" else 1.0
    if isinstance(options, ShortTrainingOptions):
        images = options.epochs * resolved.data_info["counts"]["train"]
        return full_over_reduced(resolved.space, "fast") * images / MOTE_IMAGES
    return None


def _notes(owner: Any, config: StudyConfig, local_files: bool | None) -> Sequence[str]:
    if "reduced_data" not in config.compare:
        return []
    images = _resolved(owner, config, "reduced_data", local_files).data_info["counts"]["train"]
    notes = ["Full data cost what reduced data do: the number of steps is the same."]
    if images <= REDUCED_IMAGES:
        notes.append(
            f"RD-RS takes up to {REDUCED_IMAGES:,} images; here that is all {images:,}, the same as the full data."
        )
    return notes


def _resolved(owner: Any, config: StudyConfig, name: str, local_files: bool | None) -> Resolved:
    arm = COMPARISONS[name][-1].name
    return next(
        resolve(owner, search, local_files=local_files) for _, label, search in config.searches() if label == arm
    )
