"""Loading of objects by their dotted names, so that a module can name objects that it must not import."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load(name: str) -> Any:
    """Return the object ``module:attribute``; the module is imported now."""
    module, attribute = name.split(":")
    return getattr(import_module(module), attribute)
