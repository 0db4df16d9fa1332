"""Downloads of one candidate in any format, and of the whole front; both can be prepared beforehand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from engine.metrics import COST_NAMES
from searches.api.base import UnderSearch
from searches.api.serializers.exports import PreparationSerializer
from searches.services import export_files, export_jobs

FORMAT = OpenApiParameter("format", str, enum=export_jobs.FORMATS, default="json")
FORM = OpenApiParameter(
    "form", str, enum=export_jobs.FORMS, default="classifier", description="backbone: feature maps at strides 8, 16, 32"
)
TRAINING = OpenApiParameter(
    "training",
    str,
    description="number of a finished full training whose weights are included, or 'initial'; default: the last one",
)
METRIC = OpenApiParameter("metric", str, enum=COST_NAMES, description="default: the search's own")
FILE: dict[Any, Any] = {
    (200, "application/octet-stream"): OpenApiTypes.BINARY,
    (200, "application/json"): OpenApiTypes.OBJECT,
    (200, "application/zip"): OpenApiTypes.BINARY,
    (200, "text/x-python"): OpenApiTypes.STR,
}
FRONT = {kind: FILE[kind] for kind in FILE if kind[1] in ("application/octet-stream", "application/zip")}
BLOCK = 1_000_000
Word = TypeVar("Word", bound=str)
IN_ONE_PIECE = 16_000_000
"""Bytes; larger files are read and sent in blocks."""


def chosen(request: Request, name: str, choices: Sequence[Word], default: Word) -> Word:
    """Return the choice that the address names; ValidationError lists the choices."""
    value = request.query_params.get(name, default)
    for choice in choices:
        if choice == value:
            return choice
    raise ValidationError({name: f"Choose one of {', '.join(choices)}."})


def network_job(request: Request, candidate: Any) -> dict[str, Any]:
    """Return the job that the address asks for."""
    wanted = chosen(request, "format", export_jobs.FORMATS, "json")
    form = chosen(request, "form", export_jobs.FORMS, "classifier")
    return export_jobs.network_job(candidate, wanted, form, request.query_params.get("training"))


def sent(job: dict[str, Any]) -> HttpResponse | StreamingHttpResponse:
    """Return the file as soon as it is made; waiting occupies a thread."""
    prepared = export_files.wait(job)
    headers = {"Content-Disposition": f'attachment; filename="{prepared.name}"'}
    size = prepared.path.stat().st_size
    if size <= IN_ONE_PIECE:
        return HttpResponse(prepared.path.read_bytes(), content_type=prepared.content_type, headers=headers)
    headers["Content-Length"] = str(size)
    return StreamingHttpResponse(_blocks(prepared), content_type=prepared.content_type, headers=headers)


def prepared(job: dict[str, Any], url: str) -> Response:
    """Return whether the file is ready, and begin to make it if nobody has."""
    found = export_files.ask(job)
    if isinstance(found, export_files.Prepared):
        body = {"status": "ready", "url": url, "name": found.name, "bytes": found.path.stat().st_size}
        return Response(PreparationSerializer(body).data)
    body = {"status": "preparing", "url": url, "done": found.done, "of": found.of}
    return Response(PreparationSerializer(body).data, status=status.HTTP_202_ACCEPTED)


class FrontDownload(UnderSearch):
    """Every network of the Pareto front in one zip."""

    @extend_schema(summary="The whole front as one zip", parameters=[METRIC, FORM], responses=FRONT)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse | StreamingHttpResponse:
        """Return the zip as soon as it is made; POST says how far it is."""
        return sent(self._job(request))

    @extend_schema(
        summary="Prepare the front's zip",
        parameters=[METRIC, FORM],
        request=None,
        responses={200: PreparationSerializer, 202: PreparationSerializer},
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the state of the zip; the status is 202 while it is being made, so ask again."""
        return prepared(self._job(request), request.build_absolute_uri())

    def _job(self, request: Request) -> dict[str, Any]:
        own = self.parent.configuration.objective.cost_metric
        form = chosen(request, "form", export_jobs.FORMS, "classifier")
        return export_jobs.front_job(self.parent, chosen(request, "metric", COST_NAMES, own), form)


async def _blocks(prepared: export_files.Prepared) -> AsyncIterator[bytes]:
    with prepared.path.open("rb") as file:
        while block := await sync_to_async(file.read)(BLOCK):
            yield block
