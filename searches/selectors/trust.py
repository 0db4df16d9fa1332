"""How far the scores of a search can be trusted: their rank correlation with any known truth of its networks.

There are three sources, each named in the answer: the truth column of its table, full trainings of its candidates, and
studies of random networks under the same estimate, space and data. A search's own candidates are not a random sample:
the search looked for high scores, so a correlation among them tends to be lower than one over the whole space.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from typing import Any

import numpy as np

from engine.config.study import TRUTH
from engine.correlation import kendall_interval, spearman
from searches.models import Search, Study
from searches.selectors import columns, noise, studies, trainings
from searches.selectors.columns import ABSENT

LEAST = 5
MOST = 5_000
"""Only this many networks, the first ones, are compared, which keeps the answer quick."""
RESAMPLES = studies.RESAMPLES
STRONG, MODERATE, SLIGHT = 0.6, 0.4, 0.1
"""Values of tau: from the first two on, scores agree with a truth to that degree; below the last they say little."""


def card(search: Search) -> dict[str, Any]:
    """Return ``sources``, the most informative first, a ``sentence`` on them, and ``noise``.

    Without sources the sentence says how to learn more. ``noise``: how much scores vary from seed to seed, by which
    near ties on the front are marked; None where it is not known.
    """
    sources = [*_of_studies(search), *_of_candidates(search)]
    known = noise.of(search, "score")
    shown = None if known is None else {"deviation": known.deviation, "limit": known.limit, "words": noise.words(known)}
    return {"sources": sources, "sentence": _sentence(sources), "noise": shown}


def _of_candidates(search: Search) -> list[dict[str, Any]]:
    found = columns.of(search)
    usable = np.flatnonzero((found["state"] != ABSENT) & np.isfinite(found["score"]) & np.isfinite(found["truth"]))
    known = usable[:MOST]
    words = "the table's truth, among this search's own candidates"
    sources = [_of_pairs("table", words, found["score"][known], found["truth"][known]), _of_trainings(search)]
    return [source for source in sources if source is not None]


def _of_trainings(search: Search) -> dict[str, Any] | None:
    """Return the source of trainings, of one recipe: accuracies after 2 and after 40 epochs are different truths."""
    alike = next(iter(trainings.alike(search)), [])
    if not alike or not trainings.on_own_data(search, alike[0]):
        return None
    recipe = trainings.described(alike)
    data = alike[0].data_info["label"]
    words = f"the validation accuracy of this search's candidates that were trained in full ({recipe}, on {data})"
    scored = [row for row in alike if row.candidate.score is not None and isfinite(row.candidate.score)][:MOST]
    scores = np.array([row.candidate.score for row in scored], dtype=np.float64)
    return _of_pairs("trainings", words, scores, np.array([row.valid_accuracy for row in scored], dtype=np.float64))


def _of_pairs(source: str, words: str, scores: np.ndarray, truth: np.ndarray) -> dict[str, Any] | None:
    tau = kendall_interval(scores, truth, resamples=RESAMPLES) if len(scores) >= LEAST else None
    if tau is None or not isfinite(tau.value):
        return None
    return _row(source, words, asdict(tau), spearman(scores, truth), None)


def _of_studies(search: Search) -> list[dict[str, Any]]:
    """Return a source for each finished arm with this search's estimate, space and data, newest study first."""
    arms = Search.objects.filter(
        owner=search.owner_id, study__isnull=False, space=search.space_id, status=Search.Status.FINISHED
    ).order_by("-study_id")
    images = _images_scored_on(search)
    found = []
    for arm in arms.select_related("study"):
        same = arm.configuration.estimator == search.configuration.estimator and _images_scored_on(arm) == images
        if arm.arm == TRUTH or not same or arm.study is None:
            continue
        row = _of_study(arm.study, arm.arm)
        if row is not None:
            found.append(row)
    return found


def _images_scored_on(search: Search) -> str | None:
    """Return the digest of the images that scores come from; None where the estimate needs no images."""
    return search.data_info.get("content_hash") if search.configuration.estimator.needs_images else None


def _of_study(study: Study, arm: str) -> dict[str, Any] | None:
    rows = studies.results(study)["estimates"]
    row = next((row for row in rows if row["arm"] == arm and not row["term"]), None)
    if row is None or row["tau"] is None or row["tau"]["count"] < LEAST:
        return None
    return _row(
        "study", f"the truth of random networks in the study “{study.name}”", row["tau"], row["spearman"], study.pk
    )


def _row(source: str, words: str, tau: Mapping[str, Any], rho: float, study: int | None) -> dict[str, Any]:
    shown = {name: tau[name] for name in ("count", "low", "high")}
    return {"source": source, "description": words, "study": study, "tau": tau["value"], **shown, "spearman": rho}


def _sentence(sources: list[dict[str, Any]]) -> str:
    if not sources:
        return (
            "Nothing is known yet of how well these scores rank networks: start a study, or train "
            f"{LEAST} or more in full under one recipe."
        )
    low, tau, high = (sources[0][name] for name in ("low", "tau", "high"))
    doubt = " The interval is wide: more networks would say more." if high - low > 0.3 else ""
    return f"Scores {agreement(low, tau, high)} {sources[0]['description']}.{doubt}"


def agreement(low: float, tau: float, high: float) -> str:
    """Return how scores relate to a truth, by Kendall's tau and its interval, in words that precede its name."""
    if low <= 0 <= high or abs(tau) < SLIGHT:
        return "say little about"
    if tau < 0:
        return "order networks the other way round than"
    return f"agree {'strongly' if tau >= STRONG else 'moderately' if tau >= MODERATE else 'weakly'} with"
