"""An architecture and all that is known of it as one JSON document."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from typing import Any

from engine.blueprint import Blueprint
from engine.cost import Cost
from engine.space import Architecture, SearchSpace

FORMAT = "nasweb.architecture.v1"
LIBRARIES = ("torch", "onnx", "onnxscript", "onnxruntime")
UNTRAINED = (
    "These are initial weights drawn with the seed, not trained ones: the network computes, but predicts nothing yet. "
    "Train it on your data."
)


@dataclass(frozen=True)
class ExportSubject:
    """What is exported.

    ``name``: stem of the file names. ``space_options``: the space's part of the configuration. ``scores``: what
    estimates said, JSON-ready. ``provenance``: where it comes from (search, config, seed, ...), JSON-ready.
    """

    name: str
    space: SearchSpace
    space_options: Mapping[str, Any]
    architecture: Architecture
    class_names: Sequence[str] = ()
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    weight_seed: int = 0

    @cached_property
    def blueprint(self) -> Blueprint:
        """The full network."""
        return self.space.blueprint(self.architecture)

    @property
    def string(self) -> str:
        """The architecture in its field's notation."""
        return self.space.to_string(self.architecture)

    @property
    def title(self) -> str:
        """The architecture and its space in one line."""
        return f"{self.string} of the space {self.space.kind}"


def record(subject: ExportSubject, counted: Cost) -> dict[str, Any]:
    """The document; ``counted`` is the built network's cost, found by running it."""
    space, architecture, spec = subject.space, subject.architecture, subject.blueprint.input
    labels = zip(space.layer_names, space.labels(architecture), strict=True)
    return {
        "format": FORMAT,
        "architecture": {
            "string": subject.string,
            "choices": list(architecture.choices),
            "labels": [{"layer": layer, "label": label} for layer, label in labels],
            "space": {
                "kind": space.kind,
                "options": dict(subject.space_options),
                "content_hash": space.content_hash,
                "architectures": str(space.size),
            },
        },
        "network": {
            "input": {"name": "images", "shape": ["batch", spec.channels, spec.height, spec.width], "type": "float32"},
            "output": {"name": "logits", "shape": ["batch", spec.classes], "type": "float32"},
            "classes": spec.classes,
            "class_names": list(subject.class_names),
            "preprocessing": dict(subject.preprocessing),
            "weights": {"trained": False, "seed": subject.weight_seed, "note": UNTRAINED},
        },
        "costs": {"analytic": space.cost(architecture).as_dict(), "counted_by_running": counted.as_dict()},
        "scores": dict(subject.scores),
        "provenance": {
            **subject.provenance,
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        },
    }
