"""The one place where a configuration meets its rows and becomes engine objects.

Everything here runs without torch, so that pages and the API can use it: an estimate's identity is digested from its
options and the content of its data instead of asking the estimator.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.conf import settings

from engine.algorithms.base import SearchAlgorithm
from engine.blueprint import InputSpec
from engine.config.datasets import DatasetOptions
from engine.config.estimators import EstimatorOptions
from engine.config.search import SearchConfig
from engine.datasets.base import DatasetInfo, ImageData
from engine.errors import DataError, StateMismatch, at_field
from engine.latency import LatencyTable as Latencies
from engine.problem import SearchProblem
from engine.registry import assemble, create_algorithm, open_data
from engine.sources import Opened
from engine.space import Architecture, SearchSpace
from searches.models import Dataset, LatencyTable, Search, Table
from searches.services import ingredients
from searches.services.ingredients import Ingredients

KEPT = 8
FIDELITY = "default"
SHAPE = ("channels", "height", "width", "classes")


@dataclass(frozen=True)
class Stage:
    """The estimate that scores the proposals of one stage.

    ``data_hash`` is a digest of the images or the table that scores depend on. ``inline`` is true if the task that
    advances the search looks the scores up itself.
    """

    options: EstimatorOptions
    table: Opened | None
    table_row: Table | None
    data_hash: str
    inline: bool = False

    @cached_property
    def identity(self) -> str:
        """The digest of all that a score depends on besides the network, the seed and the fidelity.

        It covers the estimate's recipe, its options and its data's content, but not the origin or the name of a table.
        """
        return _digest([self.options.recipe, self.options.identifying(), self.data_hash])

    def key(self, architecture: Architecture) -> str:
        """Return the digest by which every search finds the evaluation of a network again."""
        return _digest([architecture.space, architecture.choices, self.identity, FIDELITY, self.options.seed])


@dataclass(frozen=True)
class Resolved:
    """A configuration with all it needs.

    ``document`` is the configuration, JSON-ready. ``space`` is the problem's, made for this data's images.
    ``stages[0]`` scores the search's proposals. If the configuration has a final estimate, ``stages[1]`` scores
    finalists. ``inline`` and ``table_row`` are those of ``stages[0]``. ``data_info`` is what `Search.data_info` keeps;
    it is empty without data.
    """

    config: SearchConfig
    document: dict[str, Any]
    problem: SearchProblem
    space: SearchSpace
    stages: tuple[Stage, ...]
    inline: bool
    data_info: dict[str, Any]
    dataset: Dataset | None
    table_row: Table | None
    latency_row: LatencyTable | None

    def algorithm(self) -> SearchAlgorithm:
        """Return a fresh algorithm, which expects finals if the configuration has a final estimate."""
        config = self.config
        return create_algorithm(config.algorithm, self.problem, config.seed, config.finalists)

    def stage_of(self, identity: str) -> Stage:
        """Return the stage that an evaluation belongs to.

        Raises StateMismatch if the evaluation's recipe or data are not this search's.
        """
        for stage in self.stages:
            if stage.identity == identity:
                return stage
        raise StateMismatch("this estimate's recipe or data changed since the search was made; clone the search")

    def open_data(self, stage: Stage) -> ImageData | None:
        """Return the images to score on, or None for an estimate that needs none.

        Raises DataError if they are gone or are not those that the search was made with.
        """
        if self.config.dataset is None or not stage.options.needs_images:
            return None
        data = open_data(self.config.dataset, ingredients.root_of(self.dataset))
        if data.info.content_hash != stage.data_hash:
            raise DataError("the images are not those this search was made with; clone the search to use the new ones")
        return data


_kept: OrderedDict[str, Resolved] = OrderedDict()


def resolve(
    owner: Any, config: SearchConfig, data_info: dict[str, Any] | None = None, *, local_files: bool | None = None
) -> Resolved:
    """Return a configuration with its rows and engine objects; ConfigError names the field that cannot be met.

    If ``data_info`` of a search made before is given, the data are not looked at again, and files of this machine may
    be read. ``local_files`` lets a new configuration name such files; by default only an embedded server on loopback
    allows this. The latest results are kept.
    """
    may_read = data_info is not None or _local_files(local_files)
    found = ingredients.find(owner, config, local_files=may_read)
    document = config.as_dict()
    latency = found.latency
    changed = [(str(place), written) for place, written in zip(found.places, found.written, strict=True)]
    key = _digest([owner.pk, document, data_info, changed, latency and latency.pk])
    resolved = _kept.pop(key, None) or _resolve(config, document, found, data_info)
    _kept[key] = resolved
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return resolved


def resolve_search(search: Search) -> Resolved:
    """Return the same as `resolve`, for a search made before."""
    return resolve(search.owner, search.configuration, search.data_info)


def _resolve(
    config: SearchConfig, document: dict[str, Any], found: Ingredients, data_info: dict[str, Any] | None
) -> Resolved:
    spec = None if data_info is None else _spec(data_info)
    latency = Latencies.of(found.latency.entries.items()) if found.latency is not None else None
    assembled = assemble(config, found.places, found.root, spec=spec, latency=latency)
    if data_info is None:
        data_info = _data_info(assembled.info, found.dataset)
    stages = []
    for options, table, row in zip(config.estimators, assembled.tables, found.tables, strict=True):
        images_hash = data_info["content_hash"] if options.needs_images else ""
        data_hash = images_hash if table is None else table.content_hash
        stages.append(Stage(options, table, row, data_hash, options.looks_up))
    return Resolved(
        config=config,
        document=document,
        problem=assembled.problem,
        space=assembled.problem.space,
        stages=tuple(stages),
        inline=stages[0].inline,
        data_info=data_info,
        dataset=found.dataset,
        table_row=stages[0].table_row,
        latency_row=found.latency,
    )


def resolve_data(
    owner: Any, options: DatasetOptions, *, local_files: bool | None = None
) -> tuple[Dataset | None, dict[str, Any]]:
    """Return the row of uploaded images, or None, and the data's description; raises ConfigError as `resolve` does."""
    row = ingredients.dataset_row(owner, options, local_files=_local_files(local_files))
    with at_field(options.field):
        return row, _data_info(open_data(options, ingredients.root_of(row)).info, row)


def images_of(options: DatasetOptions, row: Dataset | None, content_hash: str) -> ImageData:
    """Return the images; raises DataError if they are gone or have another hash."""
    data = open_data(options, ingredients.root_of(row))
    if data.info.content_hash != content_hash:
        raise DataError("the images are not those with which this began; start again to use the new ones")
    return data


def _local_files(allowed: bool | None) -> bool:
    return settings.NASWEB_EMBEDDED if allowed is None else allowed


def _spec(data_info: dict[str, Any]) -> InputSpec:
    return InputSpec(*(data_info[name] for name in SHAPE)) if data_info else InputSpec()


def _data_info(info: DatasetInfo | None, dataset: Dataset | None) -> dict[str, Any]:
    if info is None:
        return {}
    return {
        "label": dataset.name if dataset is not None else info.label,
        "channels": info.spec.channels,
        "height": info.spec.height,
        "width": info.spec.width,
        "classes": info.spec.classes,
        "class_names": list(info.class_names),
        "preprocessing": dict(info.preprocessing),
        "counts": {"train": info.train_count, "valid": info.valid_count, "test": info.test_count},
        "content_hash": info.content_hash,
    }


def _digest(parts: Any) -> str:
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
