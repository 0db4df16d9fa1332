"""The weights that travel with a network: initial ones drawn with a seed, or those of a full training."""

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
    """The module in evaluation mode with its weights; a backbone takes its part of the whole network's."""
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
    """A ``state_dict``; ExportError when its file is gone or broken."""
    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise ExportError("the trained weights are gone or broken; train the network again") from error
    return state


def weights_bytes(network: Network) -> bytes:
    """The ``.pt`` file, which ``torch.load(..., weights_only=True)`` takes."""
    buffer = io.BytesIO()
    torch.save({name: value.contiguous() for name, value in network.state_dict().items()}, buffer)
    return buffer.getvalue()


@dataclass(frozen=True)
class Outputs:
    """What a network returns for an image batch, named as in the files."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, blueprint: Blueprint) -> Outputs:
        """``logits``, or ``stride_8`` and so on."""
        height = blueprint.input.height
        strides = (round(height / blueprint[name].shape.height) for name in blueprint.features)
        return cls(tuple(f"stride_{stride}" for stride in strides) or ("logits",))

    def tensors(self, output: Any) -> list[Tensor]:
        """The outputs as a list, in the order of the names."""
        return [output] if isinstance(output, Tensor) else list(output)
