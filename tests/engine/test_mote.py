"""MOTE's arithmetic against the authors' own values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.benchmarks.mote_exact import GOALS, largest_errors
from engine.calibration import JOINTS
from engine.mote import LOSS_CEILING, LOSS_FLOOR, PUBLISHED, constants_for, landscape_term, speed_term


@pytest.mark.shared_data
def test_terms_and_joint_equal_the_authors_over_all_cells(shared_data: Path) -> None:
    errors = largest_errors(shared_data / "nasbench201.parquet")
    assert errors.cells == 15_614
    assert errors.landscape < GOALS["landscape"]
    assert errors.speed < GOALS["speed"]
    assert errors.mote < GOALS["mote"]


def test_one_cell_by_hand() -> None:
    losses = [2.0, 1.0, 0.5]
    assert landscape_term(losses) == pytest.approx(0.5 + 1 + 2)
    assert speed_term(losses, seconds=7.0) == pytest.approx(7.0 / (3.5 / 3))
    joint = PUBLISHED["nasbench201"].mote(4.0, 3.0)
    by_hand = 0.860 * 1.216 * (4.0**0.860 - 1) + 0.617 * 0.961 * (3.0**0.617 - 1)
    assert float(joint) == pytest.approx(by_hand, abs=1e-12)


def test_losses_near_zero_and_exploded_ones_stay_finite() -> None:
    assert landscape_term([0.0]) == pytest.approx(1 / LOSS_FLOOR)
    assert landscape_term([1e30]) == pytest.approx(1 / LOSS_CEILING)
    assert speed_term([0.0], seconds=1.0) == pytest.approx(1 / LOSS_FLOOR)


def test_a_space_without_published_constants_begins_with_nasbench201s() -> None:
    assert constants_for("chain") == PUBLISHED["nasbench201"]
    assert constants_for("nasbench101").landscape.lam == 0.397


def test_calibration_finds_the_exponent_that_makes_terms_normal() -> None:
    rng = np.random.default_rng(0)
    landscape = np.exp(rng.normal(1, 0.3, 4000))
    speed = rng.normal(9, 1, 4000) ** 2
    population = [{"landscape": a, "speed": b} for a, b in zip(landscape.tolist(), speed.tolist(), strict=True)]
    fitted = JOINTS["mote"].fit(population)
    assert fitted["landscape"]["lam"] == pytest.approx(0.0, abs=0.1)
    assert fitted["speed"]["lam"] == pytest.approx(0.5, abs=0.15)
    constants = JOINTS["mote"].constants("chain", fitted, "here")
    assert constants.source == "here"
    assert constants.read(population[0]) != PUBLISHED["nasbench201"].read(population[0])


@pytest.mark.parametrize("kind", JOINTS)
def test_calibration_needs_a_hundred_networks_that_differ(kind: str) -> None:
    joint = JOINTS[kind]
    for population in ([1.0, 2.0] * 49 + [3.0], [1.0] * 100):
        with pytest.raises(ValueError, match=r"100 networks|same|constant"):
            joint.fit([dict.fromkeys(joint.terms, value) for value in population])
