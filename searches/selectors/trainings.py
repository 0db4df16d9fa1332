"""Full trainings of one owner, and how well the estimate that chose the networks agrees with them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from django.db.models import QuerySet

from searches.models import Search, Training
from searches.models.documents import readable

SHOWN = 100
"""Number of inverted pairs that are listed, those with the largest gap first."""
NOT_KEPT = "not recorded; an older version cropped padded images here"


def owned(owner: Any) -> QuerySet[Training]:
    """Return the owner's trainings with their candidates and searches, newest first."""
    mine = Training.objects.filter(candidate__search__owner=owner)
    return mine.select_related("candidate", "candidate__search", "dataset").order_by("-id")


def augmentation(training: Training) -> str:
    """Return a description of the changes to images and labels.

    It is `NOT_KEPT` for a training that is older than the records and whose recipe has changed since.
    """
    config = training.configuration
    unknown = config.recipe == "layernas" and config.parted
    return training.augmentation or (NOT_KEPT if unknown else config.augmentation)


def alike(search: Search) -> list[list[Training]]:
    """Return the finished trainings of a search in comparable groups: one recipe, augmentation, seed and data each.

    Groups on the search's own data come first (any data if the search has none). They are then ordered by number of
    networks, number of epochs and most recent training. The trust card and the page use the first group.
    """
    done = Training.objects.filter(candidate__search=search, status=Training.Status.FINISHED)
    found: dict[tuple[str, ...], list[Training]] = {}
    for training in done.select_related("candidate").order_by("candidate__number"):
        if not readable(training):
            continue
        config = training.configuration.model_dump() | {"dataset": None}
        key = str(sorted(config.items())), training.data_info["content_hash"], augmentation(training)
        found.setdefault(key, []).append(training)

    def weight(members: list[Training]) -> tuple[bool, int, int, int]:
        return on_own_data(search, members[0]), len(members), members[0].epochs, max(row.pk for row in members)

    return sorted(found.values(), key=weight, reverse=True)


def on_own_data(search: Search, training: Training) -> bool:
    """Return whether the search used the same images as the training, or none."""
    return search.data_info.get("content_hash") in (None, training.data_info["content_hash"])


def described(trainings: Sequence[Training]) -> str:
    """Return the recipe of comparable trainings in a few words."""
    config = trainings[0].configuration
    seed = f", seed {config.seed}" if config.seed else ""
    unknown = ", augmentation not recorded" if augmentation(trainings[0]) == NOT_KEPT else ""
    return config.described + seed + unknown


def groups(search: Search) -> list[dict[str, Any]]:
    """Return the groups of `alike`, in that order.

    Each group has Kendall's tau-b of the estimate's scores against the trained validation accuracies, its p value, and
    the pairs that the two order differently. Tau is None below two networks, or if all values are equal.
    """
    return [_group(members) for members in alike(search)]


def _group(trainings: Sequence[Training]) -> dict[str, Any]:
    scored = [
        (row, row.candidate.score, row.valid_accuracy)
        for row in trainings
        if row.candidate.score is not None and row.valid_accuracy is not None
    ]
    tau, p_value = None, None
    if len(scored) > 1:
        from scipy import stats

        result = stats.kendalltau([score for _, score, _ in scored], [accuracy for *_, accuracy in scored])
        if result.statistic == result.statistic:  # not NaN, so neither side is constant
            tau, p_value = float(result.statistic), float(result.pvalue)
    inverted = [
        _pair(a, b, gap)
        for (a, score, accuracy), (b, other_score, other_accuracy) in combinations(scored, 2)
        if (score - other_score) * (gap := accuracy - other_accuracy) < 0
    ]
    inverted.sort(key=lambda pair: pair["gap"], reverse=True)
    return {
        "described": described(trainings),
        "data": trainings[0].data_info["label"],
        "trainings": [_row(row) for row in trainings],
        "kendall_tau": tau,
        "p_value": p_value,
        "pairs": len(scored) * (len(scored) - 1) // 2,
        "inverted": len(inverted),
        "inversions": inverted[:SHOWN],
    }


def _pair(a: Training, b: Training, gap: float) -> dict[str, Any]:
    """Return two trainings that the scores order wrongly: ``better`` has the higher accuracy and the lower score.

    The argument ``gap`` is the accuracy of ``a`` minus that of ``b``, in percentage points. The result has its absolute
    value.
    """
    better, worse = (a, b) if gap > 0 else (b, a)
    return {"better": _row(better), "worse": _row(worse), "gap": abs(gap)}


def _row(training: Training) -> dict[str, Any]:
    candidate = training.candidate
    return {
        "training": training.pk,
        "candidate": candidate.pk,
        "number": candidate.number,
        "score": candidate.score,
        "valid_accuracy": training.valid_accuracy,
        "test_accuracy": training.test_accuracy,
    }
