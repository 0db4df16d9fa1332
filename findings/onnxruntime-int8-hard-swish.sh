#!/usr/bin/env bash
# onnxruntime's static quantisation turns a chain of convolutions with ReLU into int8 kernels, but with hard-swish or SiLU
# the convolutions before the activation stay in float and are surrounded by conversions: more work than without int8.
#
# Expected: three convolutions run as QLinearConv in every one of these networks; at most the activation stays in float.
# Seen: three with ReLU and ReLU6; one of three with hard-swish and SiLU, beside many DequantizeLinear nodes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.14.1 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1 sympy==1.14.0
cd "$work"
"$work/venv/bin/python" - 2>/dev/null <<'PY'
import sys
from collections import Counter

import numpy
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn


class Batches(CalibrationDataReader):
    def __init__(self):
        random = numpy.random.default_rng(0)
        self.batches = iter([{"images": random.random((4, 3, 16, 16), dtype=numpy.float32)} for _ in range(4)])

    def get_next(self):
        return next(self.batches, None)


def executed(activation):
    """Operators that onnxruntime executes after quantisation and its own (not layout specific) optimisation."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), activation(), nn.Conv2d(8, 8, 3), activation(), nn.Conv2d(8, 8, 3))
    images = torch.randn(4, 3, 16, 16)
    torch.onnx.export(
        network.eval(), (images,), "float.onnx", input_names=["images"], dynamo=True, verbose=False, external_data=False
    )
    quant_pre_process("float.onnx", "prepared.onnx")
    quantize_static(
        "prepared.onnx", "int8.onnx", Batches(), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
    )
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = "executed.onnx"
    onnxruntime.InferenceSession("int8.onnx", options)
    return Counter(node.op_type for node in onnx.load("executed.onnx").graph.node)


print("torch", torch.__version__, "onnxruntime", onnxruntime.__version__)
found = {}
for activation in (nn.ReLU, nn.ReLU6, nn.Hardswish, nn.SiLU):
    counts = executed(activation)
    found[activation.__name__] = counts["QLinearConv"]
    print(f"{activation.__name__}: {counts['QLinearConv']} of 3 convolutions in int8; {dict(counts)}")
same = found == {"ReLU": 3, "ReLU6": 3, "Hardswish": 1, "SiLU": 1}
print("as described" if same else "this has changed")
sys.exit(not same)
PY
