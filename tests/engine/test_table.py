"""Tables of architectures: what is read, what is refused, and the estimate and the costs made from them."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.benchmarks.additive import AdditiveSpace
from engine.blueprint import InputSpec
from engine.config.lookups import TableOptions
from engine.config.search import Objective
from engine.config.spaces import NasBench201Options
from engine.errors import ConfigError, DataError, Stopped
from engine.estimators.table import TableEstimator
from engine.metrics import TABLE_COST
from engine.problem import SearchProblem
from engine.spaces.nasbench201 import NasBench201Space
from engine.table import Table, TableCosts

SPACE = AdditiveSpace([[3, 2, 1], [5, 4]])
ROWS = "arch,valid,test,secs,note\n0-0,90,89,10,a\n1-1,91,,20,b\n2-0,,80,30,c\nnonsense,99,99,1,d\n2-1,70.5,71,,e\n"
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(text: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return put


def _options(**fields: object) -> TableOptions:
    return TableOptions.model_validate({"path": "table.csv", "reward": "valid", **fields})


def test_csv_and_parquet_give_the_same_table(write: Write, tmp_path: Path) -> None:
    csv = Table.open(write(ROWS))
    pd.read_csv(tmp_path / "table.csv").assign(curve=[[1.0, 2.0]] * 5).to_parquet(tmp_path / "table.parquet")
    parquet = Table.open(tmp_path / "table.parquet")
    assert csv.archs == parquet.archs
    assert [(c.name, c.type) for c in csv.columns] == [
        ("arch", "text"), ("valid", "number"), ("test", "number"), ("secs", "number"), ("note", "text")
    ]  # fmt: skip
    assert [c.type for c in parquet.columns][-1] == "other"
    np.testing.assert_array_equal(csv.numbers("valid"), parquet.numbers("valid"))
    assert csv.content_hash != parquet.content_hash
    assert len(csv) == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,valid\na,1\n", r"needs a column 'arch'.*its columns are: name, valid"),
        ("arch,valid\n0-0,1\n1-1,2\n0-0,3\n", r"'0-0' is there twice, again in row 3"),
        ("arch,valid\n0-0,1\n,2\n", r"Row 2 has no 'arch'"),
        ("arch,valid\n", r"has no rows"),
        ("arch;valid\n0-0;1\n", r"columns are: arch;valid\. Separate the columns by commas"),
        ("arch;valid\n0-0;1,5\n1-1;2,5\n", r"table: Separate the columns by commas, and write decimals with a point\."),
        ("arch;valid\n0-0;1\n1-1;2,5\n", r"table: Separate the columns by commas, and write decimals with a point\."),
        ("arch,valid\n0-0,1,\n1-1,2,\n", r"more entries than its first line has names"),
        ("", r"'table.csv' cannot be read as a CSV or Parquet table"),
    ],
)
def test_unusable_tables_are_refused_with_the_reason(write: Write, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Table.open(write(text))


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    for name, content in {"zip.csv": b"PK\x03\x04\xff\xfe\x00", "broken.parquet": b"PAR1 and nothing else"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"'{name}' cannot be read") as caught:
            Table.open(tmp_path / name)
        assert len(str(caught.value)) < 300
    with pytest.raises(DataError, match="No such file"):
        Table.open(tmp_path / "missing.csv")
    many = pa.nulls(60_000_000)
    pq.write_table(pa.table({"arch": many, "score": many}), tmp_path / "bomb.parquet")
    with pytest.raises(DataError, match="60,000,000 rows of 2 columns are more than 100,000,000 values"):
        Table.open(tmp_path / "bomb.parquet")


def test_scores_truth_and_seconds_come_from_their_columns(write: Write) -> None:
    options = _options(truth="test", seconds="secs", seconds_factor=0.5)
    estimator = TableEstimator(options, SPACE, None, Table.open(write(ROWS)))
    names = ["0-0", "1-1", "2-0", "2-1", "0-1"]
    items = [SPACE.from_string(name) for name in names]
    found = estimator.estimate_batch(items, seed=3)
    assert [e.score for e in found] == [90, 91, None, 70.5, None]
    assert [dict(e.terms) for e in found] == [{"truth": 89}, {}, {}, {"truth": 71}, {}]
    assert [e.seconds for e in found] == [5, 10, 15, 0, 0] == [estimator.seconds(item) for item in items]
    assert found[2].error == "The table's column 'valid' has no number for '2-0'."
    assert found[4].error == "The table has no row for '0-1'."
    with pytest.raises(Stopped):
        estimator.estimate_batch(items, seed=0, stop=lambda: True)


def test_architectures_are_found_however_the_file_spells_them(write: Write) -> None:
    estimator = TableEstimator(_options(), SPACE, None, Table.open(write("arch,valid\n 00-01 ,1\n2-1,2\n")))
    items = [SPACE.architecture((0, 1)), SPACE.architecture((2, 1))]
    assert [e.score for e in estimator.estimate_batch(items, seed=0)] == [1, 2]


@pytest.mark.parametrize("field", ["reward", "truth", "seconds", "cost"])
@pytest.mark.parametrize(("column", "reason"), [("nope", "is not there"), ("note", "is not a column of numbers")])
def test_columns_that_cannot_be_used_are_named_at_their_field(
    write: Write, field: str, column: str, reason: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        TableEstimator(_options(**{field: column}), SPACE, None, Table.open(write(ROWS)))
    (error,) = caught.value.errors
    assert error.path == f"estimator.{field}"
    assert error.message == f"The column '{column}' {reason}; the table has columns of numbers: valid, test, secs."
    spoilt = Table.open(write("arch,valid\n0-0,1\n1-1,\n2-1,n.d.\n"))
    with pytest.raises(DataError, match=r"'valid' is text, since row 3 holds 'n\.d\.'; .* numbers: none"):
        spoilt.numbers("valid")


def test_infinite_numbers_are_unknown(write: Write) -> None:
    table = Table.open(write("arch,valid,test,secs\n0-0,inf,1e999,5\n0-1,2,-inf,inf\n1-1,1,3,1e308\n"))
    assert table.best("test") == ("1-1", 3)
    options = _options(truth="test", seconds="secs", seconds_factor=10)
    estimator = TableEstimator(options, SPACE, None, table)
    found = estimator.estimate_batch([SPACE.from_string(name) for name in table.archs], seed=0)
    assert [(e.score, e.seconds, dict(e.terms)) for e in found] == [(None, 50, {}), (2, 0, {}), (1, 0, {"truth": 3})]
    assert found[0].error == "The table's column 'valid' has no number for '0-0'."


def test_negative_seconds_are_refused_by_row_and_column(write: Write) -> None:
    table = Table.open(write("arch,valid,secs\n0-0,1,5\n0-1,2,-1\n"))
    with pytest.raises(ConfigError) as caught:
        TableEstimator(_options(seconds="secs"), SPACE, None, table)
    (error,) = caught.value.errors
    assert error.path == "estimator.seconds"
    assert error.message == "Row 2 of the column 'secs' holds -1; no trial takes negative seconds."


def test_a_missing_table_is_named_at_its_field() -> None:
    with pytest.raises(ConfigError, match="needs a table"):
        TableEstimator(_options(), SPACE)


def test_table_costs_and_their_ranges_follow_the_rows(write: Write) -> None:
    table = Table.open(write("arch,cost\n0-0,9\n0-1,7\n1-1,5\n2-0,\n2-1,\n"))
    costs = TableCosts(table, SPACE, "cost")
    assert costs.cost(SPACE.architecture((0, 1))) == 7
    assert math.isnan(costs.cost(SPACE.architecture((1, 0))))
    assert costs.cost_range(()) == (5, 9)
    assert costs.cost_range((0,)) == (7, 9)
    assert costs.cost_range((1,)) == (5, 5)
    assert costs.cost_range((0, 0)) == (9, 9)
    assert costs.cost_range((), until=1) == (9, 9)  # the second layer keeps its default: only 0-0 has a cost
    assert all(math.isnan(end) for prefix in ((2,), (1, 0)) for end in costs.cost_range(prefix))


def test_a_problem_with_table_costs_reaches_exactly_what_the_rows_allow(write: Write) -> None:
    space = AdditiveSpace([[3, 2, 1]] * 3)
    rows = {c: 10 + sum(i * 3**p for p, i in enumerate(c)) for c in product(range(3), repeat=3) if c != (1, 1, 1)}
    text = "\n".join(["arch,cost", *(f"{'-'.join(map(str, c))},{cost}" for c, cost in rows.items())])
    problem = SearchProblem(
        space, Objective(cost_metric=TABLE_COST, lo=17, hi=21), TableCosts(Table.open(write(text)), space, "cost")
    )
    for depth in range(4):
        for prefix in product(range(3), repeat=depth):
            behind = [cost for c, cost in rows.items() if c[:depth] == prefix]
            assert problem.reachable(prefix) == bool(behind and min(behind) <= 21 and max(behind) >= 17)
            carried = [problem.reachable((*prefix, 0, 0, 0)[:length]) for length in range(depth, 4)]
            assert problem.reach(prefix) == depth - 1 + [*carried, False].index(False)
    assert problem.children((1, 2)) == [0]
    assert problem.completed((1, 2))[:2] == ((1, 2, 0), 17)
    assert problem.children((1, 1)) == []  # 14, unknown, 32
    assert not problem.feasible(space.architecture((1, 1, 1)))


def test_the_real_table_knows_every_cell(shared_data: Path) -> None:
    table = Table.open(shared_data / "nasbench201.parquet")
    space = NasBench201Space(NasBench201Options(), InputSpec())
    options = _options(reward="cifar10_val_acc_12", truth="cifar10_test_acc_200")
    estimator = TableEstimator(options, space, None, table)
    items = [space.architecture(choices) for choices in product(range(5), range(25), (0, 60, 124))]
    found = estimator.estimate_batch(items, seed=0)
    assert all(e.score is not None and 9 < e.score < 100 for e in found)
    best = table.best("cifar10_test_acc_200")
    assert best is not None
    assert best[1] == pytest.approx(94.37, abs=0.005)
    low, high = TableCosts(table, space, "cifar10_madds_m").cost_range(())
    counted = space.cost_range((), "madds_m")
    assert (low, high) == pytest.approx(counted, abs=2e-5)  # the table's count has the classifier's bias as well
