"""Exports as documents, which contain all that a separate process needs to write one file.

A job is JSON. It has ``kind`` (``network`` or ``front``), ``format``, and either one document (``network``) or several
(``networks``, with ``name`` and ``about``); `subject_of` describes the documents. Equal jobs give equal networks,
weights and checks.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from engine.blueprint import InputSpec
from engine.config.base import STORED
from engine.config.spaces import SpaceOptions
from engine.errors import ExportError
from engine.export.bundle import ExportedFile, export
from engine.export.record import ExportSubject, TrainedWeights
from engine.registry import create_space

_OPTIONS: TypeAdapter[SpaceOptions] = TypeAdapter(SpaceOptions)
Tell = Callable[[int, int], object]


def subject_of(document: Mapping[str, Any]) -> ExportSubject:
    """Return the subject of an export from its document.

    The fields are ``name, space, spec, choices, class_names, preprocessing, scores, provenance, weight_seed, trained,
    form``.
    """
    options = _OPTIONS.validate_python(document["space"], context={STORED: True})
    space = create_space(options, InputSpec(*document["spec"]))
    trained = document["trained"]
    return ExportSubject(
        name=document["name"],
        space=space,
        space_options=document["space"],
        architecture=space.architecture(document["choices"]),
        class_names=document["class_names"],
        preprocessing=document["preprocessing"],
        scores=document["scores"],
        provenance=document["provenance"],
        weight_seed=document["weight_seed"],
        trained=TrainedWeights(**{**trained, "path": Path(trained["path"])}) if trained else None,
        form=document["form"],
    )


def run(job: Mapping[str, Any], tell: Tell = lambda done, of: None) -> ExportedFile:
    """Return the file of a job; ExportError if it cannot be made.

    ``tell`` is called with the number of finished networks and the number of all networks.
    """
    if job["kind"] == "front":
        return _front(job, tell)
    return export(job["format"], subject_of(job["network"]))


def _front(job: Mapping[str, Any], tell: Tell) -> ExportedFile:
    """Return a zip with one folder for each network's verified files.

    A network that cannot be written is named with the reason.
    """
    networks = job["networks"]
    name = job["name"]
    buffer = io.BytesIO()
    missing = []
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(job["columns"])
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for done, document in enumerate(networks):
            tell(done, len(networks))
            subject = subject_of(document)
            rows.writerow(document["row"])
            try:
                inner = zipfile.ZipFile(io.BytesIO(export("zip", subject).data))
            except ExportError as error:
                missing.append(f"{document['name']}: {error}")
                continue
            for entry in inner.namelist():
                archive.writestr(f"{name}/{entry}", inner.read(entry))
        if len(missing) == len(networks):
            raise ExportError(missing[0] if missing else "there is no network to export")
        archive.writestr(f"{name}/front.csv", table.getvalue())
        archive.writestr(f"{name}/README.txt", _readme(job, missing))
    return ExportedFile(f"{name}.zip", "application/zip", buffer.getvalue())


def _readme(job: Mapping[str, Any], missing: list[str]) -> str:
    about = "front.csv lists the networks by ascending cost; each folder holds one, with its own README and checks."
    lines = [job["about"], "", about]
    if missing:
        lines += ["", "Left out:", *missing]
    return "\n".join(lines) + "\n"
