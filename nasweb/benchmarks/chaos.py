"""Workers killed during a search: lost results, duplicated results, and whether the search stays the same.

Real Celery processes run a search with short trainings, then the same search again while workers are killed with
SIGKILL. The seed decides after how many scored candidates each kill happens. The kills hit alternately one process of
the pool and the whole worker, which is then started again.
"""

from __future__ import annotations

from collections import Counter
from random import Random

from engine.benchmarks.report import Figure, Report
from nasweb.benchmarks.house import House, outcomes, start
from searches.models import Candidate, Evaluation, Event, Search
from searches.services import control

SEED = 7
LEASE = 3.0
ROUND_SIZE = 4
ESTIMATOR = {"kind": "short_training", "epochs": 1, "batch_size": 256}


class Killer:
    """Kills on schedule; a kill waits until a candidate is being scored."""

    def __init__(self, house: House, evaluations: int, kills: int) -> None:
        self.house = house
        self.rng = Random(f"chaos:{SEED}")
        self.schedule = sorted(self.rng.sample(range(1, evaluations - 2 * ROUND_SIZE), kills))
        self.kills = 0

    def __call__(self, search: Search) -> None:
        """Check the search, and kill if a kill is due."""
        if self.kills == len(self.schedule) or search.scored < self.schedule[self.kills]:
            return
        if not Candidate.objects.filter(search=search, status=Candidate.Status.LEASED).exists():
            return
        if self.kills % 2 == 0:
            self.house.kill("worker")
            self.house.work(2)
        elif not self.house.kill_one(self.rng):
            return
        self.kills += 1


def run(quick: bool) -> Report:
    """Run 60 short trainings with ten kills; quick: 16 with two kills."""
    evaluations, kills = (16, 2) if quick else (60, 10)
    with House(LEASE) as house:
        house.work(2)
        search = start(evaluations, ESTIMATOR, ROUND_SIZE, SEED)
        undisturbed = house.run(search)
        expected = outcomes(search)
        control.delete(search)
        Evaluation.objects.all().delete()  # so that the second search finds no known scores
        search = start(evaluations, ESTIMATOR, ROUND_SIZE, SEED)
        killer = Killer(house, evaluations, kills)
        disturbed = house.run(search, killer)
        found = outcomes(search)
    figures = [
        Figure("kills", killer.kills, "kills", "higher", goal=kills),
        Figure("lost", lost(expected, found), "candidates", "lower", goal=0),
        Figure("duplicated", duplicated(search, expected, found), "candidates", "lower", goal=0),
        Figure("equal_to_undisturbed", int(found == expected), "0 or 1", "higher", goal=1),
    ]
    settings_ = {
        "evaluations": evaluations, "round_size": ROUND_SIZE, "worker_processes": 2, "lease_seconds": LEASE,
        "seed": SEED, "kills_after_scored": killer.schedule, "database": "SQLite",
        "scored": search.scored, "status": search.status_reason,
        "seconds_undisturbed": round(undisturbed, 2), "seconds_disturbed": round(disturbed, 2),
        "killed": "alternately the whole worker, which is started again, and one process of its pool",
        "lost": "candidates that have a result in the undisturbed search but not in this one",
        "duplicated": "networks that occur more often than in the undisturbed search, and results told more than once",
    }  # fmt: skip
    return Report(settings_, figures)


def lost(expected: list[tuple[object, ...]], found: list[tuple[object, ...]]) -> int:
    """Return how many candidates, by number, have ended in the first list but not in the second."""
    ended = {row[0] for row in found if row[7] in ("scored", "failed")}
    return sum(row[7] in ("scored", "failed") and row[0] not in ended for row in expected)


def duplicated(search: Search, expected: list[tuple[object, ...]], found: list[tuple[object, ...]]) -> int:
    """Return how many networks were proposed too often, plus the results that occur more than once in the log."""
    more = Counter(row[2] for row in found) - Counter(row[2] for row in expected)
    payloads = search.events.filter(kind=Event.Kind.CANDIDATES).values_list("payload", flat=True)
    told = Counter(number for payload in payloads for number in payload["numbers"])
    return more.total() + sum(count - 1 for count in told.values())
