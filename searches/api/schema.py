"""OpenAPI: the configuration described by its own schema, and the problem document on every operation."""

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
    """Option models as clients may send them: fields with defaults are optional (pydantic's validation schema)."""

    target_class = "engine.config.base.Options"
    match_subclasses = True
    priority = 1

    def get_name(self, auto_schema: Any, direction: str) -> str:
        """One component for requests and replies; a body that is also part of another model has a name of its own."""
        name = str(self.target.__name__)
        return f"{name}Body" if name.endswith("Options") else name

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """Registers the parts as components of their own."""
        schema = self.target.model_json_schema(ref_template="#/components/schemas/{model}", mode="validation")
        for name, part in schema.pop("$defs", {}).items():
            component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema=part)
            auto_schema.registry.register_on_missing(component)
        return dict(schema)


class LocalOwnerSchema(OpenApiAuthenticationExtension):
    """The person at this machine needs to send nothing."""

    target_class = "nasweb.local_owner.LocalOwnerAuthentication"
    name: list[str] = []

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[Any]]:
        """None."""
        return {}

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        """None."""
        return []


class SchemaView(SpectacularAPIView):
    """OpenAPI 3.1, as YAML or, with ``?format=json``, as JSON."""


def add_problems(result: dict[str, Any], generator: Any, **kwargs: Any) -> dict[str, Any]:
    """Every operation may answer with a problem document."""
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
