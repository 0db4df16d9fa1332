"""Drives a search algorithm on every registered space, for tests: spaces, targets, synthetic scores, whole searches."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.proposals import Outcome, Proposal
from engine.benchmarks.additive import AdditiveSpace
from engine.blueprint import InputSpec
from engine.config.search import Objective, SearchConfig
from engine.problem import SearchProblem
from engine.registry import ALGORITHMS, create_algorithm, create_space
from engine.space import Architecture, SearchSpace
from engine.spaces.examples import CHAIN_EXAMPLES

Score = Callable[[Architecture], float | None]

ALGORITHM_OPTIONS: dict[str, dict[str, object]] = {
    **{kind: {"kind": kind} for kind in ALGORITHMS},
    "layernas-unique-cost-order": {"kind": "layernas", "bucketing": "unique", "child_order": "cost"},
    "layernas-few-random": {
        "kind": "layernas",
        "buckets": 3,
        "replicas": 1,
        "select": "random",
        "child_order": "listed",
    },
    "layernas-turns": {"kind": "layernas", "buckets": 5, "searches_per_layer": 2, "children_per_search": 3},
    "layernas-scaled": {"kind": "layernas", "completion": "scaled", "buckets": 5},
    "layernas-reversed": {"kind": "layernas", "layer_order": "reversed", "buckets": 5},
    "layernas-costly-layers": {"kind": "layernas", "layer_order": "cost", "bucketing": "unique"},
    "regularised_evolution-small": {"kind": "regularised_evolution", "population": 5, "tournament": 2},
    "mote_nas-published": {"kind": "mote_nas", "rule": "published"},
    "mote_nas-random": {"kind": "mote_nas", "rule": "published", "sampling": "random"},
    "ppo-small": {"kind": "ppo", "train_batch": 4, "update_batch": 2, "updates": 3},
}
WITH_TARGET: dict[str, dict[str, object]] = {
    "regularised_evolution-mnas": {
        "kind": "regularised_evolution",
        "objective": "mnas",
        "population": 5,
        "tournament": 2,
    },
    "ppo-mnas": {"kind": "ppo", "objective": "mnas", "train_batch": 4, "update_batch": 2},
}
"""Options that need an upper limit, and propose networks above it."""
SPACE_OPTIONS: dict[str, dict[str, object] | None] = {
    "additive": None,
    "one-layer": None,
    "nasbench201": {"kind": "nasbench201"},
    "nasbench201-edge": {"kind": "nasbench201", "form": "edge"},
    "nats_size": {"kind": "nats_size"},
    "darts": {"kind": "darts"},
    "nasbench101": {"kind": "nasbench101"},
    "mote_mobile": {"kind": "mote_mobile"},
    "transnas_micro": {"kind": "transnas_micro", "channels": 8},
    "transnas_macro": {"kind": "transnas_macro", "channels": 8},
    "mobilenet": {"kind": "mobilenet", "variant": "60m"},
    **{f"chain-{name}": {"kind": "chain", "definition": definition} for name, definition in CHAIN_EXAMPLES.items()},
}


PLAIN_ONLY = frozenset({"darts", "nasbench101", "mote_mobile", "transnas_micro", "transnas_macro"})
"""Spaces on which algorithms run only with default options; variants of the options run on all other spaces."""

AS_LISTED = frozenset({"mobilenet", "transnas_macro", "chain-mobile_chain"})
"""Further spaces whose layers can only be searched in the listed order."""


def pairs(algorithms: Iterable[str]) -> list[tuple[str, str]]:
    """Return every algorithm with every space."""
    spaces = {name: SPACE_OPTIONS if name in ALGORITHMS else SPACE_OPTIONS.keys() - PLAIN_ONLY for name in algorithms}
    for name in spaces:
        if "layer_order" in ALGORITHM_OPTIONS.get(name, {}):
            spaces[name] -= AS_LISTED
    return [(name, space) for name in spaces for space in SPACE_OPTIONS if space in spaces[name]]


def make_space(name: str) -> SearchSpace:
    """Return a space by its name in `SPACE_OPTIONS`."""
    options = SPACE_OPTIONS[name]
    if name == "additive":
        return AdditiveSpace([[5, 3, 2], [4, 1], [6, 6, 2, 1]])
    if options is None:
        return AdditiveSpace([[3, 2, 1]])
    config = SearchConfig.parse({"space": options, "estimator": {"kind": "table", "path": "none", "reward": "none"}})
    return create_space(config.space, InputSpec(1, 32, 32, 10))


def make_problem(space: str | SearchSpace, lo: float | None = None, hi: float | None = None) -> SearchProblem:
    """Return a problem whose limits are shares of the space's range of multiply-adds."""
    space = make_space(space) if isinstance(space, str) else space
    low, high = space.cost_range((), "madds_m")
    limits = [None if share is None else low + share * (high - low) for share in (lo, hi)]
    return SearchProblem(space, Objective(lo=limits[0], hi=limits[1]))


def make(algorithm: str, problem: SearchProblem, seed: int = 0) -> SearchAlgorithm:
    """Return a new algorithm by its name in `ALGORITHM_OPTIONS` or `WITH_TARGET`."""
    given = {**ALGORITHM_OPTIONS, **WITH_TARGET}[algorithm]
    options = ALGORITHMS[str(given["kind"])].options(**given)
    return create_algorithm(options, problem, seed)  # type: ignore[arg-type]


def score(architecture: Architecture) -> float | None:
    """Return a pseudo-random score between 0 and 1 that depends only on the architecture; one in eight fails."""
    digest = sha256(f"{architecture.choices}".encode()).digest()
    return None if digest[0] < 32 else round(digest[1] / 255, 2)


def search(
    algorithm: SearchAlgorithm, round_size: int = 4, trials: int = 120, score: Score = score
) -> Iterator[list[Proposal]]:
    """Yield the rounds of a search until it is done or has ``trials`` trials; fail if it hangs."""
    asked = 0
    while asked < trials and not algorithm.done:
        proposals = algorithm.ask(round_size)
        assert proposals, "nothing is pending, nothing is proposed, and yet it is not done"
        asked += len(proposals)
        yield proposals
        for proposal in proposals:
            if proposal.number in algorithm.pending:
                algorithm.tell(Outcome(proposal.number, score(proposal.architecture)))


def trace(algorithm: SearchAlgorithm, round_size: int = 4, trials: int = 120) -> list[list[object]]:
    """Return a search as plain data."""
    rounds = search(algorithm, round_size, trials)
    return [
        [p.number, list(p.architecture.choices), p.origin, p.layer, p.bucket, p.parent]
        for batch in rounds
        for p in batch
    ]


def all_traces() -> str:
    """Return one search of each algorithm on each space as JSON."""
    found = {
        f"{algorithm} {space}": trace(make(algorithm, make_problem(space, hi=0.6), seed=5), trials=40)
        for algorithm, space in pairs(ALGORITHM_OPTIONS)
    }
    return json.dumps(found, sort_keys=True)


if __name__ == "__main__":
    sys.stdout.write(all_traces())
