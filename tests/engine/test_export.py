"""Exports: model.py, ONNX and .pt2 compute what the built network computes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from random import Random

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from engine.blueprint import BlueprintBuilder, InputSpec
from engine.config.spaces import (
    ChainOptions,
    DartsOptions,
    MoteMobileOptions,
    NasBench101Options,
    NasBench201Options,
    NatsSizeOptions,
    SpaceOptions,
    TransNasMacroOptions,
    TransNasMicroOptions,
)
from engine.errors import ExportError
from engine.export.bundle import METADATA_FILE, ExportedFile, export
from engine.export.model_py import model_source
from engine.export.onnx import LOGITS, onnx_model
from engine.export.program import trace
from engine.export.record import ExportSubject
from engine.export.verify import onnx_parity
from engine.networks.build import Network, build
from engine.registry import create_space
from engine.spaces.examples import CHAIN_EXAMPLES
from tests.engine.test_networks import blueprint_of, residual

SPEC = InputSpec(1, 18, 18, 4)
SPACES = [
    NasBench201Options(channels=4, cells=2),
    NatsSizeOptions(),
    DartsOptions(cells=3, channels=4),
    MoteMobileOptions(),
    NasBench101Options(channels=8, cells=2),
    TransNasMicroOptions(channels=4),
    TransNasMacroOptions(channels=4),
    ChainOptions(definition=CHAIN_EXAMPLES["mobile_chain"]),
]
CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|avg_pool_3x3~0|skip_connect~1|nor_conv_3x3~2|"
CLASSES = ['a "quoted" one', 'three """quotes', "back\\slash", "naïve\nline"]


def make_subject() -> ExportSubject:
    options = NasBench201Options(channels=4, cells=1)
    space = create_space(options, SPEC)
    return ExportSubject(
        "nasweb-test-7", space, options.model_dump(), space.from_string(CELL), CLASSES, {"mean": [0.5]}, weight_seed=11
    )


@pytest.fixture(scope="module")
def subject() -> ExportSubject:
    return make_subject()


@pytest.fixture(scope="module")
def network(subject: ExportSubject) -> Network:
    """Return the network from which the exports are made."""
    return build(subject.blueprint, seed=subject.weight_seed).eval()


@pytest.fixture(scope="module")
def onnx_file(subject: ExportSubject) -> ExportedFile:
    return export("onnx", subject)


def images(batch: int) -> torch.Tensor:
    return torch.randn(batch, SPEC.channels, SPEC.height, SPEC.width, generator=torch.Generator().manual_seed(batch))


def load(source: str) -> torch.nn.Module:
    namespace: dict[str, type[torch.nn.Module]] = {}
    exec(compile(source, "model.py", "exec"), namespace)
    return namespace["Network"]()


def test_model_py_computes_the_same_in_a_process_of_its_own(
    subject: ExportSubject, network: Network, tmp_path: Path
) -> None:
    file = export("py", subject)
    assert file.name == "nasweb_test_7.py"
    (tmp_path / "model.py").write_bytes(file.data)
    torch.save(
        {"weights": network.state_dict(), "images": images(3), "scores": network(images(3))}, tmp_path / "given.pt"
    )
    check = """
import sys, torch
from model import CLASSES, PREPROCESSING, Network
assert not [name for name in sys.modules if name.startswith(("engine", "searches", "django"))]
given = torch.load("given.pt")
torch.manual_seed(11)
network = Network().eval()
assert list(network.state_dict()) == list(given["weights"])
assert all(torch.equal(a, b) for a, b in zip(network.state_dict().values(), given["weights"].values()))
network.load_state_dict(given["weights"])
assert (network(given["images"]) - given["scores"]).abs().max() <= 1e-6
assert CLASSES[1] == 'three ' + '"' * 3 + 'quotes' and PREPROCESSING == {"mean": [0.5]}
"""
    isolated = {"cwd": tmp_path, "capture_output": True, "text": True, "env": {"PYTHONPATH": str(tmp_path)}}
    done = subprocess.run([sys.executable, "-c", check], **isolated)
    assert done.returncode == 0, done.stderr
    main = subprocess.run([sys.executable, "model.py"], **isolated)
    count = sum(p.numel() for p in network.parameters())
    assert main.stdout == f"output (1, 4), {count:,} parameters\n"


@pytest.mark.parametrize("options", SPACES, ids=lambda options: options.kind)
def test_model_py_of_any_architecture(options: SpaceOptions) -> None:
    space = create_space(options, SPEC)
    rng = Random(3)
    for number in range(3):
        blueprint = space.blueprint(space.sample(rng))
        built = build(blueprint, seed=number)
        # A step in training mode moves the running statistics, so that they are compared too.
        built(images(4))
        written = load(model_source(blueprint, "sample"))
        written.load_state_dict(built.state_dict())
        torch.testing.assert_close(written.eval()(images(2)), built.eval()(images(2)), rtol=0, atol=1e-6)


def test_model_py_is_clean_and_drops_what_nothing_reads(tmp_path: Path) -> None:
    source = model_source(blueprint_of(residual), 'a """title""" with \\ in it', CLASSES * 10, {"fit": "crop"})
    (tmp_path / "model.py").write_text(source)
    rules = ["--isolated", "--select", "E,F,I,UP,B,SIM", "--line-length", "120"]
    ruff = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *rules, "model.py"], cwd=tmp_path, capture_output=True
    )
    assert ruff.returncode == 0, ruff.stdout.decode()
    assert "unused" in source
    written = load(source)
    built = build(blueprint_of(residual), seed=1)
    written.load_state_dict(built.state_dict())
    x = torch.randn(2, 4, 9, 7)
    torch.testing.assert_close(written.eval()(x), built.eval()(x), rtol=0, atol=1e-6)


def test_wide_sums_and_concatenations_are_written() -> None:
    b = BlueprintBuilder(SPEC)
    branches = [b.conv_bn(b.input, 4, 3) for _ in range(30)]
    b.head(b.concat([b.add(branches), *branches]))
    written = load(model_source(b.build(), "wide"))
    built = build(b.build(), seed=1)
    written.load_state_dict(built.state_dict())
    torch.testing.assert_close(written.eval()(images(2)), built.eval()(images(2)), rtol=0, atol=1e-6)


def test_onnx_equals_pytorch_at_any_batch_size(network: Network, onnx_file: ExportedFile) -> None:
    session = onnxruntime.InferenceSession(onnx_file.data)
    assert onnx_file.name == "nasweb-test-7.onnx"
    for batch in (1, 2, 5):
        (given,) = session.run(["logits"], {"images": images(batch).numpy()})
        assert np.abs(given - network(images(batch)).detach().numpy()).max() <= 1e-4


def test_onnx_says_what_it_is(onnx_file: ExportedFile) -> None:
    model = onnx.load_from_string(onnx_file.data)
    onnx.checker.check_model(model)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["architecture"] == CELL
    assert json.loads(metadata["class_names"]) == CLASSES
    assert json.loads(metadata["parity"])["onnx_against_pytorch"]["max_abs_difference"] <= 1e-4
    assert "not trained" in metadata["weights"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_onnx_that_differs_is_refused(subject: ExportSubject, network: Network) -> None:
    moved = build(subject.blueprint, seed=subject.weight_seed)
    moved(1 + images(4))  # in training mode: the running statistics, which ONNX folds into convolutions, move
    model = onnx_model(trace(moved, SPEC))
    assert onnx_parity(model, moved, SPEC, LOGITS).max_abs_difference <= 1e-4
    with pytest.raises(ExportError, match="differs from PyTorch by"):
        onnx_parity(model, network, SPEC, LOGITS)


def test_pt2_reloads_with_its_metadata_and_another_batch_size(subject: ExportSubject, network: Network) -> None:
    files = {METADATA_FILE: ""}
    program = torch.export.load(io.BytesIO(export("pt2", subject).data), extra_files=files)
    assert json.loads(files[METADATA_FILE])["architecture"]["string"] == CELL
    assert set(program.state_dict) == set(network.state_dict())
    for batch in (1, 7):
        torch.testing.assert_close(program.module()(images(batch)), network(images(batch)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("format", ["onnx", "pt2"])
def test_files_name_no_path_of_this_machine(subject: ExportSubject, format: str) -> None:
    data = export(format, subject).data  # type: ignore[arg-type]
    if format == "pt2":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"".join(archive.read(name) for name in archive.namelist())
    here = Path(__file__).resolve().parents[2]
    assert str(here).encode() not in data
    assert b"networks/build.py" not in data


def test_concurrent_exports_give_the_same_files(subject: ExportSubject) -> None:
    results: list[bytes] = []
    threads = [threading.Thread(target=lambda: results.append(export("onnx", subject).data)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert len({onnx.load_from_string(data).SerializeToString(deterministic=True) for data in results}) == 1


def test_failure_inside_the_exporter_is_an_export_error() -> None:
    class Branching(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(ExportError, match="the network cannot be traced"):
        trace(Branching(), SPEC)
