"""Downloads and drawings of candidates, from their rows."""

from __future__ import annotations

import io
import json
import zipfile
from hashlib import sha256
from importlib.metadata import version
from xml.etree import ElementTree

import onnx
import pytest
import torch

from searches.models import Candidate
from searches.services import export_jobs
from searches.services.errors import ActionRefused
from tests.searches.factories import DATA, make_candidates, make_search, make_user

pytestmark = pytest.mark.django_db
DIGITS = DATA | {"class_names": [f"digit {i}" for i in range(10)], "preprocessing": {"scale": 16}}


@pytest.fixture
def candidate() -> Candidate:
    search = make_search(make_user(), name='My "first" search/1', data_info=DIGITS)
    # The smallest network of the size space: 8 channels everywhere.
    row = {"score": 1.5, "choices": [7] * 5, "arch": "8:8:8:8:8", "valid_accuracy": 91.0}
    return make_candidates(search, [row])[0]


def test_json_has_architecture_scores_and_provenance(candidate: Candidate) -> None:
    candidate.evaluation.terms = {"landscape": 2.0, "speed": float("inf"), "truth": None}
    name, content_type, data = export_jobs.export(candidate, "json")
    document = json.loads(data)
    assert (name, content_type) == ("nasweb-my-first-search1-0.json", "application/json")
    assert document["architecture"]["string"] == "8:8:8:8:8"
    assert document["network"]["input"]["shape"] == ["batch", 1, 8, 8]
    assert document["network"]["class_names"][9] == "digit 9"
    assert document["network"]["weights"]["trained"] is False
    assert document["scores"]["valid_accuracy"] == 91.0
    assert document["scores"]["terms"] == {"landscape": 2.0, "speed": None, "truth": None}
    analytic = document["costs"]["analytic"]
    assert analytic == document["costs"]["counted_by_running"] | {"peak_memory_mb": analytic["peak_memory_mb"]}
    assert analytic["peak_memory_mb"] == 0.01024  # five maps of 8x8x8 float32 values in the first cell
    assert document["provenance"]["config"] == candidate.search.config
    assert document["provenance"]["versions"]["nasweb"] == version("nasweb")


def test_zip_holds_every_format_and_its_checks(candidate: Candidate) -> None:
    name, content_type, data = export_jobs.export(candidate, "zip")
    stem = name.removesuffix(".zip")
    archive = zipfile.ZipFile(io.BytesIO(data))
    files = {file.removeprefix(f"{stem}/"): archive.read(file) for file in archive.namelist()}
    assert content_type == "application/zip"
    made = {f"{stem}.json", "model.py", "weights.pt", f"{stem}.onnx", f"{stem}.pt2"}
    assert set(files) == made | {"README.txt", "verification.json"}
    verification = json.loads(files["verification.json"])
    assert {name: entry["sha256"] for name, entry in verification["files"].items()} == {
        name: sha256(files[name]).hexdigest() for name in made
    }
    assert verification["costs"]["agree"]
    assert verification["weights"]["trained"] is False
    for form in ("pt2", "model_py"):
        assert verification[f"{form}_against_pytorch"]["max_abs_difference"] <= 1e-4
    checks = verification["onnx_against_pytorch"]
    assert checks["max_abs_difference"] <= checks["tolerance"] == 1e-4
    metadata = {p.key: p.value for p in onnx.load_from_string(files[f"{stem}.onnx"]).metadata_props}
    assert json.loads(metadata["preprocessing"]) == {"scale": 16}
    program = torch.export.load(io.BytesIO(files[f"{stem}.pt2"])).module()
    assert program(torch.zeros(4, 1, 8, 8)).shape == (4, 10)


def test_unknown_format_is_refused_in_words(candidate: Candidate) -> None:
    with pytest.raises(ActionRefused, match="there is no format 'exe'; choose one of json, py, pt, onnx, pt2, zip"):
        export_jobs.export(candidate, "exe")


def test_search_without_images_exports_for_the_default_input() -> None:
    table = {"kind": "table", "table": 1, "reward": "accuracy"}
    config = {"space": {"kind": "nasbench201", "cells": 1}, "estimator": table}
    search = make_search(make_user(), name="", config=config, data_info={})
    (row,) = make_candidates(search, [{"score": 1.0, "choices": [0, 0, 0], "arch": "x"}])
    name, _, data = export_jobs.export(row, "py")
    assert name == f"nasweb_search_{search.pk}_0.py"
    assert "images of shape (batch, 3, 32, 32)" in data.decode()


def test_drawing_is_svg_named_by_the_architecture(candidate: Candidate) -> None:
    root = ElementTree.fromstring(export_jobs.drawing(candidate))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "8:8:8:8:8"
