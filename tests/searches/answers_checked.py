"""A client that checks every answer of the API against the schema that the API declares for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from rest_framework.test import APIClient

from tests.searches.clients import client_of

Schema = dict[str, Any]
Answer = tuple[str, str]
"""The name of an operation, and a status."""


def declared() -> Schema:
    """Return the API's OpenAPI document."""
    return dict(json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True))))


def complaints(document: Schema, schema: Schema, value: Any) -> list[str]:
    """Return one line for each place where a value is not as the schema says; undeclared fields count."""
    whole = {**closed(schema), "components": closed(document["components"])}
    return [f"{error.json_path}: {_reason(error)}" for error in Draft202012Validator(whole).iter_errors(value)]


def closed(schema: Any) -> Any:
    """Return the schema as answers have to meet it: no undeclared fields, and none that is only ever sent."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {name: closed(part) for name, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        sent = {name for name, part in schema["properties"].items() if part.get("writeOnly")}
        shut["properties"] = {name: part for name, part in shut["properties"].items() if name not in sent}
        shut["required"] = [name for name in schema.get("required", ()) if name not in sent]
        shut.setdefault("additionalProperties", False)
    return shut


def _reason(error: ValidationError) -> str:
    """Return what is wrong, in a line: for a union the reason in the variant that comes closest."""
    while error.context:
        error = min(error.context, key=lambda inner: (len(list(_leaves(inner))), -len(inner.absolute_path)))
    return error.message[:300]


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    if not error.context:
        yield error
    for inner in error.context or ():
        yield from _leaves(inner)


class CheckedClient:
    """Sends requests as one user; collects what is wrong with the answers, and which operations answered."""

    def __init__(self, user: Any, document: Schema) -> None:
        self.client: APIClient = client_of(user)
        self.document = document
        self.faults: list[str] = []
        self.seen: set[Answer] = set()

    def send(self, method: str, path: str, body: Any = None, *, form: bool = False, status: int = 200) -> Any:
        """Return the answer's JSON, or the reply itself where it is none; AssertionError for another status."""
        given = {} if body is None else {"data": body, "format": "multipart" if form else "json"}
        reply = getattr(self.client, method)("/api/v1/" + path, **given)
        assert reply.status_code == status, f"{method} {path}: {reply.status_code} {getattr(reply, 'content', b'')!r}"
        operation = self._operation(method, "/api/v1/" + path.partition("?")[0])
        name = f"{operation['operationId']} {status}"
        self.seen.add((operation["operationId"], str(status) if str(status) in operation["responses"] else "default"))
        described = operation["responses"].get(str(status), operation["responses"]["default"])
        contents = described.get("content", {})
        kind = reply.headers.get("Content-Type", "").partition(";")[0]
        if not contents:
            self.faults += [f"{name}: a body where none is declared"] * bool(reply.content)
            return reply
        if kind not in contents:
            self.faults.append(f"{name}: the content type {kind} is not declared")
            return reply
        if not kind.endswith("json"):
            return reply
        value = json.loads(b"".join(reply) if reply.streaming else reply.content)
        found = complaints(self.document, contents[kind]["schema"], value)
        self.faults += [f"{name} {line}" for line in found[:5]]
        return value

    def _operation(self, method: str, path: str) -> Schema:
        fitting = [known for known in self.document["paths"] if _fits(known, path)]
        best = min(fitting, key=lambda known: known.count("{"))
        return dict(self.document["paths"][best][method])


def _fits(known: str, path: str) -> bool:
    parts = re.split(r"\{\w+\}", known)
    return re.fullmatch("[^/]+".join(map(re.escape, parts)), path) is not None
