"""The database's rows. They hold the whole state: no process owns a search, and pages, API and algorithms read rows."""

from searches.models.calibration import Calibration
from searches.models.candidate import Bucket, Candidate, Tag
from searches.models.evaluation import Evaluation, MoteScore
from searches.models.event import Event
from searches.models.latency import BenchmarkFile, LatencyTable, NetworkLatency
from searches.models.search import Search, Snapshot
from searches.models.source import Dataset, SearchSpace, Table
from searches.models.study import Study
from searches.models.training import Training
from searches.models.worker import Worker

__all__ = [
    "BenchmarkFile",
    "Bucket",
    "Calibration",
    "Candidate",
    "Dataset",
    "Evaluation",
    "Event",
    "LatencyTable",
    "MoteScore",
    "NetworkLatency",
    "Search",
    "SearchSpace",
    "Snapshot",
    "Study",
    "Table",
    "Tag",
    "Training",
    "Worker",
]
