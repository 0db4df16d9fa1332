"""A candidate as files and as a picture, made only from its rows; images and tables may have been deleted."""

from __future__ import annotations

import math
from typing import Any

from django.utils.text import slugify

from engine.blueprint import InputSpec
from engine.drawing import Theme, draw, to_svg
from engine.errors import ExportError
from engine.metrics import COST_NAMES, LATENCY, SCORE_NAMES, TABLE_COST
from engine.registry import create_space
from engine.space import Architecture, SearchSpace
from searches.models import Candidate, Evaluation, Search, Training
from searches.selectors import calibrations, pareto
from searches.services.errors import ActionRefused
from searches.services.resolving import SHAPE

MEASURES = (*SCORE_NAMES, LATENCY, TABLE_COST, "feasible", "seconds")
FORMATS = ("json", "py", "pt", "onnx", "pt2", "zip")
FORMS = ("classifier", "backbone")
COLUMNS = ("number", "arch", *SCORE_NAMES, *COST_NAMES)
INITIAL = "initial"
"""The value for the weights before any training, in place of a training's number."""


def export(candidate: Candidate, format: str, form: str = "classifier") -> tuple[str, str, bytes]:
    """Return file name, content type and bytes for one of `FORMATS`, made in this process.

    Raises ActionRefused with the reason if there is no file. The exporters (torch) are imported on the first call.
    """
    from engine.export.job import run

    try:
        file = run(network_job(candidate, format, form))
    except ExportError as error:
        raise ActionRefused(f"Candidate {candidate.number} cannot be exported: {error}.") from error
    return file.name, file.content_type, file.data


def network_job(
    candidate: Candidate, format: str, form: str = "classifier", training: str | None = None
) -> dict[str, Any]:
    """Return the job (`engine.export.job`) for one network.

    ``training`` is a training's number, `INITIAL`, or None for the last training.
    """
    return {"kind": "network", "format": format, "network": _document(candidate, form, trained_by(candidate, training))}


def front_job(search: Search, metric: str, form: str = "classifier") -> dict[str, Any]:
    """Return the job for the whole front, each network with the weights of its last training.

    Raises ActionRefused if the front is empty.
    """
    points = pareto.front(search, metric)
    if not points:
        raise ActionRefused("The search has no front yet, because no feasible candidate is scored.")
    rows = search.candidates.select_related("search", "evaluation").in_bulk([point["id"] for point in points])
    candidates = [rows[point["id"]] for point in points]
    documents = [
        {**_document(c, form, trained_by(c)), "row": [_cell(getattr(c, name)) for name in COLUMNS]} for c in candidates
    ]
    about = f"The Pareto front of the search “{search.name}” by score and {metric}: {len(points)} networks."
    return {
        "kind": "front",
        "format": "zip",
        "name": f"nasweb-{_slug(search)}-front" + ("-backbone" if form == "backbone" else ""),
        "about": about,
        "columns": COLUMNS,
        "networks": documents,
    }


def trained_by(candidate: Candidate, wanted: str | None = None) -> Training | None:
    """Return the finished training whose weights are exported, or None for initial weights.

    It is the training with the wanted number, or the last one on the search's data. Raises ActionRefused if this
    candidate has no finished training with that number.
    """
    if wanted == INITIAL:
        return None
    done = Training.objects.filter(candidate=candidate, status=Training.Status.FINISHED).order_by("-finished_at")
    if wanted is not None:
        found = done.filter(pk=int(wanted)).first() if wanted.isdecimal() else None
        if found is None:
            raise ActionRefused(f"Candidate {candidate.number} has no finished training {wanted}.")
        return found
    own = candidate.search.data_info.get("content_hash")
    return next((row for row in done if own is None or row.data_info["content_hash"] == own), None)


def drawing(candidate: Candidate, against: Candidate | None = None, theme: Theme = "system") -> str:
    """Return the architecture as an SVG document, with marks where it differs from ``against``.

    Raises ActionRefused if the networks are from different spaces.
    """
    space, architecture = architecture_of(candidate)
    other = None
    if against is not None:
        check_comparable(candidate, against, space)
        other = space.architecture(against.choices)
    return to_svg(draw(space, architecture, other), theme)


def check_comparable(candidate: Candidate, other: Candidate, space: SearchSpace) -> None:
    """Raise ActionRefused unless both networks are from one space."""
    if architecture_of(other)[0].content_hash != space.content_hash:
        raise ActionRefused(
            f"Candidate {other.number} of “{other.search.name}” is from another search space than candidate "
            f"{candidate.number}; choose two networks from the same space."
        )


def architecture_of(candidate: Candidate) -> tuple[SearchSpace, Architecture]:
    """Return a candidate's space, for the images of its search, and its network."""
    search = candidate.search
    info = search.data_info
    spec = InputSpec(*(info[name] for name in SHAPE)) if info else InputSpec()
    space = create_space(search.configuration.space, spec)
    return space, space.architecture(candidate.choices)


def _document(candidate: Candidate, form: str, training: Training | None) -> dict[str, Any]:
    search = candidate.search
    evaluation = candidate.evaluation
    info = training.data_info if training else search.data_info
    default = InputSpec()
    return {
        "name": f"nasweb-{_slug(search)}-{candidate.number}",
        "space": search.configuration.as_dict()["space"],
        "spec": [info.get(name, getattr(default, name)) for name in SHAPE],
        "choices": list(candidate.choices),
        "class_names": info.get("class_names", []),
        "preprocessing": info.get("preprocessing", {}),
        "scores": {
            **{n: _cell(getattr(candidate, n)) for n in MEASURES},
            "terms": _finite(calibrations.terms(candidate)),
        },
        "provenance": _provenance(candidate, evaluation, search, training),
        "weight_seed": search.configuration.seed,
        "trained": _weights(training) if training else None,
        "form": form,
    }


def _weights(training: Training) -> dict[str, Any]:
    return {
        "path": str(training.folder / "weights.pt"),
        "described": training.configuration.described,
        "data": training.data_info["label"],
        "best_epoch": training.best_epoch,
        "valid_accuracy": training.valid_accuracy,
        "test_accuracy": training.test_accuracy,
    }


def _provenance(
    candidate: Candidate, evaluation: Evaluation, search: Search, training: Training | None
) -> dict[str, Any]:
    info = search.data_info
    return {
        "search": {"id": search.pk, "name": search.name, "created_at": search.created_at.isoformat()},
        "candidate": {
            "id": candidate.pk,
            "number": candidate.number,
            "round": candidate.round,
            "origin": candidate.origin,
            "layer": candidate.layer,
            "bucket": candidate.bucket,
            "parent": candidate.parent_number,
            "stage": candidate.stage,
            "status": candidate.status,
            "error": candidate.error,
            "from_cache": candidate.from_cache,
            "scored_at": candidate.scored_at and candidate.scored_at.isoformat(),
        },
        "estimate": {
            "kind": evaluation.estimator,
            "identity": evaluation.identity,
            "fidelity": evaluation.fidelity,
            "seed": evaluation.seed,
            "device": evaluation.device,
        },
        "training": training
        and {
            "id": training.pk,
            "config": training.configuration.as_dict(),
            "finished_at": training.finished_at and training.finished_at.isoformat(),
        },
        "data": {name: info[name] for name in ("label", "counts", "content_hash") if name in info},
        "seed": search.configuration.seed,
        "config": search.configuration.as_dict(),
    }


def _slug(search: Search) -> str:
    return slugify(search.name)[:40].strip("-") or f"search-{search.pk}"


def _cell(value: Any) -> Any:
    """Return a value for JSON, which has no NaN and no infinity: None replaces these."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finite(terms: dict[str, float | None]) -> dict[str, float | None]:
    """Return recorded terms, with None in place of NaN and infinity."""
    return {name: _cell(value) for name, value in terms.items()}
