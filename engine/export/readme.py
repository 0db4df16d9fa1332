"""The README of a zip: its contents, its use, and the checks made when it was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.export.record import ExportSubject
from engine.export.weights import Outputs

METADATA_FILE = "nasweb.json"


def readme(subject: ExportSubject, outputs: Outputs, verification: Mapping[str, Any]) -> str:
    """Return the text; ``verification`` is the document of ``verification.json``."""
    blueprint = subject.blueprint
    stem = subject.stem
    spec = blueprint.input
    backbone = bool(blueprint.features)
    kind = "Backbone" if backbone else "Network"
    output = f"Output: logits of shape (batch, {spec.classes})"
    if backbone:
        maps = zip(outputs.names, (blueprint[name].shape for name in blueprint.features), strict=True)
        shapes = [f"  {name}: (batch, {m.channels}, {m.height}, {m.width})" for name, m in maps]
        output = "\n".join(["Outputs: feature maps", *shapes])
    costs = verification["costs"]
    parity = verification["onnx_against_pytorch"]
    analytic = costs["analytic"]
    counted = costs["counted_by_running"]
    lines = "\n".join(f"  {name:14} {analytic[name]:<12.6g} {counted[name]:.6g}" for name in analytic)
    differences = "\n".join(
        f"  {label:24} largest difference {verification[key]['max_abs_difference']:.3g}"
        for label, key in (
            ("ONNX against PyTorch", "onnx_against_pytorch"),
            (".pt2 against PyTorch", "pt2_against_pytorch"),
            ("model.py with weights.pt", "model_py_against_pytorch"),
        )
    )
    seed = "" if subject.trained else f" (seed {subject.weight_seed})"
    names = ", ".join(f'"{name}"' for name in outputs.names)
    return f"""{subject.title}

Input: float32 images of shape (batch, {spec.channels}, {spec.height}, {spec.width})
{output}
Class names and preprocessing are in the JSON, in the ONNX file's metadata and in model.py.

WEIGHTS: {subject.note}{seed}

Files
  {stem}.json   the architecture, its space, costs, scores and origin
  model.py   the network as source; needs only torch
  weights.pt   the weights as a state_dict
  {stem}.onnx   ONNX, opset {parity["opset"]}, any batch size, weights inside
  {stem}.pt2    torch.export program, any batch size, weights inside; {METADATA_FILE} inside repeats the JSON
  verification.json   what was checked, and the files' sha256

Use
  torch.export.load("{stem}.pt2").module()(images)
  onnxruntime.InferenceSession("{stem}.onnx").run([{names}], {{"images": images}})
  from model import {kind}
  network = {kind}()
  network.load_state_dict(torch.load("weights.pt", weights_only=True))

Checked when this file was made, on {parity["images"]} random images
(outputs up to {parity["largest_output"]:.3g}; at most {parity["tolerance"]:.3g} is allowed)
{differences}
  cost           analytic     counted by running the network
{lines}
"""
