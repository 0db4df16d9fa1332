"""Search spaces: layers of options, the strings that name architectures, their blueprints and their cost intervals.

An architecture is a tuple of choices ``(s_1..s_L)``, one option index per layer (LayerNAS, section 3 and Appendix A).
Costs are exact and need no network. A space defines the cost that each choice adds in a small *state* (for a chain: the
channels and the size of the layer's input). So the interval of costs that a prefix can reach follows by dynamic
programming over states, without enumeration.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from math import inf
from random import Random

from engine.blueprint import Blueprint, InputSpec
from engine.cost import WHOLE, Cost, blueprint_cost, in_unit
from engine.errors import ArchitectureError
from engine.latency import LatencyTable
from engine.limits import Limit
from engine.operators import Operator
from engine.trellis import Choices as Choices
from engine.trellis import State as State


@dataclass(frozen=True)
class Architecture:
    """A point of a space; ``space`` is the space's content hash, so points of different spaces are never equal."""

    space: str
    choices: Choices


class SearchSpace(ABC):
    """The interface of spaces; subclasses implement the abstract methods, from which everything else follows."""

    kind: str
    """The space's kind in the registry."""

    latency: LatencyTable | None = None
    """The times of operators for the metric ``latency_ms``; `engine.registry.create_space` sets it once."""

    fixed_order: str | None = "the options of a layer, or its costs, depend on the layers before it"
    """Why layers can only be searched in the listed order, as text after a colon; None if any order is possible."""

    def __init__(self, spec: InputSpec) -> None:
        self.spec = spec

    # --- what can be chosen ------------------------------------------------------------------------------------
    @property
    @abstractmethod
    def layer_names(self) -> tuple[str, ...]:
        """One name per layer, in the order of search unless LayerNAS is given another order; its length is L."""

    @abstractmethod
    def options(self, prefix: Choices) -> Sequence[str]:
        """Return the labels of layer ``len(prefix)``'s options, from most to least costly if they have an order."""

    @abstractmethod
    def default_option(self, prefix: Choices) -> int:
        """Return layer ``len(prefix)``'s default o: the costliest in size search, the identity in topology search."""

    def option_counts(self) -> tuple[int, ...]:
        """Return the largest number of options of each layer; overridden if options depend on earlier choices."""
        prefix: Choices = ()
        counts = []
        for _ in range(self.depth):
            counts.append(len(self.options(prefix)))
            prefix += (self.default_option(prefix),)
        return tuple(counts)

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of architectures."""

    @property
    @abstractmethod
    def content_hash(self) -> str:
        """Hex digest of everything that defines the space, except input size and classes."""

    # --- names -------------------------------------------------------------------------------------------------
    @abstractmethod
    def to_string(self, architecture: Architecture) -> str:
        """Return the architecture's name in the notation of the literature."""

    @abstractmethod
    def from_string(self, text: str) -> Architecture:
        """Return the architecture of a name (the inverse of `to_string`); ArchitectureError names the faulty part."""

    # --- networks ----------------------------------------------------------------------------------------------
    @abstractmethod
    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the full network for ``self.spec``."""

    @abstractmethod
    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        """Return MOTE's reduced network for images of ``spec``; ``channels`` is its base width (32 as published)."""

    def probe_blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the untrained network that MOTE+ and proxies examine: the full one, with each repeated cell once."""
        return self.blueprint(architecture)

    @abstractmethod
    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        """Describe the network of `reduced_blueprint` in a sentence for users."""

    def reduction_note(self, spec: InputSpec, channels: int) -> str:
        """Describe the reduced network, and compare its costs with the full one's for the default architecture."""
        default = self.default()
        reduced = blueprint_cost(self.reduced_blueprint(default, spec, channels))
        full = self.cost(default)
        return (
            f"{self.reduced_in_words(spec, channels)} For images of {spec.height}x{spec.width} the default network "
            f"takes {reduced.metric('madds_m'):.3g}M multiply-adds and {reduced.metric('params_m'):.3g}M parameters "
            f"reduced, {full.metric('madds_m'):.3g}M and {full.metric('params_m'):.3g}M in full."
        )

    # --- costs -------------------------------------------------------------------------------------------------
    @abstractmethod
    def cost(self, architecture: Architecture) -> Cost:
        """Return the exact cost of the full network; the architecture must be valid."""

    @abstractmethod
    def cost_range(self, prefix: Choices, metric: str, until: int | None = None) -> tuple[float, float]:
        """Return the least and largest cost of the networks that begin with ``prefix``.

        Layers up to ``until`` (default: all) are free; later layers keep their default. ``cost_range((), m, l)`` is the
        range of equation 4 for layer l. The interval is exact if no layer is free; a space may state that its other
        intervals are conservative.
        """

    @abstractmethod
    def child_ranges(self, prefix: Choices, metric: str, until: int | None = None) -> list[tuple[float, float]]:
        """Return the `cost_range` of every child of a prefix, by option."""

    def whole(self, architecture: Architecture, metric: str) -> int:
        """Return the count of a metric of `engine.cost.WHOLE`; overridden if it can be had without the network."""
        return WHOLE[metric].count(self.blueprint(architecture))

    def whole_range(self, prefix: Choices, metric: str, until: int | None = None) -> tuple[float, float]:
        """Return bounds of a metric of `engine.cost.WHOLE`, with the arguments of `cost_range`.

        The bounds are exact if no layer is free. Otherwise they are conservative unless a space overrides them: the
        lower one is the count of the part in front of the first decision, and the upper one is infinity.
        """
        if len(prefix) < (self.depth if until is None else until):
            return in_unit(metric, WHOLE[metric].count(self._front)), inf
        value = in_unit(metric, self.whole(self.complete(prefix), metric))
        return value, value

    def metrics(self, architecture: Architecture) -> dict[str, float]:
        """Return every metric that can be counted of a network, by name and in its unit."""
        whole = {metric: in_unit(metric, self.whole(architecture, metric)) for metric in WHOLE}
        return self.cost(architecture).as_dict() | whole

    @cached_property
    def _front(self) -> Blueprint:
        """The nodes in front of the first part, which all networks of the space share."""
        blueprint = self.blueprint(self.default())
        return Blueprint(self.spec, tuple(takewhile(lambda node: node.group == "stem", blueprint)))

    @abstractmethod
    def operators(self) -> frozenset[Operator]:
        """Return every operator that a network of the space can contain, which a latency table must list.

        The set may have operators that no network contains, but none is missing.
        """

    def layer_ranges(self, metric: str) -> list[tuple[float, float]]:
        """Return the range of equation 4 for every layer, from the first on."""
        return [self.cost_range((), metric, layer) for layer in range(1, self.depth + 1)]

    def completed(self, prefix: Choices, metric: str, limits: Sequence[Limit]) -> tuple[Choices, float, int | None]:
        """Return the network that completes a prefix with defaults, its cost, and its `reach` if that needs no work."""
        return self.complete(prefix).choices, self.cost_range(prefix, metric, len(prefix))[0], None

    def meeting(self, prefix: Choices, limits: Sequence[Limit]) -> Sequence[int]:
        """Return the options of the layer after a prefix from which every limit can be met."""
        options: Sequence[int] = range(len(self.options(prefix)))
        for limit in limits:
            ranges = self.child_ranges(prefix, limit.metric)
            options = [option for option in options if limit.meets(*ranges[option])]
        return options

    def reach(self, prefix: Choices, limits: Sequence[Limit]) -> int:
        """Return how many choices of the network that completes a prefix with defaults can be kept within the limits.

        The prefix and each longer prefix up to that length can meet the limits. If the prefix itself cannot, the result
        is one less than its length.
        """
        choices = self.complete(prefix).choices
        for length in range(len(prefix), self.depth + 1):
            if not all(limit.meets(*self.cost_range(choices[:length], limit.metric)) for limit in limits):
                return length - 1
        return self.depth

    # --- derived -----------------------------------------------------------------------------------------------
    @property
    def depth(self) -> int:
        """Number of layers L."""
        return len(self.layer_names)

    def architecture(self, choices: Sequence[int]) -> Architecture:
        """Return the architecture with these choices; ArchitectureError if they are not valid."""
        architecture = Architecture(self.content_hash, tuple(choices))
        self.validate(architecture)
        return architecture

    def complete(self, prefix: Choices) -> Architecture:
        """Return ``(s_1..s_l, o_{l+1}..o_L)``: the prefix with every later layer at its default."""
        default_option = self.default_option
        for _ in range(self.depth - len(prefix)):
            prefix += (default_option(prefix),)
        return Architecture(self.content_hash, prefix)

    def default(self) -> Architecture:
        """Return the baseline ``o_1..o_L``."""
        return self.complete(())

    def sample(self, rng: Random) -> Architecture:
        """Return a random architecture, with every choice drawn uniformly given the earlier choices."""
        prefix: Choices = ()
        while len(prefix) < self.depth:
            prefix = (*prefix, rng.randrange(len(self.options(prefix))))
        return Architecture(self.content_hash, prefix)

    def changed(self, choices: Choices, layer: int, option: int) -> Choices:
        """Return the network with another option at one layer, and as many of its other choices as possible.

        If options depend on earlier choices, a later choice that no longer exists is replaced by the default.
        """
        prefix = (*choices[:layer], option)
        for choice in choices[layer + 1 :]:
            prefix = (*prefix, choice if choice < len(self.options(prefix)) else self.default_option(prefix))
        return prefix

    def validate(self, architecture: Architecture) -> None:
        """Raise ArchitectureError unless the architecture belongs to this space."""
        choices = architecture.choices
        if architecture.space != self.content_hash:
            raise ArchitectureError("the architecture belongs to another search space")
        if len(choices) != self.depth:
            raise ArchitectureError(f"{len(choices)} choices are given, but the space has {self.depth} layers")
        for layer, choice in enumerate(choices):
            count = len(self.options(choices[:layer]))
            if not 0 <= choice < count:
                name = self.layer_names[layer]
                raise ArchitectureError(f"layer '{name}': choice {choice} is not between 0 and {count - 1}")

    def labels(self, architecture: Architecture) -> tuple[str, ...]:
        """Return the chosen option's label for every layer."""
        choices = architecture.choices
        return tuple(self.options(choices[:i])[choice] for i, choice in enumerate(choices))

    def decisions(self, architecture: Architecture) -> tuple[str, ...]:
        """Return a label for every decision, by default one per layer.

        A space whose layers make several decisions at once returns each of them. The distance of two networks is the
        number of decisions that differ.
        """
        return self.labels(architecture)
