"""The OpenAPI document: option models by their own schema, and the problem document for every operation."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.views import SpectacularAPIView

from searches.api.problems import CONTENT_TYPE

_TEXT = {"type": "string"}
_COMPLAINT = {
    "type": "object",
    "required": ["field", "message"],
    "properties": {"field": {**_TEXT, "description": "dotted as in the body; empty: the whole"}, "message": _TEXT},
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "errors": {"type": "array", "items": _COMPLAINT},
    },
}


class ConfigSchema(OpenApiSerializerExtension):
    """The schema of option models as clients may send them: fields with defaults are optional."""

    target_class = "engine.config.base.Options"
    match_subclasses = True
    priority = 1

    def get_name(self, auto_schema: Any, direction: str) -> str:
        """Return the component's name for requests and answers; options that are a whole body get a suffix."""
        name = str(self.target.__name__)
        return f"{name}Body" if name.endswith("Options") else name

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """Return pydantic's validation schema, and register its parts as components."""
        schema = self.target.model_json_schema(ref_template="#/components/schemas/{model}", mode="validation")
        for name, part in schema.pop("$defs", {}).items():
            component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema=part)
            auto_schema.registry.register_on_missing(component)
        return dict(schema)


class LocalOwnerSchema(OpenApiAuthenticationExtension):
    """The local owner, who needs no credentials."""

    target_class = "nasweb.local_owner.LocalOwnerAuthentication"
    name: list[str] = []

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[Any]]:
        """Return no requirement."""
        return {}

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        """Return no definition."""
        return []


class SchemaView(SpectacularAPIView):
    """The OpenAPI 3.1 document as YAML or, with ``?format=json``, as JSON."""


def add_problems(result: dict[str, Any], generator: Any, **kwargs: Any) -> dict[str, Any]:
    """Return the document with the problem document as the default answer of every operation."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    reply = {
        "description": "A problem document (RFC 9457) that names each faulty field.",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = reply
    return result
