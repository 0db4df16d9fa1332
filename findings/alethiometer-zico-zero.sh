#!/usr/bin/env bash
# alethiometer, a package of training-free proxies, gives ZiCo = 0 for every network on the CPU. It keeps the gradients of
# two half batches as numpy views of one tensor, in which backward() goes on to add, so the deviation over them is 0.
#
# Expected: a finite score other than 0 that differs between networks of different width, as with copies of the gradients.
# Seen: exactly 0 for every network.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.14.1 torchvision==0.29.1 numpy==2.4.6 alethiometer==1.1.2
"$work/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version

import numpy
import torch
from alethiometer.zero_cost_metrics.zico import getzico
from torch import nn

torch.manual_seed(0)
images, labels = torch.randn(16, 3, 8, 8), torch.randint(0, 10, (16,))


def with_copies(network):
    """The formula of the package (sum over layers of log sum mean|g| / std g) on copies of each half's own gradients."""
    halves = []
    for half in (slice(0, 8), slice(8, 16)):
        network.zero_grad()
        nn.functional.cross_entropy(network(images[half]), labels[half]).backward()
        layers = [layer for layer in network if isinstance(layer, nn.Conv2d | nn.Linear)]
        halves.append([layer.weight.grad.reshape(-1).numpy().copy() for layer in layers])
    score = 0.0
    for gradients in zip(*halves, strict=True):
        deviation = numpy.std(gradients, axis=0)
        used = deviation > 0
        score += float(numpy.log(numpy.sum(numpy.mean(numpy.abs(gradients), axis=0)[used] / deviation[used])))
    return score


print("alethiometer", version("alethiometer"), "torch", torch.__version__)
seen, expected = [], []
for width in (4, 16, 64):
    network = nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(width * 36, 10))
    expected.append(with_copies(network))
    network.zero_grad(set_to_none=True)
    seen.append(float(getzico(network, images, labels, loss_fn=nn.functional.cross_entropy, split_data=1)))
    print(f"width {width}: {seen[-1]} from the package, {expected[-1]:.3f} with copies")
same = seen == [0.0, 0.0, 0.0] and expected[0] < expected[1] < expected[2]
print("as described" if same else "this has changed")
sys.exit(not same)
PY
