"""The one place where a configuration meets its rows and becomes engine objects.

Everything here runs without torch, so that pages and the API can use it: an estimate's identity is digested from its
options and the content of its data instead of asking the estimator.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings

from engine import table as tables
from engine.algorithms.base import SearchAlgorithm
from engine.blueprint import InputSpec
from engine.config.datasets import DatasetOptions, FoldersOptions
from engine.config.estimators import EstimatorOptions
from engine.config.search import SearchConfig
from engine.datasets.base import ImageData
from engine.errors import ConfigError, DataError, StateMismatch
from engine.latency import LatencyTable as Latencies
from engine.problem import SearchProblem
from engine.registry import create_algorithm, create_space, open_data
from engine.sources import Opened
from engine.space import Architecture, SearchSpace
from searches.models import Dataset, LatencyTable, Search, Table
from searches.services.ingredients import dataset_row, latency_row, look_up

KEPT = 8
FIDELITY = "default"
LARGE = 224
"""Side of images, in pixels, for which no space of use is refused."""
PATHS = ("estimator", "final.estimator")
"""Where the estimate of each stage stands in a configuration."""
SHAPE = ("channels", "height", "width", "classes")


@dataclass(frozen=True)
class Stage:
    """What scores the proposals of one stage; ``data_hash`` is a digest of the images or the table it depends on."""

    options: EstimatorOptions
    table: Opened | None
    table_row: Table | None
    data_hash: str

    @property
    def inline(self) -> bool:
        """Whether scores are looked up where the search is advanced."""
        return self.table is not None

    @cached_property
    def identity(self) -> str:
        """Digest of all that a score depends on besides the network, the seed and the fidelity.

        That is the estimate's recipe and options and its data's content; not where a table came from, nor its name.
        """
        return _digest([self.options.recipe, self.options.identifying(), self.data_hash])

    def key(self, architecture: Architecture) -> str:
        """Digest by which every search finds the evaluation of a network again."""
        return _digest([architecture.space, architecture.choices, self.identity, FIDELITY, self.options.seed])


@dataclass(frozen=True)
class Resolved:
    """A configuration with all it needs; ``data_info`` is what `Search.data_info` keeps, empty without data.

    ``stages[0]`` scores the search's proposals, ``stages[1]`` finalists, where the configuration has a final estimate.
    """

    config: SearchConfig
    problem: SearchProblem
    stages: tuple[Stage, ...]
    data_info: dict[str, Any]
    dataset: Dataset | None
    latency_row: LatencyTable | None = None

    @property
    def space(self) -> SearchSpace:
        """The search space, for this data's images."""
        return self.problem.space

    @property
    def inline(self) -> bool:
        """Whether the search's estimates are looked up where it is advanced."""
        return self.stages[0].inline

    @property
    def table_row(self) -> Table | None:
        """The uploaded table of the search's estimate."""
        return self.stages[0].table_row

    def algorithm(self) -> SearchAlgorithm:
        """A fresh algorithm, which expects finals where the configuration has a final estimate."""
        config = self.config
        return create_algorithm(config.algorithm, self.problem, config.seed, config.finalists)

    def stage_of(self, identity: str) -> Stage:
        """The stage that an evaluation belongs to; StateMismatch when its recipe or data are not this search's."""
        for stage in self.stages:
            if stage.identity == identity:
                return stage
        raise StateMismatch("this estimate's recipe or data changed since the search was made; clone the search")

    def open_data(self, stage: Stage) -> ImageData | None:
        """The images to train on; DataError when they are gone or not those the search was made with."""
        if self.config.dataset is None or stage.inline:
            return None
        data = open_data(self.config.dataset, _root(self.dataset))
        if data.info.content_hash != stage.data_hash:
            raise DataError("the images are not those this search was made with; clone the search to use the new ones")
        return data


_kept: OrderedDict[str, Resolved] = OrderedDict()


def resolve(
    owner: Any, config: SearchConfig, data_info: dict[str, Any] | None = None, *, local_files: bool | None = None
) -> Resolved:
    """Engine objects and rows of a configuration; ConfigError names the field that cannot be met.

    ``data_info`` of a search made before spares looking at the data again. ``local_files`` lets a configuration name a
    file of this machine (default: on the embedded loopback only). The latest few results are kept.
    """
    allowed = settings.NASWEB_EMBEDDED if local_files is None else local_files
    if isinstance(config.dataset, FoldersOptions) and data_info is None:
        _check_local(allowed)
    dataset, latency = dataset_row(owner, config.dataset), latency_row(owner, config)
    places = []
    for path, options in zip(PATHS, config.estimators, strict=False):
        source = options.source
        if source is not None and source.path and data_info is None and not allowed:
            message = "Files of the server are not read on request; upload the table instead."
            raise ConfigError.at(f"{path}.path", message)
        places.append(look_up(owner, source, path))
    changed = [(str(place), _changed(place)) for _, place in places]
    key = _digest([owner.pk, config.as_dict(), data_info, changed, latency and latency.pk])
    resolved = _kept.pop(key, None) or _resolve(config, dataset, places, latency, data_info)
    _kept[key] = resolved
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return resolved


def resolve_search(search: Search) -> Resolved:
    """As `resolve`, for a search made before."""
    return resolve(search.owner, search.configuration, search.data_info)


def _resolve(
    config: SearchConfig,
    dataset: Dataset | None,
    places: Sequence[tuple[Table | None, Path | None]],
    latency: LatencyTable | None,
    data_info: dict[str, Any] | None,
) -> Resolved:
    if data_info is None:
        with _at(_field_of(config.dataset)):
            data_info = _data_info(config.dataset, dataset)
    spec = InputSpec(*(data_info[name] for name in SHAPE)) if data_info else InputSpec()
    space = _space(config, spec, Latencies.of(latency.entries.items()) if latency is not None else None)
    opened: dict[Path, Opened] = {}
    stages = []
    for path, options, (row, place) in zip(PATHS, config.estimators, places, strict=False):
        source = options.source
        if source is not None and place is not None and place not in opened:
            with _at(f"{path}.{source.field}"):
                opened[place] = source.open(place)
        table = None if place is None else opened[place]
        stages.append(Stage(options, table, row, data_info["content_hash"] if table is None else table.content_hash))
    costs = None
    source, looked_up = config.estimator.source, stages[0].table
    if isinstance(looked_up, tables.Table) and source is not None and source.columns and source.columns.cost:
        with _at("estimator.cost"):
            costs = tables.TableCosts(looked_up, space, source.columns.cost)
    problem = SearchProblem(space, config.objective, costs)
    return Resolved(config, problem, tuple(stages), data_info, dataset, latency)


def resolve_data(
    owner: Any, options: DatasetOptions, *, local_files: bool | None = None
) -> tuple[Dataset | None, dict[str, Any]]:
    """The row of uploaded images, if it is such, and the data's description; ConfigError as in `resolve`."""
    if isinstance(options, FoldersOptions):
        _check_local(settings.NASWEB_EMBEDDED if local_files is None else local_files)
    row = dataset_row(owner, options)
    with _at(_field_of(options)):
        return row, _data_info(options, row)


def images_of(options: DatasetOptions, row: Dataset | None, content_hash: str) -> ImageData:
    """The images; DataError when they are gone or not those of the hash."""
    data = open_data(options, _root(row))
    if data.info.content_hash != content_hash:
        raise DataError("the images are not those this was begun with; begin anew to use the new ones")
    return data


def _field_of(options: DatasetOptions | None) -> str:
    """Where complaints about the images stand."""
    return "dataset.path" if isinstance(options, FoldersOptions) else "dataset"


def _check_local(allowed: bool) -> None:
    if not allowed:
        raise ConfigError.at("dataset.path", "Folders of the server are not read on request; upload a zip instead.")


def _changed(place: Path | None) -> int | None:
    """When the file was last written; None without one that can be looked at."""
    try:
        return place.stat().st_mtime_ns if place is not None else None
    except (OSError, ValueError):
        return None


def _root(dataset: Dataset | None) -> Path:
    return dataset.folder if dataset is not None else Path(settings.NASWEB_HOME) / "data"


def _data_info(options: DatasetOptions | None, dataset: Dataset | None) -> dict[str, Any]:
    if options is None:
        return {}
    info = open_data(options, _root(dataset)).info
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


@contextmanager
def _at(path: str) -> Iterator[None]:
    """What cannot be read becomes a complaint at its field."""
    try:
        yield
    except DataError as error:
        raise ConfigError.at(path, error.sentence) from error


def _space(config: SearchConfig, spec: InputSpec, times: Latencies | None) -> SearchSpace:
    """The space; what is refused for these images, and not for large ones, is a complaint at their size."""
    try:
        return create_space(config.space, spec, times)
    except ConfigError as error:
        if config.dataset is None or not _fits(config, replace(spec, height=LARGE, width=LARGE)):
            raise
        told = dict.fromkeys(item.message for item in error.errors)
        raise ConfigError.at("dataset.resolution", " ".join(told)) from error


def _fits(config: SearchConfig, spec: InputSpec) -> bool:
    try:
        create_space(config.space, spec)
    except ConfigError:
        return False
    return True


def _digest(parts: Any) -> str:
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
