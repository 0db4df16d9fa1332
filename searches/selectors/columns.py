"""The finished networks of a search as arrays, cached in the process and updated from the event log.

The index is a candidate's number, so arrays are in the order of proposals. Every change of a finished candidate writes
a ``candidates`` or ``error`` event in its transaction. An update reads only the candidates that new events name.
Fronts, history and counts are derived from the arrays and cached until the next event.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import RLock
from typing import Any, TypeVar

import numpy as np
from django.db import connection

from engine.metrics import METRICS
from searches.models import Candidate, Event, Search

NUMBERS = tuple(METRICS)
"""The columns that can be plotted: all metrics."""
LESS_IS_BETTER = tuple(name for name, metric in METRICS.items() if not metric.higher_is_better)
MORE_IS_BETTER = tuple(name for name, metric in METRICS.items() if metric.higher_is_better)
ABSENT, SCORED, FAILED, HIDDEN = 0, 1, 2, 3
STATE = f"CASE status WHEN '{Candidate.Status.SCORED}' THEN {SCORED} ELSE {FAILED} END"
READ = ("number", "id", STATE, "feasible", "layer", "hidden", *NUMBERS)
KEPT_ROWS = 1_000_000
READ_AT_ONCE = 2_000
READ_ALL_FROM = 20_000
T = TypeVar("T")


class Columns:
    """Arrays by name, with one entry per candidate number.

    `NUMBERS` are float64 (NaN: unknown), ``id`` and ``layer`` are int64 (-1: none), ``state`` is `ABSENT`, `SCORED`,
    `FAILED`, or `HIDDEN` by the user, and ``feasible`` is boolean. ``seq`` is the last event that the arrays include;
    ``recent`` are the most recent numbers, newest last.
    """

    def __init__(self, search: Search) -> None:
        self.search_id = search.pk
        self.epoch = search.epoch
        self.seq = -1
        self.size = 0
        self.arrays: dict[str, np.ndarray] = {}
        self.recent = np.empty(0, dtype=np.int64)
        self.fronts: dict[tuple[str, str, bool], np.ndarray] = {}
        self._derived: dict[str, Any] = {}
        self._grow(max(search.asked, 16))

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name][: self.size]

    def update(self, seq: int) -> None:
        """Read the candidates that the events up to ``seq`` have changed."""
        if self.seq >= seq:
            return
        if self.seq < 0:
            self._read_all()
        else:
            numbers = self._changed(seq)
            if len(numbers) > READ_ALL_FROM:
                self._read_all()
            else:
                self._read_some(numbers)
        self.seq = seq
        self._derived.clear()

    def derived(self, name: str, compute: Callable[[], T]) -> T:
        """Return the result of ``compute``, cached until the arrays change."""
        if name not in self._derived:
            self._derived[name] = compute()
        return self._derived[name]  # type: ignore[no-any-return]

    def front(self, x: str, y: str, feasible_only: bool = True) -> np.ndarray:
        """Return the numbers of the networks on the front of two columns, by ascending ``x``, updated incrementally."""
        key = (x, y, feasible_only)
        if key not in self.fronts:
            self.fronts[key] = front_of(self, np.flatnonzero(self["state"] == SCORED), *key)
        return self.fronts[key]

    def _changed(self, seq: int) -> np.ndarray:
        kinds = (Event.Kind.CANDIDATES, Event.Kind.ERROR)
        events = Event.objects.filter(search=self.search_id, seq__gt=self.seq, seq__lte=seq, kind__in=kinds)
        numbers: list[int] = []
        for payload in events.order_by("seq").values_list("payload", flat=True):
            numbers += payload.get("numbers") or []
            if payload.get("candidate") is not None:
                numbers.append(payload["candidate"])
        return np.asarray(numbers, dtype=np.int64)

    def _read_all(self) -> None:
        self.arrays["state"][:] = ABSENT
        self.fronts.clear()
        self._store(_rows(self.search_id))
        self.recent = np.flatnonzero(self["state"] == SCORED)[-READ_AT_ONCE:]

    def _read_some(self, numbers: np.ndarray) -> None:
        fresh = np.unique(numbers)
        if not len(fresh):
            return
        known = fresh[fresh < self.size]
        replaced = bool((self["state"][known] != ABSENT).any())
        self.arrays["state"][known] = ABSENT
        for start in range(0, len(fresh), READ_AT_ONCE):
            self._store(_rows(self.search_id, fresh[start : start + READ_AT_ONCE].tolist()))
        came = numbers[numbers < self.size]
        came = came[self["state"][came] == SCORED]
        self.recent = np.concatenate([self.recent, came])[-READ_AT_ONCE:]
        if replaced:
            self.fronts.clear()
        for key, front in self.fronts.items():
            self.fronts[key] = front_of(self, np.union1d(front, came), *key)

    def _store(self, rows: list[tuple[Any, ...]]) -> None:
        if not rows:
            return
        table = np.array(rows, dtype=np.float64)
        numbers = table[:, 0].astype(np.int64)
        self._grow(int(numbers.max()) + 1)
        self.size = max(self.size, int(numbers.max()) + 1)
        self.arrays["state"][numbers] = np.where(table[:, 5] == 1, HIDDEN, table[:, 2])
        self.arrays["feasible"][numbers] = table[:, 3] == 1
        self.arrays["id"][numbers] = table[:, 1]
        self.arrays["layer"][numbers] = np.nan_to_num(table[:, 4], nan=-1)
        for place, name in enumerate(NUMBERS, READ.index(NUMBERS[0])):
            self.arrays[name][numbers] = table[:, place]

    def _grow(self, size: int) -> None:
        held = len(self.arrays.get("state", ()))
        if size <= held:
            return
        room = max(size, 2 * held)
        kinds: dict[str, tuple[Any, float]] = {name: (np.float64, np.nan) for name in NUMBERS}
        kinds |= {"id": (np.int64, -1), "layer": (np.int64, -1), "state": (np.uint8, ABSENT), "feasible": (bool, False)}
        for name, (kind, empty) in kinds.items():
            array = np.full(room, empty, dtype=kind)
            array[:held] = self.arrays.get(name, array[:0])
            self.arrays[name] = array


_kept: OrderedDict[tuple[int, datetime], Columns] = OrderedDict()
_lock = RLock()


def of(search: Search) -> Columns:
    """Return the columns as of the search's last event; recently used ones are cached, up to `KEPT_ROWS` rows."""
    with _lock:
        key = (search.pk, search.created_at)
        columns = _kept.pop(key, None)
        if columns is None or columns.epoch != search.epoch or columns.seq > search.event_seq:
            columns = Columns(search)
        columns.update(search.event_seq)
        _kept[key] = columns
        while len(_kept) > 1 and sum(kept.size for kept in _kept.values()) > KEPT_ROWS:
            _kept.popitem(last=False)
        return columns


def front_of(columns: Columns, numbers: np.ndarray, x: str, y: str, feasible_only: bool) -> np.ndarray:
    """Return the front among these numbers, by ascending ``x``; it keeps the first of networks with equal values."""
    a = columns[x][numbers]
    b = columns[y][numbers]
    usable = np.isfinite(a) & np.isfinite(b) & (columns["state"][numbers] == SCORED)
    if feasible_only:
        usable &= columns["feasible"][numbers]
    numbers = numbers[usable]
    a = better_less(x) * a[usable]
    b = better_less(y) * b[usable]
    order = np.lexsort((numbers, b, a))
    lowest = np.minimum.accumulate(b[order])
    kept = np.ones(len(order), dtype=bool)
    kept[1:] = lowest[1:] < lowest[:-1]
    front = numbers[order][kept]
    return front if better_less(x) > 0 else front[::-1]


def better_less(name: str) -> int:
    """Return 1 if less of a metric is better, -1 if more is better."""
    return -1 if METRICS[name].higher_is_better else 1


def _rows(search_id: int, numbers: Iterable[int] | None = None) -> list[tuple[Any, ...]]:
    """Return rows of `READ` without the ORM, because a process may read 100,000 at its first use of a search."""
    where = ""
    values: list[str | int] = [search_id, Candidate.Status.SCORED.value, Candidate.Status.FAILED.value]
    if numbers is not None:
        numbers = list(numbers)
        holders = ", ".join(["%s"] * len(numbers))
        # The range condition keeps SQLite from using the index of the status.
        where = f" AND number BETWEEN %s AND %s AND number IN ({holders})"
        values = [*values, min(numbers), max(numbers), *numbers]
    names = ", ".join(READ)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {names} FROM searches_candidate WHERE search_id = %s AND status IN (%s, %s) AND stage = 0{where}",
            values,
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
