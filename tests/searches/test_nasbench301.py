"""The estimate of NAS-Bench-301's surrogate in the application: missing files, a whole search."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from engine.config.search import SearchConfig
from engine.errors import ConfigError
from searches.selectors import tabular
from searches.services.preflight import preflight
from tests.engine.test_tabular_nasbench301 import write_official
from tests.searches.clients import API, client_of
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


def test_a_missing_folder_is_told_and_a_present_one_searched_with(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.NASWEB_HOME = tmp_path
    user = make_user(is_staff=True)
    client = Client()
    client.force_login(user)
    with pytest.raises(ConfigError) as missing:
        preflight(user, SearchConfig.parse(CONFIG))
    (error,) = missing.value.errors
    assert error.path == "estimator.version"
    assert f"Put “nb_models_1.0/xgb_v1.0” into {tmp_path / 'benchmarks'}" in error.message
    assert [row["state"] for row in tabular.surrogates(user)] == ["missing"] * 2
    place = tmp_path / "benchmarks" / "nb_models_1.0" / "xgb_v1.0"
    page = client.get(reverse("tables")).content.decode()
    assert f"Put “nb_models_1.0/xgb_v1.0” into {tmp_path / 'benchmarks'}" in page
    write_official(place)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "xgboost", None)
        with pytest.raises(ConfigError, match=r'pip install "nasweb\[nasbench301\]"'):
            preflight(user, SearchConfig.parse(CONFIG))
        assert [row["state"] for row in tabular.surrogates(user)] == ["package missing", "missing"]
    assert [row["state"] for row in tabular.surrogates(user)] == ["ready", "missing"]
    search = drive(start(SearchConfig.parse(CONFIG)))
    assert search.status == "finished"
    scores = list(search.candidates.values_list("score", flat=True))
    assert len(scores) == 20
    assert all(60 < score < 100 for score in scores)


def test_surrogates_are_listed_with_the_benchmarks(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are listed in the same form, with the next step; they are not read and cannot be forgotten."""
    settings.NASWEB_HOME = tmp_path
    place = "nb_models_1.0/xgb_v1.0"
    client = client_of(make_user())
    administrator = client_of(make_user(is_staff=True))
    monkeypatch.setitem(sys.modules, "xgboost", None)
    table, *_, newer, _ = client.get(f"{API}benchmarks/").json()
    assert newer.keys() == table.keys()
    assert (newer["name"], newer["state"], newer["file"], newer["folder"]) == ("nasbench301_1.0", "missing", None, None)
    assert newer["what_to_do"].startswith(f"Ask an administrator to put “{place}” into the server's folder")
    assert ' and install the package xgboost: pip install "nasweb[nasbench301]". The models' in newer["what_to_do"]
    (tmp_path / "benchmarks" / place).mkdir(parents=True)
    *_, newer, _ = administrator.get(f"{API}benchmarks/").json()
    assert (newer["state"], newer["file"], newer["folder"]) == ("package missing", place, str(tmp_path / "benchmarks"))
    assert newer["what_to_do"].startswith("Install the package xgboost")
    monkeypatch.undo()
    *_, newer, _ = administrator.get(f"{API}benchmarks/").json()
    assert (newer["state"], newer["what_to_do"]) == ("ready", "")
    for act in (administrator.post, administrator.delete):
        reply = act(f"{API}benchmarks/{newer['name']}/")
        assert reply.status_code == 409
        assert "is used as it is" in reply.json()["detail"]
