"""The algorithm of a search, rebuilt from its rows.

The recorded outcomes are the algorithm's state. A process keeps the copies it used last and brings them up to date
with the rows that came since; a process that has none starts from the last snapshot, or from nothing. A snapshot is
written whenever the number of proposals has grown by half, so that all snapshots of a search together grow with its
candidates.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.proposals import BucketView, Outcome
from engine.errors import StateMismatch
from searches.models import Bucket, Candidate, Search, Snapshot
from searches.selectors.calibrations import Calibrations
from searches.services.resolving import Resolved

KEPT_COPIES = 4
FIRST_SNAPSHOT = 1_000
COLUMNS = ("number", "round", "choices", "status", "score", "revived_round")
BUCKET_COLUMNS = ["low", "high", "residents", "inserted", "evicted"]


@dataclass
class Copy:
    """An algorithm that was told the first ``rounds`` rounds; ``written`` are the buckets as their rows show them."""

    algorithm: SearchAlgorithm
    epoch: int
    rounds: int = 0
    written: dict[tuple[int, int], BucketView] = field(default_factory=dict)


_copies: OrderedDict[int, Copy] = OrderedDict()


def load(search: Search, resolved: Resolved) -> Copy:
    """The algorithm with all told rounds told, late scores included, and the open round asked.

    StateMismatch: the rows hold proposals that this algorithm would not make.
    """
    copy = _copies.pop(search.pk, None)
    if copy is None or copy.epoch != search.epoch or _ahead(copy, search):
        copy = _from_snapshot(search, resolved)
    _replay(copy, search)
    _copies[search.pk] = copy
    while len(_copies) > KEPT_COPIES:
        _copies.popitem(last=False)
    return copy


def forget(search_id: int) -> None:
    """Drops this process's copy, after a transaction that did not commit."""
    _copies.pop(search_id, None)


def void(search: Search) -> None:
    """Makes every copy and the snapshot void, because what was told is about to change; the caller saves ``epoch``."""
    search.epoch += 1
    Snapshot.objects.filter(search=search).delete()


def save_snapshot(search: Search, copy: Copy) -> None:
    """Writes a snapshot when it is due; nothing may be pending."""
    asked = copy.algorithm.asked
    last = Snapshot.objects.filter(search=search).values_list("asked", flat=True).first() or 0
    if asked - last >= max(FIRST_SNAPSHOT, last // 2):
        state = {"rounds": copy.rounds, "asked": asked, "state": copy.algorithm.state_dict()}
        Snapshot.objects.update_or_create(search=search, defaults=state)


def save_buckets(search: Search, copy: Copy) -> None:
    """Brings the bucket rows up to date; writes only those that changed since this copy wrote them."""
    views = {(view.layer, view.index): view for view in copy.algorithm.buckets()}
    changed = [view for place, view in views.items() if copy.written.get(place) is not view]
    Bucket.objects.bulk_create(
        [bucket_row(search, view) for view in changed],
        update_conflicts=True,
        unique_fields=["search", "layer", "index"],
        update_fields=BUCKET_COLUMNS,
        batch_size=500,
    )
    copy.written = views


def bucket_row(search: Search, view: BucketView) -> Bucket:
    """A bucket as a row that is not saved yet."""
    residents = [[resident.number, resident.score] for resident in view.residents]
    return Bucket(
        search=search,
        layer=view.layer,
        index=view.index,
        low=view.low,
        high=view.high,
        residents=residents,
        inserted=view.inserted,
        evicted=view.evicted,
    )


def _ahead(copy: Copy, search: Search) -> bool:
    """Whether the copy saw what was never committed."""
    return copy.rounds > search.rounds or copy.algorithm.asked > search.asked


def _from_snapshot(search: Search, resolved: Resolved) -> Copy:
    algorithm = resolved.algorithm()
    copy = Copy(algorithm, search.epoch)
    snapshot = Snapshot.objects.filter(search=search, rounds__lte=search.rounds).first()
    if snapshot is not None:
        algorithm.load_state_dict(snapshot.state)
        copy.rounds = snapshot.rounds
    return copy


def _replay(copy: Copy, search: Search) -> None:
    """Asks and tells what the rows of the rounds from ``copy.rounds`` on say, with the scores of that time.

    Where scores were calibrated anew in between, the algorithm hears of it at the same place.
    """
    calibrations = Calibrations(search)
    columns = (*COLUMNS, *calibrations.columns)
    rows = search.candidates.filter(round__gte=copy.rounds).order_by("number").values_list(*columns, named=True)
    late: dict[int, list[tuple[int, float | None]]] = {}
    revived = search.candidates.filter(revived_round__isnull=False, status=Candidate.Status.SCORED).order_by("number")
    for row in revived.values_list(*columns, named=True):
        score = calibrations.score(row, row.revived_round)
        late.setdefault(row.revived_round, []).append((row.number, score))
    for number, members in groupby(rows.iterator(chunk_size=2_000), key=lambda row: row.round):
        told = list(members)
        _ask_again(copy.algorithm, told)
        if number < search.rounds:
            for row in told:
                scored = row.status == Candidate.Status.SCORED and row.revived_round is None
                copy.algorithm.tell(Outcome(row.number, calibrations.score(row, number) if scored else None))
            tell_late(copy.algorithm, late.get(number, ()))
            if number in calibrations.rounds:
                copy.algorithm.rescore(calibrations.networks(search, copy.algorithm.space, number))
            copy.rounds = number + 1


def tell_late(algorithm: SearchAlgorithm, scores: Iterable[tuple[int, float | None]]) -> None:
    """Tells the scores that a retry found, in the order of their numbers."""
    for number, score in scores:
        algorithm.tell(Outcome(number, score))


def _ask_again(algorithm: SearchAlgorithm, rows: list) -> None:
    fresh = [row for row in rows if row.number >= algorithm.asked]
    proposals = algorithm.ask(len(fresh), fresh[0].stage) if fresh else []
    asked = [(proposal.number, list(proposal.architecture.choices)) for proposal in proposals]
    if asked != [(row.number, row.choices) for row in fresh]:
        number = fresh[0].number
        raise StateMismatch(f"the recorded proposals from number {number} on are not those this algorithm makes")
