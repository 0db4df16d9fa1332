"""One search, three drivers: in memory, looked up and by workers, each must find the same candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from engine.config.search import Budget, SearchConfig
from engine.loop import Judge, RunResult, played
from engine.rounds import BudgetMeter, Ended, Rounds
from searches.models import Evaluation, Search, Snapshot
from searches.services import advancing, algorithm_state, control, lookups, scoring
from searches.services.estimators import estimator_of
from searches.services.resolving import Resolved, resolve, resolve_search
from tests.searches.driving import start, table_config, waiting, write_table
from tests.searches.factories import make_user

pytestmark = pytest.mark.django_db

SECONDS = 10.0
"""What every network takes, so that workers know as much beforehand as a table does; finalists take thrice that."""
ALGORITHMS: dict[str, dict[str, Any]] = {
    "layernas": {"kind": "layernas", "buckets": 6, "replicas": 2},
    "random": {"kind": "random"},
    "evolution": {"kind": "regularised_evolution", "population": 9},
    "local": {"kind": "local_search"},
    "ppo": {"kind": "ppo"},
    "published": {"kind": "mote_nas", "rule": "published"},
    "guided": {"kind": "mote_nas", "pool": 12, "scouts": 2, "together": 2},
}


@dataclass(frozen=True)
class Case:
    """A search; ``missing`` networks fail, and ``smaller`` is the budget that an extended search begins with."""

    algorithm: str
    budget: dict[str, Any]
    finalists: int = 0
    missing: int = 0
    smaller: dict[str, Any] | None = None

    def config(self, table: Path) -> SearchConfig:
        estimator = {"kind": "table", "path": str(table), "reward": "cost", "seconds": "final_seconds"}
        final = {"estimator": estimator, "count": self.finalists, "share": 0.5} if self.finalists else None
        return table_config(table, algorithm=ALGORITHMS[self.algorithm], budget=self.budget, final=final)


@dataclass(frozen=True)
class Found:
    """What must not depend on the driver."""

    trials: list[tuple[Any, ...]]
    """Number, round, network, stage, parent and score of every trial."""
    best: tuple[str, float | None] | None
    exhausted: bool


def make_table(folder: Path, missing: int = 0, seconds: float | None = None) -> Path:
    """Write the table of the tiny chain with one more column: a finalist takes three times `SECONDS`."""
    path = write_table(folder, missing, seconds)
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{header},final_seconds", *(f"{row},{3 * SECONDS}" for row in rows)]) + "\n")
    return path


def in_memory(config: SearchConfig) -> Found:
    resolved = resolve(make_user(), config, local_files=True)
    rounds = Rounds(resolved.algorithm(), config.round_size, BudgetMeter.of(config.budget, config.final))
    judges = [Judge(estimator_of(resolved, stage), stage.options.seed) for stage in resolved.stages]
    told = list(played(rounds, judges))
    best = RunResult(tuple(trial for batch in told for trial in batch), "budget").best
    name = resolved.space.to_string
    trials = []
    for number, batch in enumerate(told):
        for proposal, estimate in ((trial.proposal, trial.estimate) for trial in batch):
            network = name(proposal.architecture)
            trials.append((proposal.number, number, network, proposal.stage, proposal.parent, estimate.score))
    decided = best.estimate.score if best is not None and best.proposal.stage else None
    return Found(
        trials,
        None if best is None else (name(best.proposal.architecture), decided),
        rounds.ended is Ended.EXHAUSTED,
    )


def in_rows(config: SearchConfig, extension: dict[str, Any] | None = None, workers: Sequence[int] = ()) -> Found:
    """Advance and score until the search rests, extend its budget, go on, and clear the tables.

    ``workers`` are the stages that workers score.
    """
    search = _to_its_end(start(config))
    if extension:
        control.extend(search, **extension)
        search = _to_its_end(search)
    columns = ("number", "round", "arch", "stage", "parent_number", "score")
    rows = search.candidates.order_by("number").values_list(*columns)
    trials = list(rows)
    worked = set(search.candidates.filter(evaluation__attempts__gt=0).values_list("stage", flat=True))
    assert worked == {stage for _, _, _, stage, *_ in trials} & set(workers)
    best = None if search.best is None else (search.best.arch, search.best.final_score)
    exhausted = search.status_reason.startswith("the algorithm has no more networks to propose")
    assert exhausted or search.status_reason.startswith("budget of ")
    found = Found(trials, best, exhausted)
    Search.objects.all().delete()
    Evaluation.objects.all().delete()
    return found


def _to_its_end(search: Search) -> Search:
    for _ in range(1_000):
        advancing.advance(search.pk)
        search.refresh_from_db()
        if not search.is_active:
            assert search.status == Search.Status.FINISHED, search.status_reason
            return search
        scoring.score(waiting(search), search.pk)
    raise AssertionError("the search does not come to rest")


def give_to_workers(patch: pytest.MonkeyPatch, *numbers: int) -> None:
    """Have these stages, whose estimates could be looked up, scored by workers."""

    def resolved_search(search: Search) -> Resolved:
        resolved = resolve_search(search)
        stages = [replace(stage, inline=at not in numbers) for at, stage in enumerate(resolved.stages)]
        return replace(resolved, stages=tuple(stages), inline=stages[0].inline)

    patch.setattr(advancing, "resolve_search", resolved_search)


def looked_up(case: Case, config: SearchConfig, patch: pytest.MonkeyPatch) -> Found:
    """Every round in one transaction."""
    return in_rows(config)


def looked_up_in_parts(case: Case, config: SearchConfig, patch: pytest.MonkeyPatch) -> Found:
    """A transaction after every round, and an algorithm rebuilt from its rows or a snapshot for each."""
    patch.setattr(lookups, "BATCH", 1)
    patch.setattr(algorithm_state, "KEPT_COPIES", 0)
    patch.setattr(algorithm_state, "FIRST_SNAPSHOT", 10)
    return in_rows(config)


def finalists_by_workers(case: Case, config: SearchConfig, patch: pytest.MonkeyPatch) -> Found:
    """Networks are looked up, finalists are scored by workers."""
    give_to_workers(patch, 1)
    patch.setattr(algorithm_state, "KEPT_COPIES", 0)
    return in_rows(config, workers=[1])


def by_workers(case: Case, config: SearchConfig, patch: pytest.MonkeyPatch) -> Found:
    """Everything is scored by workers."""
    give_to_workers(patch, 0, 1)
    return in_rows(config, workers=[0, 1])


def looked_up_and_extended(case: Case, config: SearchConfig, patch: pytest.MonkeyPatch) -> Found:
    """As with the larger budget from the start."""
    return in_rows(config.model_copy(update={"budget": smaller_budget(case, config)}), extension(case))


def finalists_by_workers_and_extended(case: Case, config: SearchConfig, patch: pytest.MonkeyPatch) -> Found:
    """As with the larger budget from the start, although the smaller one ended the networks before the finalists."""
    give_to_workers(patch, 1)
    patch.setattr(algorithm_state, "KEPT_COPIES", 0)
    return in_rows(config.model_copy(update={"budget": smaller_budget(case, config)}), extension(case), [1])


def by_workers_and_extended(case: Case, config: SearchConfig, patch: pytest.MonkeyPatch) -> Found:
    """As with the larger budget from the start."""
    give_to_workers(patch, 0, 1)
    return in_rows(config.model_copy(update={"budget": smaller_budget(case, config)}), extension(case), [0, 1])


def smaller_budget(case: Case, config: SearchConfig) -> Budget:
    return config.budget.model_copy(update=case.smaller)


def extension(case: Case) -> dict[str, Any]:
    return {name: case.budget[name] - value for name, value in (case.smaller or {}).items()}


Driver = Callable[[Case, SearchConfig, pytest.MonkeyPatch], Found]
ALL: list[Driver] = [looked_up, looked_up_in_parts, finalists_by_workers, by_workers]
EXTENDED: list[Driver] = [looked_up_and_extended, finalists_by_workers_and_extended, by_workers_and_extended]


def evaluations(count: int) -> dict[str, Any]:
    return {"evaluations": count}


def seconds(count: float, evaluations: int | None = None) -> dict[str, Any]:
    return {"evaluations": evaluations, "seconds": count}


CASES = [
    *(Case(name, evaluations(29), finalists=5) for name in ALGORITHMS),
    *(Case(name, seconds(455.0), finalists=4) for name in ALGORITHMS),
    *(Case(name, evaluations(21), missing=30) for name in ("layernas", "evolution", "guided")),
    *(Case(name, seconds(295.0)) for name in ("layernas", "random", "published")),
    Case("layernas", seconds(1e6, evaluations=19)),
    Case("random", seconds(95.0, evaluations=19)),
    Case("random", evaluations(1_000)),
    Case("random", evaluations(1_000), finalists=4, missing=20),
    Case("random", evaluations(81)),
    Case("random", evaluations(24), finalists=4),
    Case("local", seconds(240.0), finalists=2, missing=40),
    Case("layernas", evaluations(31), smaller=evaluations(19)),
    Case("random", evaluations(31), finalists=4, smaller=evaluations(17)),
    Case("layernas", seconds(455.0), finalists=4, smaller={"seconds": 235.0}),
    Case("random", seconds(455.0), finalists=4, smaller={"seconds": 320.0}),
]


def described(case: Case) -> str:
    budget = "-".join(f"{value:g}{name[0]}" for name, value in case.budget.items() if value)
    return f"{case.algorithm}-{budget}-{case.finalists}-{case.missing}" + ("-extended" if case.smaller else "")


@pytest.mark.parametrize("case", CASES, ids=described)
def test_every_driver_finds_the_same_candidates(case: Case, tmp_path: Path) -> None:
    config = case.config(make_table(tmp_path, case.missing, SECONDS))
    expected = in_memory(config)
    assert expected.trials
    for driver in EXTENDED if case.smaller else ALL:
        with pytest.MonkeyPatch.context() as patch:
            found = driver(case, config, patch)
        assert found.trials == expected.trials, driver.__name__
        assert (found.best, found.exhausted) == (expected.best, expected.exhausted), driver.__name__


CUTTING = {"random": 344, "evolution": 377, "ppo": 399, "published": 344, "guided": 344, "layernas": 500, "local": 500}
"""Budgets in seconds that a round exceeds while a cheaper network would still fit."""


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_network_follows_the_one_that_would_exceed_the_seconds(algorithm: str, tmp_path: Path) -> None:
    case = Case(algorithm, seconds(float(CUTTING[algorithm])), finalists=4)
    config = case.config(make_table(tmp_path))
    expected = in_memory(config)
    for driver in (looked_up, looked_up_in_parts, finalists_by_workers):
        with pytest.MonkeyPatch.context() as patch:
            found = driver(case, config, patch)
        assert found.trials == expected.trials, driver.__name__
        assert (found.best, found.exhausted) == (expected.best, expected.exhausted), driver.__name__


def test_an_extension_between_the_networks_and_their_finalists_reopens_the_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_to_workers(monkeypatch, 1)
    monkeypatch.setattr(advancing, "TASK_SECONDS", 0.0)
    case = Case("random", seconds(455.0), finalists=4, smaller={"seconds": 320.0})
    config = case.config(make_table(tmp_path, seconds=SECONDS))
    search = start(config.model_copy(update={"budget": smaller_budget(case, config)}))
    for _ in range(20):
        if Snapshot.objects.filter(search=search, state__first_stage=1).exists():
            break
        advancing.advance(search.pk)
    assert search.candidates.count() == 16, "160 of 320 seconds, and no finalist yet"
    control.extend(search, **extension(case))
    search = _to_its_end(search)
    expected = in_memory(config).trials
    assert list(search.candidates.order_by("number").values_list("arch", flat=True)) == [row[2] for row in expected]
