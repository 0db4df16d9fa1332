"""Kinds by name. An implementation is imported on first use, so importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.blueprint import InputSpec
from engine.config.algorithms import (
    AlgorithmOptions,
    DynamicProgrammingOptions,
    LayerNASOptions,
    LocalSearchOptions,
    MoteNASOptions,
    PPOOptions,
    RandomSearchOptions,
    RegularisedEvolutionOptions,
)
from engine.config.datasets import DatasetOptions, DigitsOptions, FoldersOptions, TorchvisionOptions, UploadOptions
from engine.config.estimators import (
    EstimatorOptions,
    LossCurveOptions,
    MoteOptions,
    MotePlusOptions,
    ProxyOptions,
    ShortTrainingOptions,
)
from engine.config.lookups import NasBench301Options, TableOptions, TabularOptions
from engine.config.search import ESTIMATE_PATHS, SearchConfig
from engine.config.spaces import (
    ChainOptions,
    DartsOptions,
    MobileNetOptions,
    MoteMobileOptions,
    NasBench101Options,
    NasBench201Options,
    NatsSizeOptions,
    SpaceOptions,
    TransNasMacroOptions,
    TransNasMicroOptions,
)
from engine.dotted import load
from engine.errors import ConfigError, at_estimate, at_field
from engine.kinds import EstimateKind, Kind
from engine.problem import SearchProblem
from engine.table import Table, TableCosts

if TYPE_CHECKING:
    from engine.algorithms.base import SearchAlgorithm
    from engine.datasets.base import DatasetInfo, ImageData
    from engine.estimate import Estimator, Images
    from engine.latency import LatencyTable
    from engine.sources import Opened
    from engine.space import SearchSpace


@dataclass(frozen=True)
class Assembled:
    """A configuration as engine objects.

    ``info`` describes the images, or is None if they were not looked at. ``tables`` has an entry for each stage: the
    source in which its estimate looks scores up, or None.
    """

    problem: SearchProblem
    tables: tuple[Opened | None, ...]
    info: DatasetInfo | None


LARGE = 224
"""A side of images, in pixels, that is large enough for every useful space."""
SPACES: Mapping[str, Kind] = {
    "nasbench201": Kind("NAS-Bench-201 cell", NasBench201Options, "engine.spaces.nasbench201:NasBench201Space"),
    "nasbench101": Kind("NAS-Bench-101 cell", NasBench101Options, "engine.spaces.nasbench101:NasBench101Space"),
    "nats_size": Kind("Five-layer sizes (NATS-Bench size)", NatsSizeOptions, "engine.spaces.nats_size:NatsSizeSpace"),
    "darts": Kind("DARTS / NAS-Bench-301 cells", DartsOptions, "engine.spaces.darts:DartsSpace"),
    "transnas_micro": Kind(
        "TransNAS-Bench-101 cell (micro)", TransNasMicroOptions, "engine.spaces.transnas_micro:TransNasMicroSpace"
    ),
    "transnas_macro": Kind(
        "TransNAS-Bench-101 network (macro)", TransNasMacroOptions, "engine.spaces.transnas_macro:TransNasMacroSpace"
    ),
    "mobilenet": Kind("MobileNet (LayerNAS)", MobileNetOptions, "engine.spaces.mobilenet:MobileNetSpace"),
    "mote_mobile": Kind("MobileNetV3 (MOTE)", MoteMobileOptions, "engine.spaces.mote_mobile:MoteMobileSpace"),
    "chain": Kind("Your own chain", ChainOptions, "engine.spaces.chain:ChainSpace"),
}
ALGORITHMS: Mapping[str, Kind] = {
    "layernas": Kind("LayerNAS", LayerNASOptions, "engine.algorithms.layernas:LayerNAS"),
    "dynamic_programming": Kind(
        "Dynamic programming", DynamicProgrammingOptions, "engine.algorithms.dynamic_programming:DynamicProgramming"
    ),
    "regularised_evolution": Kind(
        "Regularised evolution",
        RegularisedEvolutionOptions,
        "engine.algorithms.regularised_evolution:RegularisedEvolution",
    ),
    "ppo": Kind("PPO", PPOOptions, "engine.algorithms.ppo:PPO"),
    "local_search": Kind("Local search", LocalSearchOptions, "engine.algorithms.local_search:LocalSearch"),
    "mote_nas": Kind("MOTE-NAS", MoteNASOptions, "engine.algorithms.mote_nas:MoteNAS"),
    "random": Kind("Random search", RandomSearchOptions, "engine.algorithms.random_search:RandomSearch"),
}
ESTIMATORS: Mapping[str, EstimateKind] = {
    "mote": EstimateKind(
        "MOTE",
        MoteOptions,
        "engine.estimators.mote:MoteEstimator",
        effort="engine.effort:of_mote",
        check="engine.reduction.choice:remark",
        network="engine.reduction.architecture:network_of",
    ),
    "mote_plus": EstimateKind("MOTE+", MotePlusOptions, "engine.estimators.mote_plus:MotePlusEstimator"),
    "loss_curve": EstimateKind("Loss curve (TSE)", LossCurveOptions, "engine.estimators.loss_curve:LossCurveEstimator"),
    "proxy": EstimateKind(
        "Training-free proxy", ProxyOptions, "engine.estimators.proxy:ProxyEstimator", check="engine.proxies:refuse"
    ),
    "short_training": EstimateKind(
        "Short training",
        ShortTrainingOptions,
        "engine.estimators.short_training:ShortTraining",
        effort="engine.effort:of_short_training",
    ),
    "table": EstimateKind(
        "Table", TableOptions, "engine.estimators.table:TableEstimator", check="engine.table:refuse_foreign"
    ),
    "benchmark": EstimateKind("Benchmark table", TabularOptions, "engine.estimators.table:TabularEstimator"),
    "nasbench301": EstimateKind(
        "NAS-Bench-301 surrogate", NasBench301Options, "engine.estimators.nasbench301:NasBench301Estimator"
    ),
}
DATASETS: Mapping[str, Kind] = {
    "digits": Kind("Digits (scikit-learn)", DigitsOptions, "engine.datasets.digits:DigitsData"),
    "upload": Kind("Uploaded images", UploadOptions, "engine.datasets.folders:FolderData"),
    "torchvision": Kind("CIFAR and Fashion-MNIST", TorchvisionOptions, "engine.datasets.vision:TorchvisionData"),
    "folders": Kind("Folders of this machine", FoldersOptions, "engine.datasets.trees:TreeData"),
}


def create_space(options: SpaceOptions, spec: InputSpec, latency: LatencyTable | None = None) -> SearchSpace:
    """Return the space for images and classes of ``spec``; ConfigError names the field (``space.definition...``).

    With a latency table its costs have the metric ``latency_ms`` (`engine.problem` checks the table).
    """
    space: SearchSpace = SPACES[options.kind].load()(options, spec)
    space.latency = latency
    return space


def create_algorithm(
    options: AlgorithmOptions, problem: SearchProblem, seed: int, finalists: int = 0
) -> SearchAlgorithm:
    """Return a fresh algorithm that can name this many finalists; ConfigError (``algorithm...``) if it cannot."""
    algorithm: SearchAlgorithm = ALGORITHMS[options.kind].load()(options, problem, seed)
    if finalists:
        algorithm.expect_finals(finalists)
    return algorithm


def open_data(options: DatasetOptions, root: Path) -> ImageData:
    """Return the data set; ``root`` is the folder of its files (unused by digits). DataError says what is missing."""
    data: ImageData = DATASETS[options.kind].load()(options, root)
    return data


def create_estimator(
    options: EstimatorOptions, space: SearchSpace, data: ImageData | None, table: Opened | None
) -> Estimator:
    """Return an estimator; ``data`` is given to those that need images, ``table`` to those that look scores up."""
    estimator: Estimator = ESTIMATORS[options.kind].load()(options, space, data, table)
    return estimator


def assemble(
    config: SearchConfig,
    places: Sequence[Path | None],
    root: Path,
    *,
    spec: InputSpec | None = None,
    latency: LatencyTable | None = None,
) -> Assembled:
    """Return the search problem of a configuration, and the sources in which its estimates look scores up.

    ``places`` has an entry for each stage, where its source was found. ``root`` is the folder of the data set's files;
    the images are looked at, and files of tables are read strictly, unless ``spec`` says how the images of a search
    made before are. ConfigError names the field that cannot be met.
    """
    info = None
    if config.dataset is not None and spec is None:
        with at_field(config.dataset.field):
            info = open_data(config.dataset, root).info
    space = _space_of(config, spec or (info.spec if info is not None else InputSpec()), latency)
    opened: dict[Path, Opened] = {}
    for path, options, place in zip(ESTIMATE_PATHS, config.estimators, places, strict=False):
        if options.source is not None and place is not None and place not in opened:
            with at_field(f"{path}.{options.source.field}"):
                opened[place] = options.source.open(place, new=spec is None)
    tables = tuple(None if place is None else opened[place] for place in places)
    costs = None
    columns = config.estimator.source and config.estimator.source.columns
    if columns and columns.cost and isinstance(tables[0], Table):
        with at_field("estimator.cost"):
            costs = TableCosts(tables[0], space, columns.cost)
    return Assembled(SearchProblem(space, config.objective, costs), tables, info)


def check_search(
    config: SearchConfig, problem: SearchProblem, tables: Sequence[Opened | None], images: Images | None
) -> tuple[SearchAlgorithm, list[str]]:
    """Return a fresh algorithm and the estimates' remarks; raise ConfigError at the field that prevents a search.

    A search is refused if no network meets the limits, or if an estimate or the algorithm cannot be used on the space.
    """
    problem.check()
    remarks = []
    for path, options, table in zip(ESTIMATE_PATHS, config.estimators, tables, strict=False):
        kind = ESTIMATORS[options.kind]
        with at_estimate(path):
            if options.looks_up:
                create_estimator(options, problem.space, None, table)
            remarks.append(load(kind.check)(options, problem.space, images, table) if kind.check else "")
    problem.check_together()
    algorithm = create_algorithm(config.algorithm, problem, config.seed, config.finalists)
    return algorithm, [remark for remark in remarks if remark]


def networks_in_words(config: SearchConfig, space: SearchSpace) -> list[str]:
    """Return a description of the network that each estimate trains, for the kinds of estimate that have one."""
    kinds = [(options, ESTIMATORS[options.kind].network) for options in config.estimators]
    return [load(network)(options, space) for options, network in kinds if network]


def _space_of(config: SearchConfig, spec: InputSpec, latency: LatencyTable | None) -> SearchSpace:
    """Return the space; an error that occurs for these images but not for large ones is at ``dataset.resolution``."""
    try:
        return create_space(config.space, spec, latency)
    except ConfigError as error:
        if config.dataset is None or not _fits(config.space, replace(spec, height=LARGE, width=LARGE)):
            raise
        messages = dict.fromkeys(item.message for item in error.errors)
        raise ConfigError.at("dataset.resolution", " ".join(messages)) from error


def _fits(options: SpaceOptions, spec: InputSpec) -> bool:
    try:
        create_space(options, spec)
    except ConfigError:
        return False
    return True
