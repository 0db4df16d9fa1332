"""Steps in float32; on CUDA the forward pass in float16 where torch holds it safe, with gradients scaled (AMP).

Weights, the loss and the optimizer stay in float32. A step whose scaled gradients overflow is left out and the scale
halved, as `torch.amp.GradScaler` does; its state belongs into checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Precision:
    """What a device computes a training step in; ``mixed`` is the default of CUDA devices."""

    def __init__(self, device: torch.device, mixed: bool | None = None) -> None:
        self.mixed = device.type == "cuda" if mixed is None else mixed
        self._device = device.type
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.mixed)

    def forward(self) -> torch.autocast:
        """A context for the forward pass and the loss."""
        return torch.autocast(self._device, torch.float16, enabled=self.mixed)

    def step(self, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
        """Gradients of the loss, and the optimizer's step along them."""
        optimizer.zero_grad()
        if not self.mixed:
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            return
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(optimizer)
        self._scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """The scale; empty in float32."""
        return self._scaler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on with a scale; a checkpoint of float32 steps has none."""
        if self.mixed and state:
            self._scaler.load_state_dict(dict(state))
