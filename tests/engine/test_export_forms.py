"""Exports with trained weights, and the backbone form for detection."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from engine.blueprint import InputSpec
from engine.config.spaces import MobileNetOptions, NasBench201Options, NatsSizeOptions
from engine.cost import blueprint_cost
from engine.errors import ExportError
from engine.export.backbone import backbone
from engine.export.bundle import export
from engine.export.model_py import model_source
from engine.export.onnx import LOGITS
from engine.export.record import ExportSubject, TrainedWeights
from engine.export.verify import source_parity
from engine.networks.build import build
from engine.registry import create_space

LARGE = InputSpec(3, 64, 64, 5)


@pytest.fixture(scope="module")
def mobile() -> ExportSubject:
    """Return a small MobileNet as a backbone."""
    options = MobileNetOptions(variant="60m")
    space = create_space(options, LARGE)
    choices: tuple[int, ...] = ()
    while len(choices) < space.depth:
        choices += (len(space.options(choices)) - 1,)
    return ExportSubject("nasweb-test", space, options.model_dump(), space.architecture(choices), form="backbone")


def test_a_backbone_gives_three_maps_alike_in_every_format(mobile: ExportSubject, tmp_path: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(export("zip", mobile).data))
    files = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    record = json.loads(files["nasweb-test-backbone.json"])
    shapes = {entry["name"]: entry["shape"][1:] for entry in record["network"]["outputs"]}
    assert list(shapes) == ["stride_8", "stride_16", "stride_32"]
    assert [shape[1] for shape in shapes.values()] == [8, 4, 2]
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    session = onnxruntime.InferenceSession(files["nasweb-test-backbone.onnx"])
    maps = session.run(list(shapes), {"images": images.numpy()})
    assert [list(found.shape[1:]) for found in maps] == list(shapes.values())
    namespace: dict[str, type[torch.nn.Module]] = {}
    exec(compile(files["model.py"], "model.py", "exec"), namespace)
    network = namespace["Backbone"]().eval()
    network.load_state_dict(torch.load(io.BytesIO(files["weights.pt"]), weights_only=True))
    with torch.no_grad():
        written = network(images)
    program = torch.export.load(io.BytesIO(files["nasweb-test-backbone.pt2"])).module()(images)
    for one, two, three in zip(maps, written, program, strict=True):
        assert np.abs(one - two.numpy()).max() < 1e-4
        torch.testing.assert_close(two, three, rtol=0, atol=1e-5)
    assert namespace["CHANNELS"] == tuple(shape[0] for shape in shapes.values())
    verification = json.loads(files["verification.json"])
    assert verification["costs"]["agree"]
    assert verification["costs"]["analytic"]["madds_m"] < mobile.space.cost(mobile.architecture).metric("madds_m")
    assert "stride_32: (batch, " in files["README.txt"].decode()


def test_the_maps_are_those_inside_the_whole_network(mobile: ExportSubject) -> None:
    whole = mobile.space.blueprint(mobile.architecture)
    cut = backbone(whole)
    assert blueprint_cost(cut).params < blueprint_cost(whole).params
    full = build(whole, seed=3).eval()
    part = build(cut).eval()
    part.load_state_dict({name: value for name, value in full.state_dict().items() if name in part.state_dict()})
    inside: dict[str, torch.Tensor] = {}
    for name in cut.features:
        module = full.get_submodule(name)
        module.register_forward_hook(lambda _m, _i, out, name=name: inside.__setitem__(name, out.clone()))
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        full(images)
        found = part(images)
    for name, map in zip(cut.features, found, strict=True):
        torch.testing.assert_close(map, inside[name], rtol=0, atol=1e-6)


def test_networks_without_these_strides_are_refused_in_words() -> None:
    cells = create_space(NasBench201Options(channels=4, cells=1), LARGE)
    with pytest.raises(ExportError, match="this network has them at 1, 2, 4 for images of 64x64, not at 8"):
        backbone(cells.blueprint(cells.default()))
    sizes = create_space(NatsSizeOptions(), InputSpec(1, 8, 8, 10))
    with pytest.raises(ExportError, match="images of 8x8 are too small"):
        backbone(sizes.blueprint(sizes.default()))


def test_trained_weights_leave_with_their_accuracies(tmp_path: Path) -> None:
    spec = InputSpec(1, 8, 8, 10)
    space = create_space(NatsSizeOptions(), spec)
    architecture = space.architecture([7] * 5)
    network = build(space.blueprint(architecture), seed=9)
    network(torch.randn(4, 1, 8, 8))  # in training mode: the running statistics are no longer the initial ones
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    trained = TrainedWeights(tmp_path / "weights.pt", "Quick recipe, 20 epochs", "Digits", 17, 97.125, 96.5)
    subject = ExportSubject("nasweb-test", space, {}, architecture, trained=trained)
    archive = zipfile.ZipFile(io.BytesIO(export("zip", subject).data))
    files = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    state = torch.load(io.BytesIO(files["weights.pt"]), weights_only=True)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    images = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network.eval()(images).numpy()
    (given,) = onnxruntime.InferenceSession(files["nasweb-test.onnx"]).run(None, {"images": images.numpy()})
    assert np.abs(given - expected).max() < 1e-4
    said = "Validation accuracy 97.12 %, which chose epoch 17; test accuracy 96.50 %, measured once at the end."
    assert said in " ".join(files["README.txt"].decode().split())
    weights = json.loads(files["verification.json"])["weights"]
    assert (weights["trained"], weights["valid_accuracy"], weights["test_accuracy"]) == (True, 97.125, 96.5)
    assert "path" not in weights
    missing = replace(subject, trained=replace(trained, path=tmp_path / "gone.pt"))
    with pytest.raises(ExportError, match="the trained weights are missing or broken"):
        export("pt", missing)


def test_large_outputs_may_differ_in_proportion_and_none_may_be_no_number() -> None:
    space = create_space(NatsSizeOptions(), InputSpec(1, 8, 8, 10))
    blueprint = space.blueprint(space.architecture([7] * 5))
    network = build(blueprint, seed=2).eval()
    source = model_source(blueprint, "large")
    with torch.no_grad():
        network.get_submodule(blueprint.output.name).weight.mul_(1e5)
    parity = source_parity(source, network, blueprint.input, LOGITS)
    assert parity.largest_output > 1_000
    assert parity.tolerance == pytest.approx(1e-4 * parity.largest_output)
    assert parity.max_abs_difference <= parity.tolerance
    with torch.no_grad():
        network.get_submodule(blueprint.output.name).weight.fill_(float("nan"))
    with pytest.raises(ExportError, match=r"model\.py differs from PyTorch by nan"):
        source_parity(source, network, blueprint.input, LOGITS)
