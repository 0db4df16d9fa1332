"""One candidate as files: JSON, ``model.py``, weights, ONNX, ``.pt2``, or a verified zip of all of them."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import onnx
from torch.export import ExportedProgram

from engine.cost import Cost
from engine.errors import ExportError
from engine.export.model_py import model_source
from engine.export.onnx import OPSET, onnx_bytes, onnx_model
from engine.export.program import program_bytes, trace
from engine.export.readme import METADATA_FILE, readme
from engine.export.record import ExportSubject, record
from engine.export.verify import Parity, costs_agree, onnx_parity, program_parity, source_parity
from engine.export.weights import Outputs, network_of, weights_bytes
from engine.networks.build import Network
from engine.networks.count import count

EXPORTING = threading.Lock()
"""The lock that an export holds, because torch.export and the exporters change settings of the whole process."""


@dataclass(frozen=True)
class ExportedFile:
    """A file that is ready to be sent."""

    name: str
    content_type: str
    data: bytes


def export(format: str, subject: ExportSubject) -> ExportedFile:
    """Return the file in one of `FORMATS`; ExportError if it cannot be made. Several threads may call this."""
    if format not in FORMATS:
        raise ExportError(f"there is no format '{format}'; choose one of {', '.join(FORMATS)}")
    content_type, write = FORMATS[format]
    with EXPORTING:
        data = write(Intermediates(subject))
    # A Python file is imported by its name, and module names have no hyphens.
    stem = subject.stem.replace("-", "_") if format == "py" else subject.stem
    return ExportedFile(f"{stem}.{format}", content_type, data)


class Intermediates:
    """The intermediate results that several formats of one subject share; each is made at most once."""

    def __init__(self, subject: ExportSubject) -> None:
        self.subject = subject
        self.spec = subject.blueprint.input
        self.outputs = Outputs.of(subject.blueprint)

    @cached_property
    def network(self) -> Network:
        """The module with its weights, in evaluation mode."""
        return network_of(self.subject.blueprint, self.subject.trained, self.subject.weight_seed)

    @cached_property
    def counted(self) -> Cost:
        """The cost, counted by running the network."""
        return count(self.network, self.spec)

    @cached_property
    def record(self) -> dict[str, Any]:
        """The JSON document."""
        return record(self.subject, self.counted)

    @cached_property
    def program(self) -> ExportedProgram:
        """The exported program, from which ``.pt2`` and ONNX are made."""
        return trace(self.network, self.spec)

    @cached_property
    def onnx_model(self) -> onnx.ModelProto:
        """The ONNX graph."""
        return onnx_model(self.program, self.outputs)

    @cached_property
    def parity(self) -> Parity:
        """The check of the ONNX graph against the network; ExportError if their outputs differ."""
        return onnx_parity(self.onnx_model, self.network, self.spec, self.outputs)

    @property
    def stamp(self) -> dict[str, Any]:
        """The result of the check that is stored in the ONNX file."""
        return {"onnx_against_pytorch": {**asdict(self.parity), "opset": OPSET}}

    def verification(self, files: Mapping[str, bytes], source: str, program: bytes) -> dict[str, Any]:
        """Return the checks of every form against the network, the counted costs, and the files' digests."""
        network = self.network
        spec = self.spec
        outputs = self.outputs
        analytic = self.subject.analytic
        return {
            **self.stamp,
            "pt2_against_pytorch": asdict(program_parity(program, network, spec, outputs)),
            "model_py_against_pytorch": asdict(source_parity(source, network, spec, outputs)),
            "costs": {
                "analytic": analytic.as_dict(),
                "counted_by_running": self.counted.as_dict(),
                "agree": costs_agree(analytic, self.counted),
            },
            "weights": self.record["network"]["weights"],
            "versions": self.record["provenance"]["versions"],
            "checked_at": self.record["provenance"]["exported_at"],
            "files": {name: {"bytes": len(data), "sha256": sha256(data).hexdigest()} for name, data in files.items()},
        }


def _json(work: Intermediates) -> bytes:
    return _text(work.record)


def _source(work: Intermediates) -> bytes:
    subject = work.subject
    kind = "Backbone" if subject.form == "backbone" else "Network"
    use = f"torch.manual_seed({subject.weight_seed}) before {kind}() gives the initial weights of the other files."
    if subject.trained is not None:
        use = f'{subject.trained.note} {kind}().load_state_dict(torch.load("weights.pt")) loads them.'
    source = model_source(subject.blueprint, f"{subject.title}. {use}", subject.class_names, subject.preprocessing)
    return source.encode()


def _weights(work: Intermediates) -> bytes:
    return weights_bytes(work.network)


def _onnx(work: Intermediates) -> bytes:
    network = work.record["network"]
    properties = {
        "architecture": work.subject.string,
        "space": work.subject.space.kind,
        "class_names": json.dumps(network["class_names"], ensure_ascii=False),
        "preprocessing": json.dumps(network["preprocessing"], ensure_ascii=False),
        "weights": work.subject.note,
        "parity": json.dumps(work.stamp),
    }
    return onnx_bytes(work.onnx_model, properties)


def _program(work: Intermediates) -> bytes:
    return program_bytes(work.program, {METADATA_FILE: _text(work.record).decode()})


def _zip(work: Intermediates) -> bytes:
    stem = work.subject.stem
    source = _source(work)
    program = _program(work)
    files = {
        f"{stem}.json": _text(work.record),
        "model.py": source,
        "weights.pt": _weights(work),
        f"{stem}.onnx": _onnx(work),
        f"{stem}.pt2": program,
    }
    verification = work.verification(files, source.decode(), program)
    text = readme(work.subject, work.outputs, verification)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in {"README.txt": text.encode(), "verification.json": _text(verification), **files}.items():
            archive.writestr(f"{stem}/{file}", data)
    return buffer.getvalue()


FORMATS: Mapping[str, tuple[str, Callable[[Intermediates], bytes]]] = {
    "json": ("application/json", _json),
    "py": ("text/x-python; charset=utf-8", _source),
    "pt": ("application/octet-stream", _weights),
    "onnx": ("application/octet-stream", _onnx),
    "pt2": ("application/octet-stream", _program),
    "zip": ("application/zip", _zip),
}


def _text(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
