"""An architecture and everything known about it as one JSON document."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from engine.blueprint import Blueprint
from engine.cost import Cost, blueprint_cost, blueprint_metrics
from engine.export.backbone import backbone
from engine.space import Architecture, SearchSpace

FORMAT = "nasweb.architecture.v1"
LIBRARIES = ("nasweb", "torch", "onnx", "onnxscript", "onnxruntime")
UNTRAINED = (
    "These are initial weights drawn with the seed, not trained ones: the network computes, but predicts nothing yet. "
    "Train it on your data."
)


@dataclass(frozen=True)
class TrainedWeights:
    """A ``state_dict`` on disk and how it was made; accuracies are in percent, and None if there are no test images.

    ``described`` is the recipe in words, ``data`` names the training data, and ``best_epoch`` (from 1) is the epoch
    that the validation accuracy chose.
    """

    path: Path
    described: str
    data: str
    best_epoch: int
    valid_accuracy: float
    test_accuracy: float | None

    @property
    def note(self) -> str:
        """The sentence about the weights that every file contains."""
        test = "the data has no test images"
        if self.test_accuracy is not None:
            test = f"test accuracy {self.test_accuracy:.2f} %, measured once at the end"
        return (
            f"Trained weights: {self.described}, on {self.data}. Validation accuracy {self.valid_accuracy:.2f} %, "
            f"which chose epoch {self.best_epoch}; {test}."
        )


@dataclass(frozen=True)
class ExportSubject:
    """The subject of an export.

    ``name`` is the stem of the file names, ``space_options`` the space's part of the configuration. ``scores`` are the
    results of estimates and ``provenance`` is the origin (search, configuration, seed, ...); both can be written as
    JSON. ``trained`` are the weights of a full training; without them, files contain the initial weights of
    ``weight_seed``. ``form`` is ``classifier``, or ``backbone`` for feature maps.
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
    trained: TrainedWeights | None = None
    form: Literal["classifier", "backbone"] = "classifier"

    @cached_property
    def blueprint(self) -> Blueprint:
        """The full network, or its backbone; ExportError if it has no backbone."""
        whole = self.space.blueprint(self.architecture)
        return backbone(whole) if self.form == "backbone" else whole

    @property
    def stem(self) -> str:
        """The stem of the file names, including the form."""
        return f"{self.name}-backbone" if self.form == "backbone" else self.name

    @property
    def analytic(self) -> Cost:
        """The cost that the search used; for a backbone, the cost of its part of the network."""
        return blueprint_cost(self.blueprint) if self.form == "backbone" else self.space.cost(self.architecture)

    @property
    def metrics(self) -> dict[str, float]:
        """All metrics that can be counted, by name and in their units; for a backbone, the metrics of that part."""
        return blueprint_metrics(self.blueprint) if self.form == "backbone" else self.space.metrics(self.architecture)

    @property
    def note(self) -> str:
        """A sentence that says whether the weights are trained."""
        return self.trained.note if self.trained else UNTRAINED

    @property
    def string(self) -> str:
        """The architecture in the notation of its space."""
        return self.space.to_string(self.architecture)

    @property
    def title(self) -> str:
        """The architecture and its space in one line."""
        return f"{self.string} of the space {self.space.kind}" + (", as a backbone" if self.form == "backbone" else "")


def record(subject: ExportSubject, counted: Cost) -> dict[str, Any]:
    """Return the document; ``counted`` is the built network's cost, counted by running it."""
    space = subject.space
    architecture = subject.architecture
    spec = subject.blueprint.input
    labels = zip(space.layer_names, space.labels(architecture), strict=True)
    return {
        "format": FORMAT,
        "form": subject.form,
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
            "outputs": _outputs(subject.blueprint),
            "classes": spec.classes,
            "class_names": list(subject.class_names),
            "preprocessing": dict(subject.preprocessing),
            "weights": _weights(subject),
        },
        "costs": {"analytic": subject.metrics, "counted_by_running": counted.as_dict()},
        "scores": dict(subject.scores),
        "provenance": {
            **subject.provenance,
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        },
    }


def _outputs(blueprint: Blueprint) -> list[dict[str, Any]]:
    if not blueprint.features:
        return [{"name": "logits", "shape": ["batch", blueprint.input.classes], "type": "float32"}]
    maps = [(blueprint.input.height, blueprint[name].shape) for name in blueprint.features]
    return [
        {
            "name": f"stride_{round(side / map.height)}",
            "shape": ["batch", map.channels, map.height, map.width],
            "type": "float32",
        }
        for side, map in maps
    ]


def _weights(subject: ExportSubject) -> dict[str, Any]:
    trained = subject.trained
    if trained is None:
        return {"trained": False, "seed": subject.weight_seed, "note": UNTRAINED}
    facts = {name: value for name, value in asdict(trained).items() if name != "path"}
    return {"trained": True, "seed": subject.weight_seed, **facts, "note": trained.note}
