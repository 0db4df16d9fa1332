"""Checks of exported files: every form against the network it was made from, on the same random images."""

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
    """The largest absolute difference between a file's outputs and the network's, over ``images`` images.

    ``tolerance`` is the allowed difference: `TOLERANCE` for outputs up to 1 in absolute value, and in proportion to
    ``largest_output`` for larger ones. Untrained deep networks have outputs of several hundred.
    """

    max_abs_difference: float
    tolerance: float
    largest_output: float
    images: int


def onnx_parity(
    model: onnx.ModelProto, network: nn.Module, spec: InputSpec, outputs: Outputs, tolerance: float = TOLERANCE
) -> Parity:
    """Run the ONNX file and compare its outputs; ExportError above the tolerance."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> list[Tensor]:
        return [torch.from_numpy(part) for part in session.run(list(outputs.names), {"images": images.numpy()})]

    return _parity("ONNX file", run, network, spec, outputs, tolerance)


def program_parity(data: bytes, network: nn.Module, spec: InputSpec, outputs: Outputs) -> Parity:
    """Load the ``.pt2`` file, run it and compare its outputs; ExportError above the tolerance."""
    module = torch.export.load(io.BytesIO(data)).module()
    return _parity(".pt2 file", lambda images: outputs.tensors(module(images)), network, spec, outputs, TOLERANCE)


def source_parity(source: str, network: nn.Module, spec: InputSpec, outputs: Outputs) -> Parity:
    """Run ``model.py`` with the network's weights and compare its outputs; ExportError above the tolerance."""
    namespace: dict[str, Any] = {"__name__": "model"}
    exec(compile(source, "model.py", "exec"), namespace)
    written: nn.Module = (namespace.get("Backbone") or namespace["Network"])()
    written.load_state_dict(network.state_dict())
    written.eval()
    return _parity("model.py", lambda images: outputs.tensors(written(images)), network, spec, outputs, TOLERANCE)


def costs_agree(analytic: Cost, counted: Cost) -> bool:
    """Return whether the costs that the search used equal those counted by running the network."""
    return (analytic.params, analytic.madds) == (counted.params, counted.madds)


def _parity(what: str, run: Any, network: nn.Module, spec: InputSpec, outputs: Outputs, tolerance: float) -> Parity:
    generator = torch.Generator().manual_seed(0)
    difference = largest = 0.0
    network.eval()
    for batch in BATCHES:
        images = torch.randn(batch, spec.channels, spec.height, spec.width, generator=generator)
        with torch.no_grad():
            for expected, given in zip(outputs.tensors(network(images)), run(images), strict=True):
                gap = float(np.max(np.abs(given.numpy() - expected.numpy())))
                difference = difference if gap <= difference else gap  # a NaN is kept, so that the file is refused
                largest = max(largest, float(expected.abs().max()))
    allowed = tolerance * max(1.0, largest)
    if not difference <= allowed:
        raise ExportError(
            f"the {what} differs from PyTorch by {difference:.3g} in outputs up to {largest:.3g}, more than the "
            f"allowed {allowed:.3g}; choose another format"
        )
    return Parity(difference, allowed, largest, sum(BATCHES))
