"""A network as ONNX, checked against PyTorch before anybody gets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn
from torch.export import ExportedProgram

from engine.blueprint import InputSpec
from engine.errors import ExportError
from engine.export.program import failing, quiet

OPSET = 18
TOLERANCE = 1e-4
BATCHES = (1, 3)


@dataclass(frozen=True)
class Parity:
    """How far the file's outputs are from the module's: the largest absolute difference over ``images`` images."""

    max_abs_difference: float
    tolerance: float
    images: int


def onnx_model(program: ExportedProgram) -> onnx.ModelProto:
    """The graph from ``images (batch, C, H, W)`` to ``logits (batch, classes)``, weights inside."""
    with quiet(), failing("written as ONNX"):
        exported = torch.onnx.export(
            program, dynamo=True, input_names=["images"], output_names=["logits"], opset_version=OPSET, verbose=False
        )
    assert exported is not None
    model: onnx.ModelProto = exported.model_proto
    symbol = model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param == symbol:
                dim.dim_param = "batch"
    model.producer_name = "nasweb"
    return model


def onnx_bytes(model: onnx.ModelProto, properties: Mapping[str, str]) -> bytes:
    """The file; ``properties`` go to its ``metadata_props``."""
    onnx.helper.set_model_props(model, dict(properties))
    data: bytes = model.SerializeToString()
    return data


def check_parity(model: onnx.ModelProto, network: nn.Module, spec: InputSpec, tolerance: float = TOLERANCE) -> Parity:
    """Runs both on the same random images in batches of several sizes; ExportError above the tolerance."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    difference = 0.0
    network.eval()
    for batch in BATCHES:
        images = torch.randn(batch, spec.channels, spec.height, spec.width, generator=generator)
        with torch.no_grad():
            expected = network(images).numpy()
        (given,) = session.run(["logits"], {"images": images.numpy()})
        difference = max(difference, float(np.max(np.abs(given - expected))))
    if not difference <= tolerance:
        raise ExportError(
            f"the ONNX file differs from PyTorch by {difference:.3g}, more than {tolerance:g} is not handed out; "
            "take model.py or the .pt2 file instead"
        )
    return Parity(difference, tolerance, sum(BATCHES))
