"""The estimate of NAS-Bench-301's surrogate in the application: missing files, a whole search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.config.search import SearchConfig
from engine.errors import ConfigError
from searches.services.preflight import preflight
from tests.engine.test_benchmark_nasbench301 import write_official
from tests.searches.driving import drive, start
from tests.searches.factories import make_user

pytestmark = pytest.mark.django_db
CONFIG: dict[str, Any] = {
    "space": {"kind": "darts"},
    "algorithm": {"kind": "layernas"},
    "estimator": {"kind": "nasbench301"},
    "objective": {"cost_metric": "params_m", "hi": 10},
    "budget": {"evaluations": 20},
}


def test_a_missing_folder_is_told_and_a_present_one_searched_with(tmp_path: Path, settings: Any) -> None:
    settings.NASWEB_HOME = tmp_path
    with pytest.raises(ConfigError) as missing:
        preflight(make_user(), SearchConfig.parse(CONFIG))
    (error,) = missing.value.errors
    assert error.path == "estimator.version"
    assert f"Put “nb_models_1.0/xgb_v1.0” into {tmp_path / 'benchmarks'}" in error.message
    write_official(tmp_path / "benchmarks" / "nb_models_1.0" / "xgb_v1.0")
    search = drive(start(SearchConfig.parse(CONFIG)))
    assert search.status == "finished"
    scores = list(search.candidates.values_list("score", flat=True))
    assert len(scores) == 20
    assert all(60 < score < 100 for score in scores)
