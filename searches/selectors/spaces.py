"""The space of a search as an engine object: layer names and labels."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from engine.blueprint import InputSpec
from engine.config.spaces import SpaceOptions
from engine.registry import create_space
from engine.space import SearchSpace
from searches.models import Search

DEFINED_FOR = InputSpec(3, 224, 224)
"""Images for which a space is looked at by itself: large ones, so that no stride is refused before data is chosen."""
_OPTIONS: TypeAdapter[SpaceOptions] = TypeAdapter(SpaceOptions)


def of_search(search: Search) -> SearchSpace:
    """The space for the images that the search was made with."""
    info = search.data_info
    defaults = InputSpec()
    names = ("channels", "height", "width", "classes")
    return of_options(search.config["space"], *(int(info.get(name) or getattr(defaults, name)) for name in names))


def of_options(options: dict[str, Any], *spec: int) -> SearchSpace:
    """The space of these options; ``spec`` is channels, height, width, classes (default: `DEFINED_FOR`)."""
    return _space(json.dumps(options, sort_keys=True), InputSpec(*spec) if spec else DEFINED_FOR)


@lru_cache(maxsize=32)
def _space(options: str, spec: InputSpec) -> SearchSpace:
    return create_space(_OPTIONS.validate_json(options), spec)


def layers(space: SearchSpace) -> list[dict[str, Any]]:
    """Layers with their option labels; where options depend on earlier choices, those after the first options."""
    return [
        {"layer": i, "name": name, "options": list(space.options((0,) * i))} for i, name in enumerate(space.layer_names)
    ]
