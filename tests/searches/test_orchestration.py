"""A search from its creation to its end: look-ups and trainings, rebuilds, budgets, the cache."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.config.search import SearchConfig
from engine.errors import ConfigError
from engine.loop import run
from engine.registry import create_algorithm
from searches.models import Bucket, Candidate, Evaluation, Search, Snapshot
from searches.services import advancing, algorithm_state, control, creation, lookups, proposals
from searches.services.estimators import estimator_of
from searches.services.resolving import resolve
from tests.searches.driving import CHAIN, drive, outcomes, start, table_config, training_config, write_table
from tests.searches.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path)


def in_one_process(config: SearchConfig) -> list[tuple[str, float | None]]:
    """Return architectures and scores of the engine's own loop."""
    resolved = resolve(make_user(), config, local_files=True)
    algorithm = create_algorithm(config.algorithm, resolved.problem, config.seed)
    result = run(algorithm, estimator_of(resolved), config.budget, config.round_size, seed=config.estimator.seed)
    return [(resolved.space.to_string(t.proposal.architecture), t.estimate.score) for t in result.trials]


@pytest.mark.parametrize("algorithm", ["layernas", "random"])
@pytest.mark.parametrize("budget", [{"evaluations": 37}, {"evaluations": None, "seconds": 500.0}])
def test_a_table_search_is_the_engines_own_search(table: Path, algorithm: str, budget: dict) -> None:
    config = table_config(table, algorithm={"kind": algorithm}, budget=budget)
    search = drive(start(config))
    assert [(row[2], row[8]) for row in outcomes(search)] == in_one_process(config)
    assert search.status == Search.Status.FINISHED
    unit = "evaluations" if budget["evaluations"] else "seconds"
    assert search.status_reason == f"budget of {budget[unit] if unit == 'evaluations' else 500} {unit} spent"
    assert search.charged_seconds == pytest.approx(sum(search.candidates.values_list("seconds", flat=True)))
    assert search.budget_seconds is None or search.charged_seconds <= search.budget_seconds


def test_an_extension_in_the_middle_of_a_look_up_is_not_lost(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = lookups.look_up

    def extended_meanwhile(search: Search, *rest: object) -> lookups.Work:
        work = look_up(search, *rest)
        if work.ended and search.budget_evaluations == 24:
            control.extend(Search.objects.get(pk=search.pk), evaluations=16)
        return work

    expected = drive(start(table_config(table)))
    monkeypatch.setattr(lookups, "look_up", extended_meanwhile)
    assert outcomes(drive(start(table_config(table, budget={"evaluations": 24})))) == outcomes(expected)


def test_counters_best_and_buckets_are_those_of_the_rows(table: Path) -> None:
    config = table_config(table, objective={"cost_metric": "params_m", "hi": 0.0018})
    search = drive(start(config))
    rows = search.candidates.all()
    assert (search.asked, search.scored, search.failed) == (rows.count(), rows.filter(status="scored").count(), 0)
    feasible = rows.filter(feasible=True)
    assert search.feasible == feasible.count() < search.scored
    assert search.best == max(feasible, key=lambda c: (c.score, -c.number))
    assert all(c.params_m > 0.0018 for c in rows.filter(feasible=False))
    resolved = resolve(search.owner, config, local_files=True)
    views = algorithm_state.load(search, resolved).algorithm.buckets()
    shown = {(b.layer, b.index): b.residents for b in Bucket.objects.filter(search=search)}
    assert shown == {(v.layer, v.index): [[r.number, r.score] for r in v.residents] for v in views} != {}


def test_an_exhausted_space_ends_with_its_reason(table: Path) -> None:
    search = drive(start(table_config(table, algorithm={"kind": "random"}, budget={"evaluations": 1_000})))
    assert (search.status, search.scored) == (Search.Status.FINISHED, 81)
    assert search.status_reason == "the algorithm has no more networks to propose"


def test_missing_rows_fail_alone_and_a_table_of_another_space_is_refused(tmp_path: Path) -> None:
    everything = {"algorithm": {"kind": "random"}, "budget": {"evaluations": 1_000}}
    search = drive(start(table_config(write_table(tmp_path, missing=30), **everything)))
    assert (search.status, search.scored, search.failed) == (Search.Status.FINISHED, 51, 30)
    assert "has no row for" in search.candidates.filter(status="failed").first().error
    (tmp_path / "table.csv").write_text("arch,score,truth,cost,seconds\nnothing,1,1,1,1\n")
    with pytest.raises(ConfigError, match="The table names no network of this space, but 'nothing'"):
        start(table_config(tmp_path / "table.csv", **everything))


def test_a_second_search_finds_every_score_again(table: Path) -> None:
    owner = make_user()
    first, second = (drive(start(table_config(table, name=name), owner)) for name in ("one", "two"))
    assert (first.from_cache, second.from_cache) == (0, 40)
    assert outcomes(first) == outcomes(second)
    assert first.charged_seconds == pytest.approx(second.charged_seconds)
    assert Evaluation.objects.count() == 40


def test_a_score_that_another_search_writes_first_is_taken(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = drive(start(table_config(table)))
    known = proposals._evaluations
    early = iter([[]])  # the second search reads this just before the first commits
    monkeypatch.setattr(proposals, "_evaluations", lambda keys: known(next(early, keys)))
    second = drive(start(table_config(table)))
    assert (outcomes(first), Evaluation.objects.count()) == (outcomes(second), 40)


def test_what_a_score_depends_on_is_in_its_key(table: Path, tmp_path: Path) -> None:
    owner = make_user()

    def key(config: SearchConfig) -> str:
        resolved = resolve(owner, config, local_files=True)
        return resolved.stages[0].key(resolved.space.default())

    base = table_config(table)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(table.read_bytes())
    assert key(table_config(copy, seed=5)) == key(base), "neither the search's seed nor the file's name matters"
    estimator = base.estimator.model_dump()
    other_seed = table_config(table, estimator=estimator | {"seed": 3})
    other_reward = table_config(table, estimator=estimator | {"reward": "truth"})
    copy.write_text(copy.read_text().replace(",14\n", ",15\n"))
    keys = [key(config) for config in (base, other_seed, other_reward, table_config(copy))]
    assert len(set(keys)) == 4
    training = training_config()
    split = training_config(dataset={"kind": "digits", "split_seed": 1})
    assert len({key(training), key(split), key(base)}) == 3


def test_a_rebuilt_algorithm_goes_on_as_the_old_one(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = drive(start(table_config(table)))
    monkeypatch.setattr(lookups, "BATCH", 8)
    monkeypatch.setattr(algorithm_state, "FIRST_SNAPSHOT", 10)
    monkeypatch.setattr(advancing, "TASK_SECONDS", 0.0)
    search = start(table_config(table))
    snapshots = set()
    for _ in range(20):
        advancing.advance(search.pk)
        algorithm_state.forget(search.pk)
        snapshots.add(Snapshot.objects.filter(search=search).values_list("rounds", flat=True).first())
    search.refresh_from_db()
    assert search.status == Search.Status.FINISHED
    assert len(snapshots) > 2, "rebuilt from several snapshots"
    assert outcomes(search) == outcomes(undisturbed)


def test_rows_of_another_algorithm_stop_the_search_with_a_reason(table: Path) -> None:
    search = start(table_config(table, budget={"evaluations": 8}))
    drive(search)
    algorithm_state.forget(search.pk)
    first, second = search.candidates.all()[:2]
    Candidate.objects.filter(pk=first.pk).update(choices=second.choices)
    Search.objects.filter(pk=search.pk).update(status=Search.Status.RUNNING, budget_evaluations=16)
    advancing.advance(search.pk)
    search.refresh_from_db()
    assert search.status == Search.Status.FAILED
    assert "number 0" in search.status_reason
    assert search.events.filter(kind="error", message=search.status_reason).exists()


def test_queries_grow_with_batches_not_with_candidates(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "BATCH_SECONDS", 60.0)

    def queries(evaluations: int) -> int:
        search = start(table_config(table, algorithm={"kind": "random"}, budget={"evaluations": evaluations}))
        with CaptureQueriesContext(connection) as captured:
            drive(search)
        Search.objects.get(pk=search.pk).candidates.all().delete()
        return len(captured)

    assert queries(80) <= queries(16) + 10


def test_creation_and_look_ups_never_import_torch(table: Path, tmp_path: Path) -> None:
    code = (
        "import django, sys; django.setup()\n"
        "from searches.services import creation, advancing, control, sweeping, scoring\n"
        "from engine.config.search import SearchConfig\n"
        "from searches.services.resolving import resolve\n"
        "from searches.services.preflight import check\n"
        "from django.contrib.auth.models import AnonymousUser\n"
        f"check(resolve(AnonymousUser(), SearchConfig.parse({training_config().as_dict()!r})))\n"
        "assert 'torch' not in sys.modules\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"objective": {"cost_metric": "params_m", "hi": 1e-9}}, "objective.hi"),
        ({"objective": {"cost_metric": "params_m", "lo": 99.0}}, "objective.lo"),
        ({"objective": {"cost_metric": "params_m", "lo": 0.0015001, "hi": 0.0015002}}, "objective.hi"),
        ({"estimator": {"kind": "table", "path": "x.csv", "reward": "score"}}, "estimator.path"),
        ({"estimator": {"kind": "table", "path": "~nobody by this name/x.csv", "reward": "score"}}, "estimator.path"),
        ({"estimator": {"kind": "table", "path": "x\0.csv", "reward": "score"}}, "estimator.path"),
        ({"estimator": {"kind": "table", "table": 99, "reward": "score"}}, "estimator.table"),
        ({"dataset": {"kind": "upload", "id": 99}}, "dataset.id"),
        ({"objective": {"cost_metric": "table_cost"}}, "objective.cost_metric"),
    ],
)
def test_what_cannot_be_searched_is_refused_at_its_field(table: Path, changes: dict, field: str) -> None:
    with pytest.raises(ConfigError) as refused:
        start(table_config(table, **changes))
    assert [error.path for error in refused.value.errors] == [field]
    assert Search.objects.count() == 0


@pytest.mark.parametrize("column", ["reward", "truth", "seconds", "cost"])
def test_a_column_that_is_not_there_is_named_at_its_field(table: Path, column: str) -> None:
    estimator = table_config(table).estimator.model_dump() | {column: "nowhere"}
    with pytest.raises(ConfigError, match="nowhere") as refused:
        start(table_config(table, estimator=estimator))
    assert refused.value.errors[0].path == f"estimator.{column}"


def test_limits_that_exclude_each_other_are_refused_together(table: Path) -> None:
    cheap = {"metric": "madds_m", "hi": 0.1}
    costly = {"cost_metric": "params_m", "lo": 0.0018, "constraints": [cheap]}
    with pytest.raises(ConfigError) as refused:
        start(table_config(table, objective=costly))
    assert refused.value.errors[0].path.startswith("objective.constraints")


def test_a_table_of_the_server_is_read_on_the_embedded_default_only(table: Path, settings) -> None:
    config = table_config(table)
    with pytest.raises(ConfigError, match="upload the table"):
        creation.create(make_user(), config)
    settings.NASWEB_EMBEDDED = True
    assert creation.create(make_user(), config).status == Search.Status.QUEUED


def test_an_idempotency_key_makes_one_search_an_owner(table: Path) -> None:
    owner = make_user()
    config = table_config(table)
    made = [creation.create(owner, config, idempotency_key="k", local_files=True) for _ in range(2)]
    other = creation.create(make_user(), config, idempotency_key="k", local_files=True)
    assert made[0] == made[1] != other
    assert Search.objects.count() == 2


def test_preflight_says_what_to_expect(table: Path) -> None:
    config = table_config(table, objective={"cost_metric": "params_m", "hi": 0.0018}, budget={"evaluations": 500})
    report, again = (creation.preflight(make_user(), training_config_of(config)) for _ in range(2))
    assert report == again
    assert 0 < report["feasible_share"] < 1
    assert report["size"] == "81"
    assert sum(report["histogram"]["counts"]) == 2_000
    assert len(report["histogram"]["edges"]) == len(report["histogram"]["counts"]) + 1
    assert any("81 networks" in warning for warning in report["warnings"])


def training_config_of(config: SearchConfig) -> SearchConfig:
    """Return the same search, with training instead of a table."""
    return training_config(objective=config.objective.model_dump(), budget=config.budget.model_dump())


def test_a_chain_keeps_its_name_and_its_row(table: Path) -> None:
    owner = make_user()
    first, second = (start(table_config(table, seed=seed), owner) for seed in (1, 2))
    assert first.space == second.space
    assert (first.space.name, first.space.size, first.space.depth) == (CHAIN["name"], "81", 4)


def test_draws_of_a_search_do_not_touch_the_global_generator(table: Path) -> None:
    random.seed(3)
    expected = random.random()
    random.seed(3)
    drive(start(table_config(table)))
    assert random.random() == expected


def test_only_one_task_advances_a_search() -> None:
    search = start(training_config())
    token = advancing._claim(search.pk)
    assert token is not None
    assert advancing._claim(search.pk) is None
    advancing.advance(search.pk)
    search.refresh_from_db()
    assert search.asked == 0
    Search.objects.filter(pk=search.pk).update(advance_until=search.created_at)
    advancing.advance(search.pk)
    search.refresh_from_db()
    assert search.asked == 3, "an expired claim is taken over"
    assert search.advance_token == ""
