"""Finalists in rows: a further evaluation of the same network, with any worker and any interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from engine.config.search import SearchConfig
from engine.errors import ConfigError
from engine.estimate import Estimate
from engine.loop import Judge, run
from engine.registry import create_algorithm
from searches.forms.search import SearchForm
from searches.models import Candidate, Evaluation, Search, Snapshot
from searches.selectors import comparison, history
from searches.selectors.candidate_files import csv_parts
from searches.services import advancing, algorithm_state, control, dispatching, lookups, recording, sources
from searches.services.errors import ActionRefused
from searches.services.estimators import estimator_of
from searches.services.resolving import resolve
from tests.searches.clients import API, client_of
from tests.searches.driving import drive, outcomes, start, table_config, training_config, waiting, write_table
from tests.searches.factories import make_user
from tests.searches.test_forms import posted

pytestmark = pytest.mark.django_db


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path)


def with_finals(table: Path, count: int = 5, **changes: Any) -> SearchConfig:
    """Return the table search with finalists by the column of costs, which has another order than the score."""
    estimator = {"kind": "table", "path": str(table), "reward": "cost", "seconds": "seconds", "seconds_factor": 3}
    return table_config(table, final={"estimator": estimator, "count": count, "share": 0.5}, **changes)


def trained_finals(**changes: Any) -> SearchConfig:
    """Return the training search whose best networks are trained again with another seed."""
    estimator = {"kind": "short_training", "epochs": 1, "batch_size": 256, "seed": 7}
    return training_config(final={"estimator": estimator, "count": 3}, **changes)


def made_up(search: Search, backwards: bool = False, fails: tuple[int, ...] = ()) -> Search:
    """Score waiting networks without training, by network and seed; the candidates in ``fails`` fail."""
    for _ in range(200):
        advancing.advance(search.pk)
        search.refresh_from_db()
        work = waiting(search)
        if not search.is_active:
            return search
        for pk in reversed(work) if backwards else work:
            Evaluation.objects.filter(pk=pk).update(status="leased", attempts=1)
            evaluation = Evaluation.objects.get(pk=pk)
            if evaluation.candidates.filter(search=search, number__in=fails).exists():
                estimate = Estimate(None, error="no luck", seconds=2.0)
            else:
                score = sum((i + 2 + evaluation.seed) * c % 5 for i, c in enumerate(evaluation.choices))
                estimate = Estimate(float(score), {"valid_accuracy": 50.0 + score}, seconds=2.0)
            recording.record(pk, 1, estimate)
    raise AssertionError("the search does not come to rest")


GUIDED = {"kind": "mote_nas", "pool": 12, "scouts": 2, "together": 2}
ALGORITHMS = [
    {"kind": "layernas"},
    {"kind": "regularised_evolution", "population": 9},
    {"kind": "mote_nas", "rule": "published"},
    GUIDED,
]


@pytest.mark.parametrize("options", ALGORITHMS, ids=lambda options: options.get("rule", options["kind"]))
@pytest.mark.parametrize("budget", [{"evaluations": 37}, {"evaluations": None, "seconds": 700.0}])
def test_looked_up_finals_are_the_engines_own(table: Path, options: dict, budget: dict) -> None:
    config = with_finals(table, algorithm=options, budget=budget)
    search = drive(start(config))
    resolved = resolve(search.owner, config, local_files=True)
    engine = create_algorithm(config.algorithm, resolved.problem, config.seed)
    judge = Judge(estimator_of(resolved, resolved.stages[1]))
    result = run(engine, estimator_of(resolved), config.budget, 8, final=config.final, judge=judge)
    expected = [(resolved.space.to_string(t.proposal.architecture), t.estimate.score) for t in result.trials]
    assert [(row[2], row[8]) for row in outcomes(search)] == expected
    finals = search.candidates.finals()
    assert finals.count() == search.finals > 0
    assert search.best.arch == resolved.space.to_string(result.best.proposal.architecture)
    assert search.best.final_score == result.best.estimate.score == max(finals.values_list("score", flat=True))
    assert search.status_reason.endswith(f"the best of {search.finals} finalists by their final scores wins")
    assert search.charged_seconds == pytest.approx(sum(search.candidates.values_list("seconds", flat=True)))


def test_a_network_is_counted_once_and_shows_both_scores(table: Path) -> None:
    search = drive(start(with_finals(table)))
    networks = search.candidates.networks()
    assert (search.asked, search.scored, search.finals, networks.count()) == (40, 35, 5, 35)
    assert search.feasible == networks.filter(feasible=True).count()
    assert networks.exclude(final_score=None).count() == 5
    client = client_of(search.owner)
    listed = client.get(f"{API}searches/{search.pk}/candidates/?ordering=-final_score&page_size=100").json()["results"]
    assert len(listed) == 35
    decided = [row["final_score"] for row in listed[:5]]
    assert decided == sorted(decided, reverse=True)
    points = client.get(f"{API}searches/{search.pk}/points/").json()["columns"]
    assert len(points["number"]) == 35
    assert sum(value is not None for value in points["final_score"]) == 5
    shown = client.get(f"{API}searches/{search.pk}/").json()
    assert (shown["evaluated"], shown["scored"], shown["finals"]) == (40, 35, 5)
    assert shown["best"]["final_score"] == listed[0]["final_score"]
    detail = client.get(f"{API}candidates/{search.best_id}/").json()
    (final,) = detail["finals"]
    assert (final["score"], final["estimator"], final["status"]) == (detail["final_score"], "table", "scored")
    row = client.get(f"{API}candidates/{final['id']}/").json()
    assert (row["stage"], row["parent"], row["arch"]) == (1, detail["number"], detail["arch"])
    assert len(b"".join(csv_parts(networks)).splitlines()) == 36
    led = history.history(search)
    last = (led["steps"]["number"][-1], led["steps"]["final_score"][-1])
    assert last == (search.best.number, search.best.final_score)
    first = next(at for at in led["steps"]["trials"] if at > 35)
    assert first == 36, "the first final decides, whatever the scores"
    assert (led["trials"], led["seconds"]) == (40, pytest.approx(search.charged_seconds))
    compared = comparison.compared_search(search, "params_m")
    assert (compared.evaluations, compared.final_score) == (40, search.best.final_score)
    told = {n for e in search.events.filter(kind="candidates") for n in e.payload["numbers"]}
    assert told == set(networks.values_list("number", flat=True)), "a final is news of its network"


@pytest.mark.parametrize(("options", "first"), [(ALGORITHMS[0], 28), (GUIDED, 12)], ids=["layernas", "guided"])
def test_a_rebuilt_search_goes_on_with_its_finals(
    table: Path, options: dict, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = with_finals(table, count=12, budget={"evaluations": 40}, algorithm=options)
    undisturbed = drive(start(config))
    monkeypatch.setattr(lookups, "BATCH", 4)
    monkeypatch.setattr(algorithm_state, "FIRST_SNAPSHOT", 10)
    monkeypatch.setattr(advancing, "TASK_SECONDS", 0.0)
    search = start(config)
    for _ in range(40):
        advancing.advance(search.pk)
        algorithm_state.forget(search.pk)
    search.refresh_from_db()
    assert search.status == Search.Status.FINISHED
    assert Snapshot.objects.get(search=search).asked > first, "also in the middle of the finals"
    assert outcomes(search) == outcomes(undisturbed)
    assert search.best.number == undisturbed.best.number


def test_finalists_are_trained_with_their_own_options_and_found_again() -> None:
    owner = make_user()
    search = drive(start(trained_finals(budget={"evaluations": 8}), owner))
    assert (search.status, search.scored, search.finals) == (Search.Status.FINISHED, 5, 3)
    finals = search.candidates.finals().select_related("evaluation")
    assert {final.evaluation.seed for final in finals} == {7}
    leaders = search.candidates.networks().order_by("-score", "number")[:3]
    assert {final.parent_number for final in finals} == {leader.number for leader in leaders}
    best = max(leaders, key=lambda c: (c.final_score, c.score, -c.number))
    assert search.best == best
    again = drive(start(trained_finals(budget={"evaluations": 8}), owner))
    assert (again.from_cache, outcomes(again)) == (8, outcomes(search))


def test_guided_finalists_are_trained_in_turns_with_scouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scouts are asked between finalists while the budget lasts, with a kept algorithm and with a rebuilt one."""
    config = trained_finals(algorithm={**GUIDED, "pool": 4}, budget={"evaluations": 9}, round_size=4)
    with monkeypatch.context() as context:
        context.setattr(algorithm_state, "KEPT_COPIES", 0)
        rebuilt = made_up(start(config), backwards=True)
    assert rebuilt.status == Search.Status.FINISHED, rebuilt.status_reason
    stages = list(rebuilt.candidates.order_by("number").values_list("stage", flat=True))
    assert stages == [0, 0, 0, 0, 1, 1, 0, 0, 1]
    assert outcomes(made_up(start(config))) == outcomes(rebuilt)


def test_the_order_of_answers_does_not_matter() -> None:
    first, second = (
        made_up(start(trained_finals(name=name)), backwards) for name, backwards in (("a", False), ("b", True))
    )
    assert outcomes(first) == outcomes(second)
    assert first.best.number == second.best.number
    assert first.finals == 3


def test_the_leaders_of_a_table_can_be_trained(table: Path) -> None:
    final = {"estimator": {"kind": "short_training", "epochs": 1}, "count": 3}
    search = made_up(start(table_config(table, dataset={"kind": "digits"}, final=final)))
    assert (search.status, search.scored, search.finals) == (Search.Status.FINISHED, 37, 3)
    finals = search.candidates.finals()
    assert {row.evaluation.estimator for row in finals} == {"short_training"}
    assert search.best.final_score == max(finals.values_list("score", flat=True))
    control.extend(search, evaluations=10)
    made_up(search)
    assert (search.scored, search.finals) == (47, 3)


def test_a_failed_final_is_said_and_can_be_retried() -> None:
    search = made_up(start(trained_finals(budget={"evaluations": 12})), fails=(10,))
    failed = search.candidates.get(number=10)
    assert (failed.stage, failed.status, search.failed, search.finals) == (1, Candidate.Status.FAILED, 1, 2)
    parent = search.candidates.get(number=failed.parent_number)
    assert (parent.status, parent.final_score) == (Candidate.Status.SCORED, None)
    shown = client_of(search.owner).get(f"{API}searches/{search.pk}/").json()
    assert shown["failures"][0]["error"] == "no luck"
    control.retry_failed(search)
    made_up(search)
    parent.refresh_from_db()
    assert (search.failed, search.finals) == (0, 3)
    assert parent.final_score is not None
    search.candidates.networks().update(seconds=0.1)
    both = search.candidates.networks(), search.candidates.finals()
    networks, finals = (list(rows.values_list("evaluation", flat=True)) for rows in both)
    assert dispatching.chunks(search, networks) == [networks], "a second of work"
    assert dispatching.chunks(search, finals) == [[pk] for pk in finals], "two seconds each"
    algorithm_state.forget(search.pk)
    algorithm_state.load(search, resolve(search.owner, SearchConfig.parse(search.config)))


def test_seconds_of_trainings_are_shared_and_a_first_final_goes_alone() -> None:
    config = trained_finals(budget={"evaluations": None, "seconds": 40.0}, round_size=4)
    search = made_up(start(config))
    assert search.candidates.networks().count() == 12  # 24 of 40 s
    first, second, _ = search.candidates.finals().order_by("number")
    assert first.scored_at < second.created_at, "how long a final takes is not known before the first"


@pytest.mark.parametrize("column", ["reward", "seconds"])
def test_a_column_that_is_not_there_is_named_at_the_final(table: Path, column: str) -> None:
    config = with_finals(table).as_dict()
    config["final"]["estimator"][column] = "nothing"
    with pytest.raises(ConfigError) as caught:
        start(SearchConfig.parse(config))
    assert [error.path for error in caught.value.errors] == [f"final.estimator.{column}"]


def test_the_finals_table_is_kept_while_a_search_uses_it(table: Path) -> None:
    owner = make_user()
    row = sources.add_table(owner, "for finals", SimpleUploadedFile("table.csv", table.read_bytes()))
    estimator = {"kind": "table", "table": row.pk, "reward": "truth"}
    search = drive(start(table_config(table, final={"estimator": estimator, "count": 4}), owner))
    assert (search.final_table, search.finals) == (row, 4)
    with pytest.raises(ActionRefused, match="is used by search"):
        sources.delete_table(row)


def test_the_form_offers_none_or_any_estimate(table: Path) -> None:
    owner = make_user()
    data = posted(training_config().as_dict())
    assert data["final.kind"] == ""
    sent = SearchForm(owner, data)
    assert sent.is_valid(), sent.errors
    assert sent.config.final is None
    data |= posted(trained_finals(budget={"evaluations": 16}).as_dict())
    sent = SearchForm(owner, data | {"final.short_training.epochs": "9", "final.count": "4"})
    assert sent.is_valid(), sent.errors
    assert (sent.config.final.count, sent.config.final.estimator.epochs) == (4, 9)
    filled = SearchForm(owner, document=sent.config.as_dict())
    assert (filled["final.kind"].value(), filled["final.short_training.epochs"].value()) == ("short_training", 9)
    for changes, field in (
        ({f"final.{n.partition('.')[2]}": data[n] for n in data if n.startswith("estimator.")}, "final.kind"),
        ({"final.kind": "short_training", "final.count": "100"}, "final.count"),
        ({"final.kind": "table", "final.table.path": str(table)}, "final.table.reward"),
        ({"final.kind": "short_training", "final.short_training.epochs": "0"}, "final.short_training.epochs"),
    ):
        refused = SearchForm(owner, data | changes)
        assert not refused.is_valid()
        assert set(refused.errors) == {field}, refused.errors
