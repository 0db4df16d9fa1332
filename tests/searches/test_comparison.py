"""Comparison of searches: the choice of the score, a common reference point, repeats as mean and spread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from searches.models import Search
from searches.selectors import comparison
from searches.services import creation
from tests.searches.clients import API, assert_private, client_of
from tests.searches.driving import drive, start, table_config, write_table
from tests.searches.factories import CONFIG, make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db


def compared(owner: Any, searches: list[Search], **params: Any) -> dict[str, Any]:
    asked = {"searches": ",".join(str(search.pk) for search in searches), **params}
    reply = client_of(owner).get(f"{API}comparisons/", asked)
    assert reply.status_code == 200, reply.content
    return reply.json()


def test_the_score_chooses_and_the_truth_is_only_reported() -> None:
    search = make_search(make_user())
    rows = [(1.0, 5.0, 90.0, True), (9.0, 1.0, 99.0, False), (2.0, 3.0, 80.0, True), (1.5, 2.0, 95.0, True)]
    make_candidates(
        search,
        [{"score": s, "madds_m": c, "truth": t, "feasible": f, "seconds": 2.0} for s, c, t, f in rows],
    )
    [shown] = compared(search.owner, [search])["searches"]
    assert shown["steps"] == [[1, 2.0, 1.0, 90.0], [3, 6.0, 2.0, 80.0]]
    assert (shown["best_score"], shown["best_truth"]) == (2.0, 80.0)
    assert [(p["cost"], p["score"]) for p in shown["front"]] == [(2.0, 1.5), (3.0, 2.0)]
    assert (shown["evaluations"], shown["seconds"]) == (4, 8.0)


def test_hypervolume_is_the_area_to_one_corner_for_all() -> None:
    owner = make_user()
    one, two = make_search(owner), make_search(owner)
    make_candidates(one, [{"score": 1.0, "madds_m": 1.0}, {"score": 3.0, "madds_m": 2.0}])
    make_candidates(two, [{"score": 2.0, "madds_m": 3.0}])
    body = compared(owner, [one, two])
    cost = 3.0 + 0.1 * 2.0
    score = 1.0 - 0.1 * 2.0
    assert body["reference"] == pytest.approx({"cost": cost, "score": score})
    first, second = (shown["hypervolume"] for shown in body["searches"])
    assert first == pytest.approx((cost - 1) * (1 - score) + (cost - 2) * (3 - 1))
    assert second == pytest.approx((cost - 3) * (2 - score))
    grown = [volume for _, _, volume in body["searches"][0]["volumes"]]
    assert grown == sorted(grown)


def test_repeats_are_shown_as_mean_and_spread() -> None:
    owner = make_user()
    searches = [make_search(owner, config={**CONFIG, "seed": seed, "name": f"n{seed}"}) for seed in (4, 7)]
    other = make_search(owner, config={**CONFIG, "round_size": 3})
    for search, scores in zip([*searches, other], [(1.0, 3.0), (2.0, 6.0), (5.0,)], strict=True):
        make_candidates(search, [{"score": s, "madds_m": 1.0} for s in scores])
    body = compared(owner, [*searches, other])
    [group] = body["groups"]
    assert (group["searches"], group["seeds"]) == ([s.pk for s in searches], [4, 7])
    curve = group["curves"]["evaluations"]["score"]
    assert curve["x"] == [1.0, 2.0]
    assert curve["mean"] == [1.5, 4.5]
    assert (curve["low"], curve["high"]) == ([1.0, 3.0], [2.0, 6.0])
    assert {row["path"] for row in body["settings"]} == {"seed", "round_size"}


def test_spread_of_step_curves_against_a_fine_grid() -> None:
    rng = np.random.default_rng(5)
    curves = [np.cumsum(rng.uniform(0.1, 1.0, (6, 2)), axis=0) for _ in range(3)]
    ends = [curve[-1, 0] + 1.0 for curve in curves]
    spread = comparison.mean_and_spread([[tuple(step) for step in curve] for curve in curves], ends)
    for x, mean, std in zip(spread["x"], spread["mean"], spread["std"], strict=True):
        values = [curve[curve[:, 0] <= x][-1, 1] for curve in curves]
        assert mean == pytest.approx(np.mean(values))
        assert std == pytest.approx(np.std(values))
    assert spread["x"][0] == max(curve[0, 0] for curve in curves)
    assert spread["x"][-1] == min(ends)


def test_what_weakens_a_comparison_is_said() -> None:
    owner = make_user()
    mote = make_search(owner)
    config = {**CONFIG, "estimator": {"kind": "short_training"}}
    short = make_search(owner, config=config)
    warnings = " ".join(compared(owner, [mote, short])["warnings"])
    for words in ("different estimates", "different spaces", "no feasible network"):
        assert words in warnings


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "searches"),
        ({"searches": "999999"}, "searches"),
        ({"searches": "1,x"}, "searches"),
        ({"searches": ",".join(map(str, range(1, 14)))}, "searches"),
    ],
)
def test_bad_addresses_name_the_field(params: dict[str, str], field: str) -> None:
    reply = client_of(make_user()).get(f"{API}comparisons/", params)
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["field"] == field


def test_another_users_search_is_not_found() -> None:
    search = make_search(make_user())
    reply = client_of(make_user()).get(f"{API}comparisons/", {"searches": search.pk})
    assert reply.status_code == 400
    assert str(search.pk) in reply.json()["errors"][0]["message"]
    assert_private(f"searches/{search.pk}/repeat/", "post", {"count": 1})


def test_what_is_missing_is_refused_or_left_out() -> None:
    search = make_search(make_user())
    other = make_search(make_user())
    asked = {"searches": f"{other.pk},{search.pk},999999"}
    client = client_of(search.owner)
    [error] = client.get(f"{API}comparisons/", asked).json()["errors"]
    assert error == {"field": "searches", "message": f"There is no search {other.pk}, 999999."}
    body = client.get(f"{API}comparisons/", {**asked, "missing": "leave_out"}).json()
    assert [shown["id"] for shown in body["searches"]] == [search.pk]
    assert body["missing"] == [other.pk, 999999]
    for params in ({**asked, "missing": "ignore"}, {"searches": "999999", "missing": "leave_out"}):
        assert client.get(f"{API}comparisons/", params).status_code == 400


def test_three_algorithms_on_a_users_table_lie_over_one_another(tmp_path: Path) -> None:
    table = write_table(tmp_path)
    kinds = ["layernas", "regularised_evolution", "random"]
    first = drive(start(table_config(table, algorithm={"kind": kinds[0]})))
    searches = [first]
    for kind in kinds[1:]:
        searches.append(drive(start(table_config(table, algorithm={"kind": kind}), owner=first.owner)))
    body = compared(first.owner, searches)
    assert [shown["algorithm"] for shown in body["searches"]] == kinds
    assert all(shown["status"] == "finished" and shown["front"] for shown in body["searches"])
    assert all(shown["best_truth"] is not None for shown in body["searches"])
    assert body["warnings"] == []


def test_repeat_starts_searches_with_the_next_seeds(tmp_path: Path) -> None:
    search = start(table_config(write_table(tmp_path), seed=3))
    made = creation.repeat(search, 2, local_files=True)
    assert [row.config["seed"] for row in made] == [4, 5]
    assert [row.pk for row in comparison.repeats(search)] == [search.pk, *(row.pk for row in made)]
    assert made[0].name == f"{search.name} (seed 4)"
    [third] = creation.repeat(made[1], 1, local_files=True)
    assert third.config["seed"] == 6
    assert third.name == f"{search.name} (seed 6)"
