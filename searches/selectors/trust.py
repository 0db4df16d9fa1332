"""The trust that the scores of a search deserve: their rank correlation with any known truth of its networks.

There are three sources, each named in the answer: the truth column of its table, full trainings of its candidates, and
studies of random networks under the same estimate, space and data. Beside each, parameters, multiply-adds and trained
layers rank the same networks. A search's own candidates are not a random sample: the search looked for high scores, so
a correlation among them tends to be lower than one over the whole space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from engine.config.study import TRUTH
from engine.correlation import constant
from searches.models import Candidate, Search, Study
from searches.models.documents import readable
from searches.selectors import columns, noise, spaces, standing, studies, trainings
from searches.selectors.baselines import COSTS, Baselines, sentence, trained_layers
from searches.selectors.columns import ABSENT, Columns

LEAST = 5
MORE = f"start a study, or train {LEAST} or more in full under one recipe"
MOST = 5_000
"""Only this many networks, the first ones, are compared, which keeps the answer quick."""
Found = dict[str, Any] | str
"""A source, or a sentence on networks that all have the same score or truth, so that they cannot be ranked."""
STRONG, MODERATE, SLIGHT = 0.6, 0.4, 0.1
"""Limits of tau: scores agree strongly from the first, moderately from the second, and say little below the third."""


def card(search: Search) -> dict[str, Any]:
    """Return ``sources``, the most informative first, a ``sentence`` on them, ``noise`` and ``random``.

    Without sources the sentence says how to learn more, and whether all networks have the same score or truth.
    ``noise`` is how much scores vary from seed to seed, by which near ties on the front are marked, or None if it is
    not known. ``random`` is the rank of the search's best network among random networks (`standing`), or None.
    """
    found = [*_of_studies(search), *_of_candidates(search)]
    sources = [row for row in found if isinstance(row, dict)]
    alike = [row for row in found if isinstance(row, str)]
    known = noise.of(search, "score")
    shown = None if known is None else {"deviation": known.deviation, "limit": known.limit, "words": noise.words(known)}
    return {
        "sources": sources,
        "sentence": _sentence(sources, alike),
        "noise": shown,
        "random": None if search.best is None else standing.among_random(search.best),
    }


def _of_candidates(search: Search) -> list[Found]:
    found = columns.of(search)
    sources = [found.derived("trust", lambda: _of_table(search, found)), _of_trainings(search)]
    return [source for source in sources if source is not None]


def _of_table(search: Search, found: Columns) -> Found | None:
    usable = np.flatnonzero((found["state"] != ABSENT) & np.isfinite(found["score"]) & np.isfinite(found["truth"]))
    known = usable[:MOST]
    if len(known) < LEAST:
        return None
    rows = Candidate.objects.networks().filter(search=search, number__lte=known[-1])
    arch = dict(rows.values_list("number", "arch"))
    words = "the table's truth, among this search's own candidates"
    costs = {name: found[name][known] for name in COSTS}
    archs = [arch[number] for number in known.tolist()]
    return _of_networks(search, "table", words, archs, costs, found["score"][known], found["truth"][known])


def _of_trainings(search: Search) -> Found | None:
    """Return the source of trainings under one recipe: accuracies after 2 and after 40 epochs are different truths."""
    alike = next(iter(trainings.alike(search)), [])
    if not alike or not trainings.on_own_data(search, alike[0]):
        return None
    recipe = trainings.described(alike)
    data = alike[0].data_info["label"]
    words = f"the validation accuracy of this search's candidates that were trained in full ({recipe}, on {data})"
    scored = [row for row in alike if row.candidate.score is not None and isfinite(row.candidate.score)][:MOST]
    if len(scored) < LEAST:
        return None
    networks = [row.candidate for row in scored]
    costs = {name: np.array([getattr(each, name) for each in networks], dtype=np.float64) for name in COSTS}
    scores = np.array([each.score for each in networks], dtype=np.float64)
    truth = np.array([row.valid_accuracy for row in scored], dtype=np.float64)
    return _of_networks(search, "trainings", words, [each.arch for each in networks], costs, scores, truth)


def _of_networks(
    search: Search,
    source: str,
    words: str,
    archs: Sequence[str],
    costs: Mapping[str, np.ndarray],
    scores: np.ndarray,
    truth: np.ndarray,
) -> Found | None:
    """Return the source of these networks of the search, or the sentence that all have the same score or truth."""
    if alike := constant(scores, truth):
        return _same(alike, words)
    space = spaces.of_search(search)
    baselines = Baselines(truth, {**costs, "trained_layers": trained_layers(space, archs)}, space.size)
    figures = baselines.figures(scores)
    if figures["tau"] is None:
        return None
    return _row(source, words, figures | baselines.compared("the score", scores), None)


def _of_studies(search: Search) -> list[Found]:
    """Return a source for each finished arm with this search's estimate, space and data, newest study first."""
    arms = Search.objects.filter(
        owner=search.owner_id, study__isnull=False, space=search.space_id, status=Search.Status.FINISHED
    ).order_by("-study_id")
    found: list[Found] = []
    for arm in arms.select_related("study"):
        if arm.arm == TRUTH or arm.study is None or not readable(arm) or not standing.scored_alike(search, arm):
            continue
        row = _of_study(arm, arm.study)
        if row is not None:
            found.append(row)
    return found


def _of_study(arm: Search, study: Study) -> Found | None:
    rows = studies.results(study)["estimates"]
    row = next((row for row in rows if row["arm"] == arm.arm and not row["term"]), None)
    truth = f"the truth of random networks in the study “{study.name}”"
    if row is not None and row["constant"]:
        return _same(row["constant"], truth)
    if row is None or row["tau"] is None or row["tau"]["count"] < LEAST:
        return None
    words = sentence("the score", row["tau"]["count"], row["baselines"], spaces.of_search(arm).size)
    figures = row | {"sentence": words}
    return _row("study", truth, figures, study.pk)


def _same(alike: str, words: str) -> str:
    """Return the sentence on networks that all have the same score or truth."""
    return f"Scores cannot be compared with {words}: {alike}."


def _row(source: str, words: str, figures: Mapping[str, Any], study: int | None) -> dict[str, Any]:
    tau = figures["tau"]
    shown = {name: tau[name] for name in ("count", "low", "high")}
    further = {name: figures[name] for name in ("spearman", "tau_best_tenth", "ndcg_top", "baselines", "sentence")}
    return {"source": source, "description": words, "study": study, "tau": tau["value"], **shown, **further}


def _sentence(sources: list[dict[str, Any]], alike: list[str]) -> str:
    if not sources and alike:
        return f"{' '.join(alike)} To learn more, {MORE}."
    if not sources:
        return f"Nothing is known yet of how well these scores rank networks: {MORE}."
    low, tau, high = (sources[0][name] for name in ("low", "tau", "high"))
    doubt = " The interval is wide: more networks would say more." if high - low > 0.3 else ""
    beside = f" {sources[0]['sentence']}" if sources[0]["sentence"] else ""
    return f"Scores {agreement(low, tau, high)} {sources[0]['description']}.{doubt}{beside}"


def agreement(low: float, tau: float, high: float) -> str:
    """Return how scores relate to a truth, by Kendall's tau and its interval, in words that precede its name."""
    if low <= 0 <= high or abs(tau) < SLIGHT:
        return "say little about"
    if tau < 0:
        return "order networks the other way round than"
    return f"agree {'strongly' if tau >= STRONG else 'moderately' if tau >= MODERATE else 'weakly'} with"
