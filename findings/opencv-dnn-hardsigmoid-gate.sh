#!/usr/bin/env bash
# OpenCV's DNN module computes another function than the ONNX file says when a tensor is multiplied with the hard sigmoid
# of a convolution of that same tensor: the gate of MobileNetV3's squeeze-excitation. It raises nothing.
#
# Expected: onnxruntime and OpenCV agree with torch to about 1e-6, as they do with an ordinary sigmoid as the gate.
# Seen: onnxruntime agrees; OpenCV differs by more than 0.1 where the values themselves are of that size.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.14.1 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1 opencv-python-headless==5.0.0.93
cd "$work"
"$work/venv/bin/python" - <<'PY'
import logging
import sys
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
import cv2
import numpy
import onnxruntime
import torch
from torch import nn


class Gated(nn.Module):
    def __init__(self, gate):
        super().__init__()
        self.features = nn.Conv2d(3, 8, 3, padding=1)
        self.squeeze = nn.Conv2d(8, 8, 1)
        self.gate = gate

    def forward(self, images):
        features = self.features(images)
        return features * self.gate(self.squeeze(features))


def differences(gate):
    torch.manual_seed(0)
    network = Gated(gate).eval()
    images = torch.randn(1, 3, 8, 8)
    torch.onnx.export(network, (images,), "gated.onnx", input_names=["images"], dynamo=True, verbose=False, external_data=False)
    expected = network(images).detach().numpy()
    by_onnxruntime = onnxruntime.InferenceSession("gated.onnx").run(None, {"images": images.numpy()})[0]
    reader = cv2.dnn.readNetFromONNX("gated.onnx")
    reader.setInput(images.numpy())
    return [float(numpy.abs(found - expected).max()) for found in (by_onnxruntime, reader.forward())]


print("torch", torch.__version__, "onnxruntime", onnxruntime.__version__, "opencv", cv2.__version__)
hard, soft = differences(nn.Hardsigmoid()), differences(nn.Sigmoid())
print(f"gate hard sigmoid: onnxruntime differs from torch by {hard[0]:.1e}, OpenCV by {hard[1]:.1e}")
print(f"gate sigmoid:      onnxruntime differs from torch by {soft[0]:.1e}, OpenCV by {soft[1]:.1e}")
same = hard[0] < 1e-5 and max(soft) < 1e-5 and hard[1] > 0.1
print("as described" if same else "this has changed")
sys.exit(not same)
PY
