"""The algorithm of a search, rebuilt from its rows.

The recorded outcomes are the algorithm's state. A process keeps the copies that it used last and brings them up to date
with the rows written since. A process without a copy starts from the last snapshot, or from nothing. A snapshot is
written whenever the number of proposals has grown by half, so the work of writing snapshots stays proportional to the
number of candidates.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.proposals import BucketView, Outcome
from engine.errors import StateMismatch
from engine.rounds import Rounds
from searches.models import Bucket, Candidate, Search, Snapshot
from searches.selectors.calibrations import Calibrations
from searches.services.resolving import Resolved

KEPT_COPIES = 4
FIRST_SNAPSHOT = 1_000
COLUMNS = ("number", "round", "choices", "status", "score", "revived_round")
FIRST_STAGE = "first_stage"
"""The key of `engine.rounds.Rounds.first_stage` in a snapshot's state, beside the algorithm's own keys."""
BUCKET_COLUMNS = ["low", "high", "residents", "inserted", "evicted"]


@dataclass
class Copy:
    """The rounds and the algorithm of a search in this process; ``written`` are the buckets as their rows show them."""

    rounds: Rounds
    epoch: int
    written: dict[tuple[int, int], BucketView] = field(default_factory=dict)

    @property
    def algorithm(self) -> SearchAlgorithm:
        """The algorithm, which was told ``rounds.told`` rounds."""
        return self.rounds.algorithm


_copies: OrderedDict[int, Copy] = OrderedDict()


def load(search: Search, resolved: Resolved) -> Copy:
    """Return the copy of a search with all recorded rounds told, late scores included, and the open round asked.

    Raises StateMismatch if the rows hold proposals that this algorithm would not make.
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
    """Drop this process's copy, after a transaction that did not commit."""
    _copies.pop(search_id, None)


def void(search: Search) -> None:
    """Make every copy and the snapshot void, because told results are about to change; the caller saves ``epoch``."""
    search.epoch += 1
    Snapshot.objects.filter(search=search).delete()


def reopen_stages(search: Search) -> None:
    """Forget which stages the budget ended, because there is more of it; the caller voids every copy by ``epoch``."""
    Snapshot.objects.filter(search=search, **{f"state__{FIRST_STAGE}__gt": 0}).delete()


def save_snapshot(search: Search, copy: Copy, due: bool = False) -> None:
    """Write a snapshot if it is due; nothing may be pending.

    The caller makes it ``due`` when the budget has just cut a round: the rows do not show that its stage is over.
    """
    asked = copy.algorithm.asked
    last = Snapshot.objects.filter(search=search).values_list("asked", flat=True).first() or 0
    if due or asked - last >= max(FIRST_SNAPSHOT, last // 2):
        state = copy.algorithm.state_dict() | {FIRST_STAGE: copy.rounds.first_stage}
        defaults = {"rounds": copy.rounds.told, "asked": asked, "state": state}
        Snapshot.objects.update_or_create(search=search, defaults=defaults)


def save_buckets(search: Search, copy: Copy) -> None:
    """Bring the bucket rows up to date, writing only those that changed since this copy wrote them."""
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
    """Return a bucket as a row that is not saved yet."""
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
    """Return whether the copy proposed or learned something that was never committed."""
    ahead = copy.rounds.told > search.rounds or copy.algorithm.asked > search.asked
    return ahead or copy.rounds.gave_up


def _from_snapshot(search: Search, resolved: Resolved) -> Copy:
    rounds = Rounds(resolved.algorithm(), resolved.config.round_size)
    snapshot = Snapshot.objects.filter(search=search, rounds__lte=search.rounds).first()
    if snapshot is not None:
        rounds.algorithm.load_state_dict(snapshot.state)
        rounds.told = snapshot.rounds
        rounds.first_stage = snapshot.state.get(FIRST_STAGE, 0)
    return Copy(rounds, search.epoch)


def _replay(copy: Copy, search: Search) -> None:
    """Ask and tell the rounds that the copy does not know, from their rows, with the scores of that time.

    If scores were calibrated in between, the algorithm is rescored at the same place.
    """
    rounds = copy.rounds
    calibrations = Calibrations(search)
    columns = (*COLUMNS, *calibrations.columns)
    rows = search.candidates.filter(round__gte=rounds.told).order_by("number").values_list(*columns, named=True)
    late: dict[int, list[Outcome]] = {}
    revived = search.candidates.filter(revived_round__isnull=False, status=Candidate.Status.SCORED).order_by("number")
    for row in revived.values_list(*columns, named=True):
        outcome = Outcome(row.number, calibrations.score(row, row.revived_round))
        late.setdefault(row.revived_round, []).append(outcome)
    for number, members in groupby(rows.iterator(chunk_size=2_000), key=lambda row: row.round):
        recorded = list(members)
        _ask_again(rounds, recorded)
        if number < search.rounds:
            rounds.tell(_outcome(row, calibrations) for row in recorded)
            rounds.tell_late(late.get(number, ()))
            if number in calibrations.rounds:
                copy.algorithm.rescore(calibrations.networks(search, copy.algorithm.space, number))


def _outcome(row: Any, calibrations: Calibrations) -> Outcome:
    """Return the outcome of a candidate when its round was told: it had no score if a retry found the score later."""
    scored = row.status == Candidate.Status.SCORED and row.revived_round is None
    return Outcome(row.number, calibrations.score(row, row.round) if scored else None)


def _ask_again(rounds: Rounds, rows: list) -> None:
    """Ask for the recorded proposals of a round again; raises StateMismatch if the algorithm makes others."""
    fresh = [row for row in rows if row.number >= rounds.algorithm.asked]
    proposals = rounds.repeat(len(fresh), fresh[0].stage) if fresh else []
    asked = [(proposal.number, list(proposal.architecture.choices)) for proposal in proposals]
    if asked != [(row.number, row.choices) for row in fresh]:
        number = fresh[0].number
        raise StateMismatch(f"the recorded proposals from number {number} on are not those this algorithm makes")
