"""A network as a torch.export program, which ``.pt2`` files contain and from which ONNX files are made."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from engine.blueprint import InputSpec
from engine.errors import ExportError

LOGGERS = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")


def trace(network: nn.Module, spec: InputSpec) -> ExportedProgram:
    """Return the network in evaluation mode as a graph for any batch size.

    The caller holds the lock of `engine.export.bundle`.
    """
    example = torch.zeros(2, spec.channels, spec.height, spec.width)
    with quiet(), failing("traced"):
        program = torch.export.export(network.eval(), (example,), dynamic_shapes=({0: Dim("batch")},))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it contains paths of this machine, which must not get into files
    return program


def program_bytes(program: ExportedProgram, files: Mapping[str, str]) -> bytes:
    """Return the ``.pt2`` file; ``files`` are texts stored in it (``torch.export.load(..., extra_files=...)``)."""
    buffer = io.BytesIO()
    with quiet(), failing("saved as .pt2"):
        torch.export.save(program, buffer, extra_files=dict(files))
    return buffer.getvalue()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the exporters, which print progress and deprecations; this changes settings of the whole process."""
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)


@contextmanager
def failing(verb: str) -> Iterator[None]:
    """Turn any exception of the exporters into an ExportError."""
    try:
        yield
    except Exception as error:
        reason = str(error).strip().split("\n", 1)[0][:300]
        raise ExportError(f"the network cannot be {verb}: {reason or type(error).__name__}") from error
