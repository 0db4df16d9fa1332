"""Steps in float32; on CUDA the forward pass uses float16 where torch considers it safe, with scaled gradients (AMP).

Weights, loss and optimizer stay in float32. If the scaled gradients overflow, the step is skipped and the scale is
halved, as in `torch.amp.GradScaler`; its state must be saved in checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Precision:
    """The precision of training steps on a device; ``mixed`` is the default on CUDA devices."""

    def __init__(self, device: torch.device, mixed: bool | None = None) -> None:
        self.mixed = device.type == "cuda" if mixed is None else mixed
        self._device = device.type
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.mixed)

    def forward(self) -> torch.autocast:
        """Return a context for the forward pass and the loss."""
        return torch.autocast(self._device, torch.float16, enabled=self.mixed)

    def step(self, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
        """Compute the gradients of the loss, and take the optimizer's step."""
        optimizer.zero_grad()
        if not self.mixed:
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            return
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(optimizer)
        self._scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the scale; it is empty in float32."""
        return self._scaler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the scale; a checkpoint of float32 steps has none."""
        if self.mixed and state:
            self._scaler.load_state_dict(dict(state))
