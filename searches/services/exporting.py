"""A candidate as files and as a picture, from its rows alone: neither the images nor a table need be there any more."""

from __future__ import annotations

import math
from typing import Any

from django.utils.text import slugify

from engine.blueprint import InputSpec
from engine.config.search import SearchConfig
from engine.drawing import draw, to_svg
from engine.errors import ExportError
from engine.export.record import ExportSubject
from engine.registry import create_space
from engine.space import Architecture, SearchSpace
from searches.models import Candidate, Evaluation, Search
from searches.services.errors import ActionRefused
from searches.services.resolving import SHAPE

MEASURES = ("score", "final_score", "valid_accuracy", "truth", "latency_ms", "table_cost", "feasible", "seconds")


def export(candidate: Candidate, format: str) -> tuple[str, str, bytes]:
    """File name, content type and bytes for ``json``, ``py``, ``onnx``, ``pt2`` or ``zip``; ActionRefused says why not.

    The exporters (torch) are imported here, on the first download.
    """
    from engine.export.bundle import export as write

    try:
        file = write(format, _subject(candidate))
    except ExportError as error:
        raise ActionRefused(f"Candidate {candidate.number} cannot be exported: {error}.") from error
    return file.name, file.content_type, file.data


def drawing(candidate: Candidate) -> str:
    """The architecture as an SVG document."""
    return to_svg(draw(*architecture_of(candidate)))


def architecture_of(candidate: Candidate) -> tuple[SearchSpace, Architecture]:
    """The network of a candidate and its space, for the images of its search."""
    search = candidate.search
    info = search.data_info
    spec = InputSpec(*(info[name] for name in SHAPE)) if info else InputSpec()
    space = create_space(SearchConfig.parse(search.config).space, spec)
    return space, space.architecture(candidate.choices)


def _subject(candidate: Candidate) -> ExportSubject:
    search, evaluation = candidate.search, candidate.evaluation
    space, architecture = architecture_of(candidate)
    name = slugify(search.name)[:40].strip("-") or f"search-{search.pk}"
    return ExportSubject(
        name=f"nasweb-{name}-{candidate.number}",
        space=space,
        space_options=search.config["space"],
        architecture=architecture,
        class_names=search.data_info.get("class_names", []),
        preprocessing=search.data_info.get("preprocessing", {}),
        scores={**{measure: getattr(candidate, measure) for measure in MEASURES}, "terms": _finite(evaluation.terms)},
        provenance=_provenance(candidate, evaluation, search),
        weight_seed=search.config["seed"],
    )


def _provenance(candidate: Candidate, evaluation: Evaluation, search: Search) -> dict[str, Any]:
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
        "data": {name: info[name] for name in ("label", "counts", "content_hash") if name in info},
        "seed": search.config["seed"],
        "config": search.config,
    }


def _finite(terms: dict[str, float | None]) -> dict[str, float | None]:
    """JSON knows no NaN and no infinity; recorded terms have None in their place."""
    return {name: value if value is not None and math.isfinite(value) else None for name, value in terms.items()}
