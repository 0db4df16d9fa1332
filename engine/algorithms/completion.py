"""How LayerNAS completes a partial model: the network that is scored for a prefix ``(s_1..s_l)``.

The paper completes a prefix with defaults. In a size search the default is the most costly option, so under an upper
limit nothing feasible is scored before the last layers, which a deep space reaches late. `ScaledCompletion` fits the
later layers to what the limits leave instead. Both rules have two properties on which LayerNAS builds:

- a prefix and the same prefix with the next choice of its completion have the same completion, so a model that keeps
  this choice is carried to the next layer without a trial;
- two different prefixes of one length have different completions, so no network is scored twice.

A bucket is chosen by what the prefix itself costs, with defaults behind it (equation 4), whatever completes it.

A third rule was tried in a prototype and left out: keeping the later layers of the best network so far. It was better
after 200 evaluations of deep spaces and worse before 100, it needs a memory of tried networks, and it compares prefixes
of one bucket with different layers behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Protocol

from engine.problem import SearchProblem
from engine.space import Architecture, Choices

ATTEMPTS = 2_000
"""Prefixes that `ScaledCompletion` looks at for one network before it gives up."""


Completed = tuple[Choices, float, int | None]
"""What `SearchProblem.completed` returns: the network, the cost of the prefix with defaults behind it, and the reach.

The reach is how many of the network's choices can be kept so that every prefix can still meet the limits; None if this
has not been computed.
"""


class Completion(Protocol):
    """Completes prefixes of a problem whose layers are in the order in which they are searched."""

    def __init__(self, problem: SearchProblem) -> None: ...

    @property
    def complete(self) -> Callable[[Choices], Completed]:
        """The function that returns the network that is scored for a prefix from which the limits can be met."""

    def costs(self, choices: Choices, length: int) -> Sequence[float] | None:
        """Return the costs of a completed network's prefixes from a length on; None if all are equal to the first."""


class DefaultCompletion:
    """Every later layer keeps its default, as in the paper (section 4)."""

    def __init__(self, problem: SearchProblem) -> None:
        self.complete = problem.completed

    def costs(self, choices: Choices, length: int) -> None:
        """Return None: with defaults behind it, every longer prefix is the same network."""


class ScaledCompletion:
    """Every later layer keeps its default if this meets the limits; otherwise the options are scaled to the limits.

    Scaling goes layer by layer. The limit lies at some share of the interval of costs that are still reachable, and the
    next layer takes the option that spends closest to the same share of what the layer can spend, without exceeding it
    (an upper limit) or falling below it (a lower limit). With several limits, the option that exceeds its tightest
    share least is taken. Only options from which every limit can still be met are taken, and a choice that leads to
    no feasible network is taken back.

    The completion is feasible whenever a feasible one is found within `ATTEMPTS` prefixes. With an upper limit on one
    cost whose intervals are exact, such as counted costs in a layered space, it is found without taking anything back,
    so every network that is scored is feasible, from the first one on. If none is found, which happens only with
    several limits, a narrow range or conservative intervals, the completion is that of `DefaultCompletion`.
    """

    def __init__(self, problem: SearchProblem) -> None:
        self._problem = problem

    def complete(self, prefix: Choices) -> Completed:
        problem = self._problem
        plain = problem.completed(prefix)
        if problem.feasible(self._network(plain[0])):
            return plain
        choices = self._scaled(prefix)
        return plain if choices is None else (choices, plain[1], len(choices))

    def costs(self, choices: Choices, length: int) -> Sequence[float] | None:
        problem = self._problem
        if problem.completed(choices[:length])[0] == choices:
            return None
        return [problem.cost_range(choices[:end], until=end)[0] for end in range(length, len(choices) + 1)]

    def _scaled(self, prefix: Choices) -> Choices | None:
        """Return the first feasible completion in the order of preference, or None."""
        problem = self._problem
        depth = problem.space.depth
        waiting = [prefix]
        for _ in range(ATTEMPTS):
            if not waiting:
                return None
            prefix = waiting.pop()
            if len(prefix) == depth:
                if problem.feasible(self._network(prefix)):
                    return prefix
                continue
            waiting += [(*prefix, option) for option in reversed(self._preferred(prefix))]
        return None

    def _network(self, choices: Choices) -> Architecture:
        return Architecture(self._problem.space.content_hash, choices)

    def _preferred(self, prefix: Choices) -> list[int]:
        """Return the options of the next layer from which the limits can be met, the preferred one first."""
        options = list(self._problem.children(prefix))
        excess = [-inf] * len(options)
        for metric, lo, hi in self._problem.limits:
            if lo is not None or hi is not None:
                over = _over_share(self._problem, prefix, options, metric, lo, hi)
                excess = [max(pair) for pair in zip(excess, over, strict=True)]
        places = sorted(range(len(options)), key=lambda place: (excess[place] > 0, abs(excess[place]), place))
        return [options[place] for place in places]


def _over_share(
    problem: SearchProblem, prefix: Choices, options: Sequence[int], metric: str, lo: float | None, hi: float | None
) -> list[float]:
    """Return by how much each option exceeds its share of the upper limit, or falls below that of the lower limit.

    The unit is the width of the interval that is reachable behind the prefix. An option spends what its cheapest
    completion costs (upper limit) or its most expensive one (lower limit, which counts if there is no upper one).
    """
    ranges = problem.child_ranges(prefix, metric)
    lows = [ranges[option][0] for option in options]
    highs = [ranges[option][1] for option in options]
    least = min(lows, default=0.0)
    width = max(highs, default=0.0) - least
    if not 0 < width < inf:
        return [0.0] * len(options)
    if hi is not None:
        allowed = least + min(1.0, (hi - least) / width) * (max(lows) - least)
        return [(low - allowed) / width for low in lows]
    assert lo is not None
    needed = min(highs) + max(0.0, (lo - least) / width) * (max(highs) - min(highs))
    return [(needed - high) / width for high in highs]


COMPLETIONS: Mapping[str, type[Completion]] = {"default": DefaultCompletion, "scaled": ScaledCompletion}
