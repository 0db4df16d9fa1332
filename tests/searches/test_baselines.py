"""Baselines beside an estimate: counts of the same networks, what sets them apart, and the sentence on it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

from engine.correlation import Interval
from searches.selectors.baselines import LABELS, Baselines, sentence, verdict_on

SIZE = 10**6


def of(count: int, noise: dict[str, float], seed: int = 0) -> tuple[Baselines, np.ndarray]:
    """Return baselines that are the truth with noise, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=count)
    counts = {name: truth + noise.get(name, 1.0) * rng.normal(size=count) for name in LABELS}
    return Baselines(truth, counts, SIZE), truth


def test_figures_are_of_the_same_networks() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=100)
    counts = {name: rng.normal(size=100) + truth for name in LABELS}
    baselines = Baselines(truth, counts, SIZE)
    rows = baselines.rows()
    assert [row["label"] for row in rows] == ["Parameters", "Multiply-adds", "Trained layers"]
    for row in rows:
        assert row["tau"]["value"] == pytest.approx(kendalltau(counts[row["name"]], truth).statistic)
        assert row["tau"]["count"] == 100
    figures = baselines.figures(truth)
    assert (figures["tau_best_tenth"], figures["ndcg_top"]) == (pytest.approx(1.0), pytest.approx(1.0))


@pytest.mark.parametrize(("count", "tenth", "top"), [(24, False, False), (30, False, True), (100, True, True)])
def test_small_tops_are_not_ranked(count: int, tenth: bool, top: bool) -> None:
    baselines, truth = of(count, {})
    figures = baselines.figures(truth)
    assert (figures["tau_best_tenth"] is not None, figures["ndcg_top"] is not None) == (tenth, top)


def test_an_estimate_is_told_from_each_baseline_or_not() -> None:
    baselines, truth = of(200, {"params_m": 0.5, "madds_m": 1.0, "trained_layers": 8.0})
    scores = truth + 0.95 * np.random.default_rng(9).normal(size=200)
    found = baselines.compared("MOTE", scores)
    assert [row["verdict"] for row in found["baselines"]] == ["worse", "unclear", "better"]
    needed = [row["networks_needed"] for row in found["baselines"]]
    assert (needed[0], needed[2]) == (None, None)
    assert needed[1] > 200
    worse, unclear, better = (row["difference"] for row in found["baselines"])
    assert worse["high"] < 0 < better["low"]
    assert unclear["low"] < 0 < unclear["high"]
    again = of(200, {"params_m": 0.5, "madds_m": 1.0, "trained_layers": 8.0})[0].compared("MOTE", scores)
    assert again == found, "resamples follow a fixed seed"


def test_the_count_itself_is_the_same_and_a_constant_count_is_unknown() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=40)
    count = rng.permutation(40).astype(float)
    baselines = Baselines(truth, {"params_m": count, "madds_m": count**2, "trained_layers": np.ones(40)}, SIZE)
    found = baselines.compared("“size”", np.log1p(count))
    assert [row["verdict"] for row in found["baselines"]] == ["same", "same", "unknown"]
    assert found["baselines"][2]["tau"] is None
    assert found["sentence"] == "“size” ranks these 40 networks exactly as parameters and multiply-adds."
    none = Baselines(np.empty(0), dict.fromkeys(LABELS, np.empty(0)), SIZE).compared("MOTE", np.empty(0))
    assert [row["verdict"] for row in none["baselines"]] == ["unknown"] * 3
    assert none["sentence"] == ""


@pytest.mark.parametrize(
    ("low", "value", "high", "verdict"),
    [
        (0.01, 0.1, 0.2, "better"),
        (-0.2, -0.1, -0.01, "worse"),
        (-0.1, 0.1, 0.3, "unclear"),
        (-0.1, 0.0, 0.1, "unclear"),
        (0.0, 0.0, 0.0, "same"),
        (math.nan, math.nan, math.nan, "unknown"),
    ],
)
def test_verdicts(low: float, value: float, high: float, verdict: str) -> None:
    assert verdict_on(Interval(value, low, high, 30)) == verdict


def row(label: str, verdict: str, needed: int | None = None) -> dict[str, Any]:
    return {"label": label, "verdict": verdict, "networks_needed": needed}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row("Parameters", "unknown")], ""),
        (
            [row("Parameters", "better"), row("Multiply-adds", "worse"), row("Trained layers", "better")],
            "The score ranks these 1,200 networks better than parameters and trained layers. "
            "It ranks them worse than multiply-adds.",
        ),
        (
            [
                row("Parameters", "unclear", 1_500),
                row("Multiply-adds", "unclear", 3_000),
                row("Trained layers", "same"),
            ],
            "The score ranks these 1,200 networks exactly as trained layers. On 1,200 networks the rank correlation of "
            "the score cannot be told from that of parameters and multiply-adds. If the difference stays the same, "
            "showing it takes about 1,500 networks for parameters and about 3,000 networks for multiply-adds.",
        ),
        (
            [row("Parameters", "unclear", 20_000), row("Multiply-adds", "unclear", 40_000)],
            "On 1,200 networks the rank correlation of the score cannot be told from that of parameters and "
            "multiply-adds. If the difference stays the same, showing it takes more than 10,000 networks for "
            "parameters and more networks than the space has for multiply-adds.",
        ),
        (
            [row("Parameters", "unclear")],
            "On 1,200 networks the rank correlation of the score cannot be told from that of parameters.",
        ),
    ],
)
def test_sentences(rows: list[dict[str, Any]], words: str) -> None:
    assert sentence("the score", 1_200, rows, 30_000) == words
