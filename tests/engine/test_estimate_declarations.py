"""The declarations of estimates, and their consequences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from engine.calibration import JOINTS, joint_of
from engine.config.estimators import EstimatorOptions
from engine.config.search import SearchConfig
from engine.config.study import StudyConfig
from engine.errors import ConfigError
from engine.registry import ESTIMATORS
from engine.sources import Source, converted

TABLE = {"kind": "table", "path": "scores.csv", "reward": "score"}
MINIMAL: dict[str, dict[str, Any]] = {kind: TABLE if kind == "table" else {"kind": kind} for kind in ESTIMATORS}
OPTIONS: TypeAdapter[EstimatorOptions] = TypeAdapter(EstimatorOptions)
DARTS = {"kind": "darts"}


def options_of(kind: str) -> EstimatorOptions:
    return OPTIONS.validate_python(MINIMAL[kind])


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_what_is_declared_fits_together(kind: str) -> None:
    options = options_of(kind)
    assert type(options) is ESTIMATORS[kind].options
    assert (options.source is not None) == options.looks_up
    assert not (options.looks_up and options.needs_images)
    assert (joint_of(kind) is None) == (not options.joint)


def test_the_declarations() -> None:
    def having(name: str) -> set[str]:
        return {kind for kind, entry in ESTIMATORS.items() if getattr(entry.options, name)}

    looked_up = {"table", "benchmark", "nasbench301"}
    assert having("looks_up") == looked_up
    assert having("needs_images") == set(ESTIMATORS) - looked_up
    assert having("in_percent") == looked_up | {"short_training"}
    assert having("has_mote_parts") == {"mote"}
    assert {ESTIMATORS[kind].options.joint for kind in having("joint")} == set(JOINTS)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_size_exponent_weighs_every_accuracy_in_percent(kind: str) -> None:
    document = {
        "space": DARTS,
        "dataset": {"kind": "digits"},
        "estimator": MINIMAL[kind],
        "objective": {"size_exponent": 0.5},
    }
    if kind in {"short_training", "table", "benchmark", "nasbench301"}:
        assert SearchConfig.parse(document).objective.size_exponent == 0.5
        return
    with pytest.raises(ConfigError) as refused:
        SearchConfig.parse(document)
    assert [item.path for item in refused.value.errors] == ["objective.size_exponent"]


def test_only_arms_that_need_images_are_given_the_data() -> None:
    arms = [{"estimator": estimator} for estimator in MINIMAL.values()]
    config = StudyConfig.parse({"space": DARTS, "dataset": {"kind": "digits"}, "arms": arms})
    with_data = {search.estimator.kind for _, _, search in config.searches() if search.dataset is not None}
    assert with_data == set(ESTIMATORS) - {"table", "benchmark", "nasbench301"}


def test_a_source_names_one_place(tmp_path: Path) -> None:
    for named in ({}, {"row": 1, "path": "x"}, {"row": 1, "official": "nats_tss"}):
        with pytest.raises(ValueError, match="either an uploaded table or a file"):
            Source("path", **named)
    official = options_of("benchmark").source
    assert official is not None
    assert (official.official, official.find(tmp_path)) == ("nats_tss", None)
    place = converted(tmp_path, "nats_tss")
    place.touch()
    assert official.find(tmp_path) == place
    with pytest.raises(ConfigError, match="no such user's home"):
        Source("path", path="~nobody-of-this-name/scores.csv").find(tmp_path)


def test_copies_derive_again_what_depends_on_changed_fields() -> None:
    config = SearchConfig.parse({"space": DARTS, "estimator": TABLE, "final": {"estimator": {**TABLE, "seed": 1}}})
    moved = config.beside(Path("/folder"))
    assert [options.source and options.source.path for options in moved.estimators] == ["/folder/scores.csv"] * 2
    assert config.model_copy(update={"final": None}).finalists == 0
    wide = config.objective.model_copy(update={"hi": 3.0})
    assert (config.objective.limits, wide.limits) == ((("madds_m", None, None),), (("madds_m", None, 3.0),))
    assert SearchConfig.parse(moved.as_dict()) == moved
