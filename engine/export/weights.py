"""The weights in exported files: initial weights drawn with a seed, or those of a full training."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.blueprint import Blueprint
from engine.errors import ExportError
from engine.export.record import TrainedWeights
from engine.networks.build import Network, build


def network_of(blueprint: Blueprint, trained: TrainedWeights | None, seed: int) -> Network:
    """Return the module in evaluation mode with its weights; a backbone uses its part of the network's weights."""
    network = build(blueprint, seed=seed)
    if trained is not None:
        state = read_weights(trained.path)
        kept = {name: value for name, value in state.items() if name in network.state_dict()}
        try:
            network.load_state_dict(kept)
        except RuntimeError as error:
            raise ExportError("the trained weights do not fit this network; train it again") from error
    return network.eval()


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return a ``state_dict``; ExportError if its file is missing or broken."""
    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise ExportError("the trained weights are missing or broken; train the network again") from error
    return state


def weights_bytes(network: Network) -> bytes:
    """Return the ``.pt`` file, which ``torch.load(..., weights_only=True)`` reads."""
    buffer = io.BytesIO()
    torch.save({name: value.contiguous() for name, value in network.state_dict().items()}, buffer)
    return buffer.getvalue()


@dataclass(frozen=True)
class Outputs:
    """The names of a network's outputs, as in the exported files."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, blueprint: Blueprint) -> Outputs:
        """Return the outputs of a blueprint: ``logits``, or ``stride_8`` and so on."""
        height = blueprint.input.height
        strides = (round(height / blueprint[name].shape.height) for name in blueprint.features)
        return cls(tuple(f"stride_{stride}" for stride in strides) or ("logits",))

    def tensors(self, output: Any) -> list[Tensor]:
        """Return a network's outputs as a list, in the order of the names."""
        return [output] if isinstance(output, Tensor) else list(output)
