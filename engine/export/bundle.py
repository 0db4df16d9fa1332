"""One candidate as files: JSON, ``model.py``, ONNX, ``.pt2``, or a zip of all of them."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import onnx
from torch.export import ExportedProgram

from engine.errors import ExportError
from engine.export.model_py import model_source
from engine.export.onnx import OPSET, Parity, check_parity, onnx_bytes, onnx_model
from engine.export.program import program_bytes, trace
from engine.export.record import UNTRAINED, ExportSubject, record
from engine.networks.build import Network, build
from engine.networks.count import count

METADATA_FILE = "nasweb.json"
EXPORTING = threading.Lock()
"""torch.export and the exporters' settings belong to the process: one export at a time."""


@dataclass(frozen=True)
class ExportedFile:
    """A file ready to send."""

    name: str
    content_type: str
    data: bytes


def export(format: str, subject: ExportSubject) -> ExportedFile:
    """The file in one of `FORMATS`; ExportError when it cannot be made. Safe to call from several threads."""
    if format not in FORMATS:
        raise ExportError(f"there is no format '{format}'; choose one of {', '.join(FORMATS)}")
    content_type, write = FORMATS[format]
    with EXPORTING:
        data = write(_Work(subject))
    # A Python file is imported by its name, which takes no hyphens.
    stem = subject.name.replace("-", "_") if format == "py" else subject.name
    return ExportedFile(f"{stem}.{format}", content_type, data)


class _Work:
    """What several formats of one subject share, each made at most once."""

    def __init__(self, subject: ExportSubject) -> None:
        self.subject = subject
        self.spec = subject.blueprint.input

    @cached_property
    def network(self) -> Network:
        return build(self.subject.blueprint, seed=self.subject.weight_seed)

    @cached_property
    def record(self) -> dict[str, Any]:
        return record(self.subject, count(self.network, self.spec))

    @cached_property
    def program(self) -> ExportedProgram:
        return trace(self.network, self.spec)

    @cached_property
    def onnx_model(self) -> onnx.ModelProto:
        return onnx_model(self.program)

    @cached_property
    def parity(self) -> Parity:
        return check_parity(self.onnx_model, self.network, self.spec)

    @property
    def stamp(self) -> dict[str, Any]:
        return {"onnx_against_pytorch": {**asdict(self.parity), "opset": OPSET}}


def _json(work: _Work) -> bytes:
    return _text(work.record)


def _source(work: _Work) -> bytes:
    subject = work.subject
    weights = f"torch.manual_seed({subject.weight_seed}) before Network() gives the initial weights of the other files."
    source = model_source(subject.blueprint, f"{subject.title}. {weights}", subject.class_names, subject.preprocessing)
    return source.encode()


def _onnx(work: _Work) -> bytes:
    network = work.record["network"]
    properties = {
        "architecture": work.subject.string,
        "space": work.subject.space.kind,
        "class_names": json.dumps(network["class_names"], ensure_ascii=False),
        "preprocessing": json.dumps(network["preprocessing"], ensure_ascii=False),
        "weights": UNTRAINED,
        "parity": json.dumps(work.stamp),
    }
    return onnx_bytes(work.onnx_model, properties)


def _program(work: _Work) -> bytes:
    return program_bytes(work.program, {METADATA_FILE: _text(work.record).decode()})


def _zip(work: _Work) -> bytes:
    name = work.subject.name
    files = {
        "README.txt": _readme(work).encode(),
        f"{name}.json": _text({**work.record, "checks": work.stamp}),
        "model.py": _source(work),
        f"{name}.onnx": _onnx(work),
        f"{name}.pt2": _program(work),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in files.items():
            archive.writestr(f"{name}/{file}", data)
    return buffer.getvalue()


FORMATS: Mapping[str, tuple[str, Callable[[_Work], bytes]]] = {
    "json": ("application/json", _json),
    "py": ("text/x-python; charset=utf-8", _source),
    "onnx": ("application/octet-stream", _onnx),
    "pt2": ("application/octet-stream", _program),
    "zip": ("application/zip", _zip),
}


def _text(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _readme(work: _Work) -> str:
    subject, spec, parity = work.subject, work.spec, work.parity
    analytic, counted = work.record["costs"]["analytic"], work.record["costs"]["counted_by_running"]
    costs = "\n".join(f"  {name:14} {analytic[name]:<12.6g} {counted[name]:.6g}" for name in analytic)
    return f"""{subject.title}

Input: float32 images of shape (batch, {spec.channels}, {spec.height}, {spec.width})
Output: logits of shape (batch, {spec.classes})
Class names and preprocessing are in the JSON, in the ONNX file's metadata and in model.py.

WEIGHTS: {UNTRAINED} (seed {subject.weight_seed})

Files
  {subject.name}.json   the architecture, its space, costs, scores and where it comes from
  model.py   the network as source; needs nothing but torch
  {subject.name}.onnx   ONNX, opset {OPSET}, any batch size
  {subject.name}.pt2    torch.export program, any batch size; {METADATA_FILE} inside repeats the JSON

Use
  torch.export.load("{subject.name}.pt2").module()(images)
  onnxruntime.InferenceSession("{subject.name}.onnx").run(["logits"], {{"images": images}})
  from model import Network
  network = Network()
  network.load_state_dict(torch.export.load("{subject.name}.pt2").state_dict)

Checked when this file was made
  ONNX against PyTorch on {parity.images} random images: largest difference {parity.max_abs_difference:.3g} \
(limit {parity.tolerance:g})
  cost           analytic     counted by running the network
{costs}
"""
