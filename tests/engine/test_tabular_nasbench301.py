"""NAS-Bench-301: hand-written vectors, models in the authors' format, pickles that would run code."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import xgboost

from engine.blueprint import InputSpec
from engine.config.algorithms import LayerNASOptions, RegularisedEvolutionOptions
from engine.config.lookups import NasBench301Options
from engine.config.search import Budget, Objective
from engine.config.spaces import DartsOptions
from engine.errors import DataError
from engine.estimators.nasbench301 import NasBench301Estimator
from engine.loop import run
from engine.problem import SearchProblem
from engine.registry import create_algorithm
from engine.spaces.darts import DARTS_V2, DartsSpace
from engine.tabular.nasbench301 import AccuracySurrogate, find
from engine.tabular.nasbench301_vector import NAMES, vector

SPACE = DartsSpace(DartsOptions(), InputSpec())
PREFIX = "NetworkSelectorDatasetInfo:darts:"


def write_official(folder: Path, members: int = 2) -> list[xgboost.Booster]:
    """Train small models on random networks, in which fewer skips are better, and pickle them as the authors do."""
    rng = Random(1)
    networks = [SPACE.sample(rng) for _ in range(200)]
    x = np.stack([vector(SPACE.pairs(a, 0), SPACE.pairs(a, 1)) for a in networks])
    y = np.array([95 - SPACE.to_string(a).count("skip_connect") for a in networks], dtype=float)
    boosters = []
    for member in range(members):
        parameters = {"max_depth": 3, "seed": member, "subsample": 0.7, "nthread": 1, "base_score": 90}
        boosters.append(xgboost.train(parameters, xgboost.DMatrix(x, label=y), 20))
        place = folder / str(member)
        place.mkdir(parents=True)
        (place / "surrogate_model.model").write_bytes(pickle.dumps(boosters[-1]))
    return boosters


def test_the_vector_of_darts_v2_is_the_one_written_by_hand() -> None:
    network = SPACE.from_string(DARTS_V2)
    found = dict(zip(NAMES, vector(SPACE.pairs(network, 0), SPACE.pairs(network, 1)), strict=True))
    edges = {f"edge_normal_{e}": 3 for e in (0, 1, 2, 3, 6)} | {"edge_normal_5": 2, "edge_normal_9": 2}
    edges |= {"edge_normal_11": 5, "edge_reduce_0": 0, "edge_reduce_1": 0, "edge_reduce_3": 0, "edge_reduce_4": 2}
    edges |= {"edge_reduce_5": 0, "edge_reduce_7": 2, "edge_reduce_10": 0, "edge_reduce_11": 2}
    names = {f"edge_{cell}_{edge}" for cell in ("normal", "reduce") for edge in range(14)}
    assert {name: found[PREFIX + name] for name in names} == {name: edges.get(name, -1) for name in names}
    inputs = {"normal_3": 0, "normal_4": 0, "normal_5": 1, "reduce_3": 2, "reduce_4": 1, "reduce_5": 4}
    assert {key: found[f"{PREFIX}inputs_node_{key}"] for key in inputs} == inputs
    assert (len(NAMES), NAMES[10], NAMES[31]) == (56, f"{PREFIX}edge_normal_0", "SimpleTrainNode:mixup:alpha")
    assert NAMES[32:37] == tuple(f"{PREFIX}edge_normal_{edge}" for edge in (10, 11, 12, 13, 2))


def test_predictions_are_the_mean_of_the_members(tmp_path: Path) -> None:
    boosters = write_official(tmp_path / "nb_models" / "xgb_v1.0")
    folder = find(tmp_path, "1.0")
    assert folder is not None
    surrogate = AccuracySurrogate.open(folder)
    networks = [SPACE.sample(Random(seed)) for seed in range(20)]
    x = np.stack([vector(SPACE.pairs(a, 0), SPACE.pairs(a, 1)) for a in networks])
    expected = np.mean([booster.predict(xgboost.DMatrix(x)) for booster in boosters], axis=0)
    estimator = NasBench301Estimator(NasBench301Options(), SPACE, None, surrogate)
    scores = [estimate.score for estimate in estimator.estimate_batch(networks, seed=0)]
    assert scores == pytest.approx(expected, abs=1e-4)
    assert len({*scores}) > 5
    for name in ("json", "ubj"):
        boosters[0].save_model(folder / "0" / f"surrogate_model.{name}")
    (folder / "0" / "surrogate_model.model").unlink()
    assert AccuracySurrogate.open(folder).predict(x) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("options", [LayerNASOptions(), RegularisedEvolutionOptions()])
def test_searches_find_better_networks_than_the_first(tmp_path: Path, options: Any) -> None:
    write_official(tmp_path, 1)
    estimator = NasBench301Estimator(NasBench301Options(), SPACE, None, AccuracySurrogate.open(tmp_path))
    problem = SearchProblem(SPACE, Objective(cost_metric="params_m", hi=10))
    trials = run(create_algorithm(options, problem, 0), estimator, Budget(evaluations=150), 8).trials
    scores = [trial.estimate.score or 0 for trial in trials]
    assert len(scores) == 150
    assert max(scores) > max(scores[:8])


class Harmful:
    def __reduce__(self) -> Any:
        return os.mkdir, ("harmed",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps(Harmful()), "which a model does not need"),
        (pickle.dumps({"handle": 1}), "it contains no Booster"),
        (b"nonsense", r"cannot be read as a model of xgboost .* below 3\.1 also reads files that xgboost 1\.x pickled"),
    ],
)
def test_other_files_are_refused_and_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "surrogate_model.model").write_bytes(content)
    with pytest.raises(DataError, match=words):
        AccuracySurrogate.open(tmp_path)
    assert not (tmp_path / "harmed").exists()


def test_a_file_that_cannot_be_opened_is_told_without_its_place(tmp_path: Path) -> None:
    (tmp_path / "xgb_v1.0" / "surrogate_model.model").mkdir(parents=True)
    with pytest.raises(DataError, match=r"^'xgb_v1\.0' cannot be read: Is a directory\.$"):
        AccuracySurrogate.open(tmp_path / "xgb_v1.0")


def test_a_missing_package_is_told_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_official(tmp_path, 1)
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(DataError, match=r'pip install "nasweb\[nasbench301\]"'):
        AccuracySurrogate.open(tmp_path)
