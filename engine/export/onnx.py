"""A network as ONNX; `engine.export.verify` checks every file against PyTorch before it is handed out."""

from __future__ import annotations

from collections.abc import Mapping

import onnx
import torch
from torch.export import ExportedProgram

from engine.export.program import failing, quiet
from engine.export.weights import Outputs

OPSET = 18
LOGITS = Outputs(("logits",))


def onnx_model(program: ExportedProgram, outputs: Outputs = LOGITS) -> onnx.ModelProto:
    """Return the graph, weights inside, from ``images (batch, C, H, W)`` to ``logits (batch, classes)`` or features."""
    with quiet(), failing("written as ONNX"):
        exported = torch.onnx.export(
            program,
            dynamo=True,
            input_names=["images"],
            output_names=list(outputs.names),
            opset_version=OPSET,
            verbose=False,
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
    """Return the file's bytes; ``properties`` are written to its ``metadata_props``."""
    onnx.helper.set_model_props(model, dict(properties))
    data: bytes = model.SerializeToString()
    return data
