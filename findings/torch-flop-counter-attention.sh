#!/usr/bin/env bash
# torch's FlopCounterMode leaves the two matrix products of attention out on the CPU, and under no_grad the projections of
# nn.MultiheadAttention as well, so that the same vision transformer has three different counts, all without a warning.
#
# Expected: two floating point operations per multiply-add of every linear layer, convolution and attention product,
# whether gradients are recorded or not.
# Seen: with gradients the attention products are missing; without gradients the projections of attention are, too.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.14.1 torchvision==0.29.1
"$work/venv/bin/python" - <<'PY'
import sys

import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import VisionTransformer

DEPTH, WIDTH, HIDDEN, CLASSES = 2, 64, 128, 1000
PATCHES = (32 // 8) ** 2
TOKENS = PATCHES + 1
network = VisionTransformer(
    image_size=32, patch_size=8, num_layers=DEPTH, num_heads=4, hidden_dim=WIDTH, mlp_dim=HIDDEN, num_classes=CLASSES
).eval()
images = torch.randn(1, 3, 32, 32)


def counted(mode):
    with FlopCounterMode(display=False) as counter, mode:
        network(images)
    return counter.get_total_flops()


projections = DEPTH * 4 * TOKENS * WIDTH * WIDTH
products = DEPTH * 2 * TOKENS * TOKENS * WIDTH
perceptrons = DEPTH * 2 * TOKENS * WIDTH * HIDDEN
rest = PATCHES * 3 * 8 * 8 * WIDTH + WIDTH * CLASSES
expected = 2 * (projections + products + perceptrons + rest)
with_gradients, without = counted(torch.enable_grad()), counted(torch.no_grad())
print("torch", torch.__version__)
print(f"by hand:           {expected:,}")
print(f"with gradients:    {with_gradients:,} = by hand less 2 * {products:,} (attention products)")
print(f"without gradients: {without:,} = by hand less 2 * {products + projections:,} (and projections)")
same = with_gradients == expected - 2 * products and without == expected - 2 * (products + projections)
print("as described" if same else "this has changed")
sys.exit(not same)
PY
