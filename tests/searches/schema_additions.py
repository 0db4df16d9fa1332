"""Comparison of OpenAPI documents: what is missing, narrower or of another type in the later one.

Components are followed, not compared by name: a class may be renamed, the wire may not change. Requests may take more
than before, and answers may say more than before; neither may lose anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]
PROSE = ("title", "description", "summary", "tags", "security", "example", "examples", "servers")
TIGHTER_WHEN_LARGER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
TIGHTER_WHEN_SMALLER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
REQUEST = "request"
ANSWER = "answer"


def without_prose(document: Any) -> Any:
    """Return the document without the texts that only people read; a field that is named like one of them stays."""
    if isinstance(document, list):
        return [without_prose(part) for part in document]
    if not isinstance(document, dict):
        return document
    kept = {key: part for key, part in document.items() if isinstance(part, dict) or key not in PROSE}
    return {key: without_prose(part) for key, part in kept.items()}


@dataclass
class Shape:
    """What values a schema takes, with references, unions and wrappers resolved."""

    types: set[str] = field(default_factory=set)
    words: set[Any] | None = field(default_factory=set)
    """The values that are allowed, where they are listed; None: any value of the types."""
    limits: dict[str, float] = field(default_factory=dict)
    objects: dict[str, Schema] = field(default_factory=dict)
    """By the words that name their kind; "" where there is one kind only."""
    lists: list[Schema] = field(default_factory=list)


def lost(before: Schema, after: Schema) -> list[str]:
    """Return one line for everything that ``after`` lacks, narrows or changes; an empty list when it only adds."""
    return sorted(set(_Comparison(before, after).differences()))


class _Comparison:
    """Two whole documents; remembers which pairs of components it has seen."""

    def __init__(self, before: Schema, after: Schema) -> None:
        self.before = before
        self.after = after
        self.seen: set[tuple[str, str, str]] = set()

    def differences(self) -> Iterator[str]:
        """Yield the lines, operation by operation."""
        for path, operations in self.before["paths"].items():
            if path not in self.after["paths"]:
                yield f"{path} is gone"
                continue
            for method, operation in operations.items():
                name = f"{method.upper()} {path}"
                if method in self.after["paths"][path]:
                    yield from self._operation(name, operation, self.after["paths"][path][method])
                else:
                    yield f"{name} is gone"

    def _operation(self, name: str, old: Schema, new: Schema) -> Iterator[str]:
        if old["operationId"] != new["operationId"]:
            yield f"{name} operationId {old['operationId']} is now {new['operationId']}"
        yield from self._parameters(name, old, new)
        yield from self._bodies(name, old, new)
        for status, answer in old["responses"].items():
            place = f"{name} {status}"
            if status not in new["responses"]:
                yield f"{place} is gone"
                continue
            yield from self._contents(place, ANSWER, answer, new["responses"][status])

    def _parameters(self, name: str, old: Schema, new: Schema) -> Iterator[str]:
        known = {(each["in"], each["name"]): each for each in old.get("parameters", ())}
        now = {(each["in"], each["name"]): each for each in new.get("parameters", ())}
        for key, parameter in known.items():
            place = f"{name} parameter {key[1]} in {key[0]}"
            if key not in now:
                yield f"{place} is gone"
                continue
            yield from self._schemas(place, REQUEST, parameter["schema"], now[key]["schema"])
        for key, parameter in now.items():
            if parameter.get("required") and not known.get(key, {}).get("required"):
                yield f"{name} parameter {key[1]} in {key[0]} has become required"

    def _bodies(self, name: str, old: Schema, new: Schema) -> Iterator[str]:
        if "requestBody" in old and "requestBody" not in new:
            yield f"{name} request is gone"
            return
        if new.get("requestBody", {}).get("required") and not old.get("requestBody", {}).get("required"):
            yield f"{name} request has become required"
        if "requestBody" in old:
            yield from self._contents(f"{name} request", REQUEST, old["requestBody"], new["requestBody"])

    def _contents(self, place: str, direction: str, old: Schema, new: Schema) -> Iterator[str]:
        for kind, content in old.get("content", {}).items():
            if kind not in new.get("content", {}):
                yield f"{place} {kind} is gone"
                continue
            yield from self._schemas(place, direction, content["schema"], new["content"][kind]["schema"])

    def _schemas(self, place: str, direction: str, old: Schema, new: Schema) -> Iterator[str]:
        if "$ref" in old and "$ref" in new:
            pair = (old["$ref"], new["$ref"], direction)
            if pair in self.seen:
                return
            self.seen.add(pair)
        was = shape(self.before, old)
        now = shape(self.after, new)
        if gone := was.types - now.types - ({"integer"} if "number" in now.types else set()):
            yield f"{place} is no longer {_listed(gone)}, but {_listed(now.types)}"
            return
        if direction == ANSWER and (added := now.types - was.types):
            yield f"{place} may now be {_listed(added)}, not only {_listed(was.types)}"
        yield from _words(place, direction, was, now)
        yield from _limits(place, direction, was, now)
        for kind, part in was.objects.items():
            if kind not in now.objects:
                yield f"{place} kind {kind} is gone"
                continue
            yield from self._objects(f"{place} {kind}".rstrip(), direction, part, now.objects[kind])
        for items, others in zip(was.lists, now.lists, strict=False):
            yield from self._schemas(f"{place}[]", direction, items, others)

    def _objects(self, place: str, direction: str, old: Schema, new: Schema) -> Iterator[str]:
        fields = new.get("properties", {})
        for name, part in old.get("properties", {}).items():
            if name not in fields:
                yield f"{place}.{name} is gone"
                continue
            yield from self._schemas(f"{place}.{name}", direction, part, fields[name])
        needed = set(new.get("required", ()))
        given = set(old.get("required", ()))
        if direction == REQUEST:
            yield from (f"{place}.{name} has become required" for name in needed - given if not _is_read(fields, name))
        else:
            yield from (f"{place}.{name} is no longer always there" for name in given - needed if name in fields)
        if old.get("additionalProperties", {}) is not False and new.get("additionalProperties", {}) is False:
            yield f"{place} has closed to further fields"
        if isinstance(old.get("additionalProperties"), dict) and isinstance(new.get("additionalProperties"), dict):
            parts = (old["additionalProperties"], new["additionalProperties"])
            yield from self._schemas(f"{place}.*", direction, *parts)


def shape(document: Schema, schema: Schema) -> Shape:
    """Return what values a schema of the document takes."""
    found = Shape()
    for part in _variants(document, schema):
        words = part.get("enum", [part["const"]] if "const" in part else None)
        if words is not None:
            found.types |= {_type_of(word) for word in words}
            found.words = None if found.words is None else found.words | set(words)
            continue
        types = part.get("type", "object" if "properties" in part else "anything")
        for kind in [types] if isinstance(types, str) else types:
            found.types.add(kind)
            if kind == "object":
                found.objects[_kind_of(document, part)] = part
            elif kind == "array":
                found.lists.append(part.get("items", {}))
            elif kind != "null":
                found.words = None
        found.limits.update(
            {name: part[name] for name in (*TIGHTER_WHEN_LARGER, *TIGHTER_WHEN_SMALLER) if name in part}
        )
    return found


def _variants(document: Schema, schema: Schema) -> Iterator[Schema]:
    if "$ref" in schema:
        yield from _variants(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        return
    for word in ("oneOf", "anyOf"):
        if word in schema:
            for part in schema[word]:
                yield from _variants(document, part)
            return
    if "allOf" in schema:
        merged: Schema = {}
        for part in schema["allOf"]:
            for each in _variants(document, part):
                merged |= each
        yield merged
        return
    yield schema


def _kind_of(document: Schema, schema: Schema) -> str:
    """Return the words that tell this kind of object from others in a union, as ``kind`` does."""
    properties = schema.get("properties", {})
    parts = ((name, next(_variants(document, part), {})) for name, part in properties.items())
    return " ".join(f"{name}={part['const']}" for name, part in parts if "const" in part)


def _type_of(word: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    return names[type(word)]


def _is_read(fields: Schema, name: str) -> bool:
    return bool(fields[name].get("readOnly"))


def _words(place: str, direction: str, was: Shape, now: Shape) -> Iterator[str]:
    if was.words is None:
        if now.words is not None and direction == REQUEST:
            yield f"{place} takes only {_listed(now.words)} now"
    elif now.words is not None:
        yield from (f"{place} value {word!r} is gone" for word in was.words - now.words)


def _limits(place: str, direction: str, was: Shape, now: Shape) -> Iterator[str]:
    if direction == ANSWER:
        return
    for name, limit in now.limits.items():
        old = was.limits.get(name)
        if old is None or (limit > old if name in TIGHTER_WHEN_LARGER else limit < old):
            yield f"{place} {name} was {old} and is now {limit}"


def _listed(words: set[Any]) -> str:
    return " or ".join(sorted(map(str, words))) or "nothing"
