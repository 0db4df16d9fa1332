"""Checks of what is handed out: every form against the network it was made from, on the same random images."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from engine.blueprint import InputSpec
from engine.cost import Cost
from engine.errors import ExportError
from engine.export.weights import Outputs

TOLERANCE = 1e-4
BATCHES = (1, 3)


@dataclass(frozen=True)
class Parity:
    """How far a file's outputs are from the network's: the largest absolute difference over ``images`` images."""

    max_abs_difference: float
    tolerance: float
    images: int


def onnx_parity(
    model: onnx.ModelProto, network: nn.Module, spec: InputSpec, outputs: Outputs, tolerance: float = TOLERANCE
) -> Parity:
    """Runs the ONNX file; ExportError above the tolerance."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> list[Tensor]:
        return [torch.from_numpy(part) for part in session.run(list(outputs.names), {"images": images.numpy()})]

    return _parity("ONNX file", run, network, spec, outputs, tolerance)


def program_parity(data: bytes, network: nn.Module, spec: InputSpec, outputs: Outputs) -> Parity:
    """Reads the ``.pt2`` file back and runs it."""
    module = torch.export.load(io.BytesIO(data)).module()
    return _parity(".pt2 file", lambda images: outputs.tensors(module(images)), network, spec, outputs, TOLERANCE)


def source_parity(source: str, network: nn.Module, spec: InputSpec, outputs: Outputs) -> Parity:
    """Runs ``model.py`` with the network's weights."""
    namespace: dict[str, Any] = {"__name__": "model"}
    exec(compile(source, "model.py", "exec"), namespace)
    written: nn.Module = (namespace.get("Backbone") or namespace["Network"])()
    written.load_state_dict(network.state_dict())
    written.eval()
    return _parity("model.py", lambda images: outputs.tensors(written(images)), network, spec, outputs, TOLERANCE)


def costs_agree(analytic: Cost, counted: Cost) -> bool:
    """Whether the costs that the search used are those that running the network counted."""
    return (analytic.params, analytic.madds) == (counted.params, counted.madds)


def _parity(what: str, run: Any, network: nn.Module, spec: InputSpec, outputs: Outputs, tolerance: float) -> Parity:
    generator = torch.Generator().manual_seed(0)
    difference = 0.0
    network.eval()
    for batch in BATCHES:
        images = torch.randn(batch, spec.channels, spec.height, spec.width, generator=generator)
        with torch.no_grad():
            pairs = zip(outputs.tensors(network(images)), run(images), strict=True)
            gaps = [float(np.max(np.abs(given.numpy() - expected.numpy()))) for expected, given in pairs]
        difference = max(difference, *gaps)
    if not difference <= tolerance:
        raise ExportError(
            f"the {what} differs from PyTorch by {difference:.3g}, more than {tolerance:g} is not handed out; "
            "take another format instead"
        )
    return Parity(difference, tolerance, sum(BATCHES))
