"""Kinds by name. An implementation is imported on first use, so nothing above the line pulls torch in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from engine.config.base import Options
from engine.config.datasets import DatasetOptions, DigitsOptions, FoldersOptions, TorchvisionOptions, UploadOptions
from engine.config.estimate import EstimateOptions
from engine.config.estimators import (
    EstimatorOptions,
    LossCurveOptions,
    MoteOptions,
    MotePlusOptions,
    ProxyOptions,
    ShortTrainingOptions,
)
from engine.config.lookups import BenchmarkOptions, NasBench301Options, TableOptions
from engine.config.spaces import (
    ChainOptions,
    DartsOptions,
    MobileNetOptions,
    MoteMobileOptions,
    NasBench101Options,
    NasBench201Options,
    NatsSizeOptions,
    SpaceOptions,
)
from engine.dotted import load

if TYPE_CHECKING:
    from engine.algorithms.base import SearchAlgorithm
    from engine.datasets.base import ImageData
    from engine.estimate import Estimator
    from engine.latency import LatencyTable
    from engine.problem import SearchProblem
    from engine.sources import Opened
    from engine.space import SearchSpace


@dataclass(frozen=True)
class Kind:
    """One choice of a form: its label, the model of its options, and where its implementation is."""

    label: str
    options: type[Options]
    path: str

    def load(self) -> Any:
        """Return the implementation (a class), imported now."""
        return load(self.path)


@dataclass(frozen=True)
class EstimateKind(Kind):
    """An estimate; its options declare what it is.

    ``effort`` names the function that says how long it trains a network (`engine.effort`); empty where nothing is known
    beforehand.
    """

    options: type[EstimateOptions]
    effort: str = ""


SPACES: Mapping[str, Kind] = {
    "nasbench201": Kind("NAS-Bench-201 cell", NasBench201Options, "engine.spaces.nasbench201:NasBench201Space"),
    "nasbench101": Kind("NAS-Bench-101 cell", NasBench101Options, "engine.spaces.nasbench101:NasBench101Space"),
    "nats_size": Kind("Five-layer sizes (NATS-Bench size)", NatsSizeOptions, "engine.spaces.nats_size:NatsSizeSpace"),
    "darts": Kind("DARTS / NAS-Bench-301 cells", DartsOptions, "engine.spaces.darts:DartsSpace"),
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
    "mote": EstimateKind("MOTE", MoteOptions, "engine.estimators.mote:MoteEstimator", effort="engine.effort:of_mote"),
    "mote_plus": EstimateKind("MOTE+", MotePlusOptions, "engine.estimators.mote_plus:MotePlusEstimator"),
    "loss_curve": EstimateKind("Loss curve (TSE)", LossCurveOptions, "engine.estimators.loss_curve:LossCurveEstimator"),
    "proxy": EstimateKind("Training-free proxy", ProxyOptions, "engine.estimators.proxy:ProxyEstimator"),
    "short_training": EstimateKind(
        "Short training",
        ShortTrainingOptions,
        "engine.estimators.short_training:ShortTraining",
        effort="engine.effort:of_short_training",
    ),
    "table": EstimateKind("Table", TableOptions, "engine.estimators.table:TableEstimator"),
    "benchmark": EstimateKind("Benchmark table", BenchmarkOptions, "engine.estimators.table:BenchmarkEstimator"),
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
    """The space for images and classes of ``spec``; ConfigError names the faulty field (``space.definition...``).

    With a latency table its costs have the metric ``latency_ms`` (`engine.problem` says whether the table will do).
    """
    space: SearchSpace = SPACES[options.kind].load()(options, spec)
    space.latency = latency
    return space


def create_algorithm(
    options: AlgorithmOptions, problem: SearchProblem, seed: int, finalists: int = 0
) -> SearchAlgorithm:
    """A fresh algorithm that can name so many finalists; ConfigError (``algorithm...``) when it cannot search this."""
    algorithm: SearchAlgorithm = ALGORITHMS[options.kind].load()(options, problem, seed)
    if finalists:
        algorithm.expect_finals(finalists)
    return algorithm


def open_data(options: DatasetOptions, root: Path) -> ImageData:
    """The data set; ``root`` is the folder with its files (unused by digits). DataError says what is missing."""
    data: ImageData = DATASETS[options.kind].load()(options, root)
    return data


def create_estimator(
    options: EstimatorOptions, space: SearchSpace, data: ImageData | None, table: Opened | None
) -> Estimator:
    """Return an estimator; ``data`` is given for those that need images, ``table`` for those that look up."""
    estimator: Estimator = ESTIMATORS[options.kind].load()(options, space, data, table)
    return estimator
