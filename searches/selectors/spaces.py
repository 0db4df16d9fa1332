"""The space of a search as an engine object: layer names and labels."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Collection
from functools import lru_cache
from math import isfinite
from typing import Any

from pydantic import TypeAdapter

from engine.blueprint import InputSpec
from engine.config.base import STORED
from engine.config.spaces import SpaceOptions
from engine.drawing import draw, to_svg
from engine.errors import EngineError
from engine.latency import LatencyTable
from engine.layer_order import searched_order
from engine.metrics import LATENCY, NETWORK, NODES
from engine.registry import create_space
from engine.space import Choices, SearchSpace
from searches.models import Search

DEFINED_FOR = InputSpec(3, 224, 224)
"""Image size for describing a space without data: large, so that no stride is refused before data is chosen."""
LONGEST_ADDRESS, MOST_UNPACKED = 6_000, 200_000
_OPTIONS: TypeAdapter[SpaceOptions] = TypeAdapter(SpaceOptions)


def of_search(search: Search) -> SearchSpace:
    """Return the space for the images with which the search was made."""
    return of_options(search.configuration.space, *_images_of(search))


def limited(search: Search, metrics: Collection[str]) -> SearchSpace:
    """Return the search's space, with latencies from the search's table if the metrics include latency."""
    table = search.latency_table if LATENCY in metrics else None
    times = tuple(table.entries.items()) if table is not None else ()
    return _space(search.configuration.space.model_dump_json(), InputSpec(*_images_of(search)), times)


def searched_layers(search: Search) -> Choices:
    """Return the space's layers in the order in which the search searches them; pages list them in this order."""
    metric = search.configuration.objective.cost_metric
    space = limited(search, [metric])
    return searched_order(space, getattr(search.configuration.algorithm, "layer_order", "listed"), metric)


def searched_until(search: Search, layer: int) -> Choices:
    """Return a layer and all layers searched before it; empty for a layer that the space does not have."""
    order = searched_layers(search)
    return order[: order.index(layer) + 1] if layer in order else ()


def _images_of(search: Search) -> list[int]:
    """Return channels, height, width and classes of the search's images."""
    info = search.data_info
    defaults = InputSpec()
    return [int(info.get(name) or getattr(defaults, name)) for name in ("channels", "height", "width", "classes")]


def of_options(options: SpaceOptions, *spec: int) -> SearchSpace:
    """Return the space of these options; ``spec`` is channels, height, width, classes (default: `DEFINED_FOR`)."""
    return _space(options.model_dump_json(), InputSpec(*spec) if spec else DEFINED_FOR)


def of_document(document: Any, *spec: int) -> SearchSpace:
    """Return the space of options given as JSON data; raises ValueError if these are not valid options."""
    return of_options(_OPTIONS.validate_python(document), *spec)


@lru_cache(maxsize=32)
def _space(options: str, spec: InputSpec, times: tuple[tuple[str, float], ...] = ()) -> SearchSpace:
    read = _OPTIONS.validate_json(options, context={STORED: True})
    return create_space(read, spec, LatencyTable.of(times) if times else None)


def described(space: SearchSpace) -> dict[str, Any]:
    """Return a summary of a space: exact size, layers, and least, largest and default value of every bounded cost."""
    default = space.default()
    known = space.metrics(default)
    ranges = {metric: space.cost_range((), metric) for metric in NODES}
    ranges |= {metric: space.whole_range((), metric) for metric in NETWORK}
    costs = {
        metric: {"low": low, "high": high, "default": known[metric]}
        for metric, (low, high) in ranges.items()
        if isfinite(high)
    }
    spec = space.spec
    return {
        "size": str(space.size),
        "depth": space.depth,
        "layers": layers(space),
        "default": space.to_string(default),
        "input": {"channels": spec.channels, "height": spec.height, "width": spec.width, "classes": spec.classes},
        "costs": costs,
    }


def default_drawing(space: SearchSpace) -> str:
    """Return the default network as an SVG document."""
    return to_svg(draw(space, space.default()))


def packed(options: dict[str, Any], *spec: int) -> str:
    """Return options and image size as text for an address, or empty text if it would be too long.

    `unpacked` is the inverse.
    """
    content = zlib.compress(json.dumps([options, spec]).encode(), 9)
    text = base64.urlsafe_b64encode(content).decode()
    return text if len(text) <= LONGEST_ADDRESS else ""


def unpacked(text: str) -> SearchSpace | None:
    """Return the space of an address, or None if `packed` did not write the text."""
    try:
        content = zlib.decompressobj().decompress(base64.urlsafe_b64decode(text), MOST_UNPACKED)
        options, spec = json.loads(content)
        return of_document(options, *spec)
    except (ValueError, TypeError, zlib.error, EngineError):
        return None


def layers(space: SearchSpace) -> list[dict[str, Any]]:
    """Return the layers with their option labels.

    If options depend on earlier choices, those after the first option of every earlier layer are listed.
    """
    return [
        {"layer": i, "name": name, "options": list(space.options((0,) * i))} for i, name in enumerate(space.layer_names)
    ]
