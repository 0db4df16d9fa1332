"""Search spaces: layers of options, the strings that name architectures, their blueprints and their cost intervals.

An architecture is a tuple of choices ``(s_1..s_L)``, one option index a layer (LayerNAS, section 3 and Appendix A).
Costs are exact and need no network: a space says what each choice adds given a small *state* (for a chain: the
channels and the map size that reach the layer), so that the interval of costs reachable from a prefix follows by
dynamic programming over states instead of enumeration.
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
    """A point of a space; ``space`` is the space's content hash, so points of two spaces never compare equal."""

    space: str
    choices: Choices


class SearchSpace(ABC):
    """What every space answers. Subclasses fill the abstract methods; everything else follows from them."""

    kind: str
    """The space's kind in the registry."""

    latency: LatencyTable | None = None
    """What operators take, for the metric ``latency_ms``; given by `engine.registry.create_space`, never changed."""

    fixed_order: str | None = "the options of a layer, or its costs, depend on the layers before it"
    """Why layers can only be searched as listed, to follow a colon; None where any order will do."""

    def __init__(self, spec: InputSpec) -> None:
        self.spec = spec

    # --- what can be chosen ------------------------------------------------------------------------------------
    @property
    @abstractmethod
    def layer_names(self) -> tuple[str, ...]:
        """One name a layer, in the order of search unless LayerNAS is given another; its length is L."""

    @abstractmethod
    def options(self, prefix: Choices) -> Sequence[str]:
        """Labels of the options of layer ``len(prefix)``, from most to least costly where an order exists."""

    @abstractmethod
    def default_option(self, prefix: Choices) -> int:
        """The default o of layer ``len(prefix)``: the costliest in size search, the identity in topology search."""

    def option_counts(self) -> tuple[int, ...]:
        """The most options that each layer can have; overridden where options depend on the ones before."""
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
        """Hex digest of everything that defines the space, input size and classes excepted."""

    # --- names -------------------------------------------------------------------------------------------------
    @abstractmethod
    def to_string(self, architecture: Architecture) -> str:
        """The architecture's name in the field's own notation."""

    @abstractmethod
    def from_string(self, text: str) -> Architecture:
        """Inverse of `to_string`; ArchitectureError names the part that does not fit."""

    # --- networks ----------------------------------------------------------------------------------------------
    @abstractmethod
    def blueprint(self, architecture: Architecture) -> Blueprint:
        """The full network for ``self.spec``."""

    @abstractmethod
    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        """MOTE's reduced architecture for images of ``spec``; ``channels`` is its base width (32 as published)."""

    def probe_blueprint(self, architecture: Architecture) -> Blueprint:
        """The network that is looked at untrained beside a MOTE run: the full one, with each repeated cell but once."""
        return self.blueprint(architecture)

    @abstractmethod
    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        """What `reduced_blueprint` builds, as a sentence for users."""

    def reduction_note(self, spec: InputSpec, channels: int) -> str:
        """The reduced network in words, and what it costs beside the full one, both of the default architecture."""
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
        """Exact cost of the full network; takes a validated architecture."""

    @abstractmethod
    def cost_range(self, prefix: Choices, metric: str, until: int | None = None) -> tuple[float, float]:
        """Least and largest cost of the networks that begin with ``prefix``.

        Layers up to ``until`` (default: all) are free, the later ones keep their default; ``cost_range((), m, l)``
        is the range of equation 4 for layer l. Exact where no layer is free; a space may state that its other
        intervals are conservative.
        """

    @abstractmethod
    def child_ranges(self, prefix: Choices, metric: str, until: int | None = None) -> list[tuple[float, float]]:
        """`cost_range` of every child of a prefix, by option."""

    def whole(self, architecture: Architecture, metric: str) -> int:
        """Return the count of a metric of `engine.cost.WHOLE`; overridden where it shows without the whole network."""
        return WHOLE[metric].count(self.blueprint(architecture))

    def whole_range(self, prefix: Choices, metric: str, until: int | None = None) -> tuple[float, float]:
        """Return bounds of a metric of `engine.cost.WHOLE`, with the arguments of `cost_range`.

        Exact where no layer is free. Else they are conservative, unless a space says more: no network has less than
        the part in front of the first decision, and no largest value is known (infinity).
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
        """Every operator that a network of the space can hold: what a latency table must know.

        May name more than networks reach, never fewer.
        """

    def layer_ranges(self, metric: str) -> list[tuple[float, float]]:
        """The range of equation 4 for every layer, from the first on."""
        return [self.cost_range((), metric, layer) for layer in range(1, self.depth + 1)]

    def completed(self, prefix: Choices, metric: str, limits: Sequence[Limit]) -> tuple[Choices, float, int | None]:
        """The network that completes a prefix with defaults, its cost, and its `reach` where that comes for nothing."""
        return self.complete(prefix).choices, self.cost_range(prefix, metric, len(prefix))[0], None

    def meeting(self, prefix: Choices, limits: Sequence[Limit]) -> Sequence[int]:
        """Options of the layer behind a prefix from which every limit can be met."""
        options: Sequence[int] = range(len(self.options(prefix)))
        for limit in limits:
            ranges = self.child_ranges(prefix, limit.metric)
            options = [option for option in options if limit.meets(*ranges[option])]
        return options

    def reach(self, prefix: Choices, limits: Sequence[Limit]) -> int:
        """How many choices of the network that completes a prefix with defaults can be kept within the limits.

        The prefix and each longer one must be able to meet them; one less than the prefix's length when it is not.
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
        """The architecture with these choices, validated."""
        architecture = Architecture(self.content_hash, tuple(choices))
        self.validate(architecture)
        return architecture

    def complete(self, prefix: Choices) -> Architecture:
        """``(s_1..s_l, o_{l+1}..o_L)``: the prefix with every later layer at its default."""
        default_option = self.default_option
        for _ in range(self.depth - len(prefix)):
            prefix += (default_option(prefix),)
        return Architecture(self.content_hash, prefix)

    def default(self) -> Architecture:
        """The baseline ``o_1..o_L``."""
        return self.complete(())

    def sample(self, rng: Random) -> Architecture:
        """An architecture with every choice drawn uniformly, given the ones before it."""
        prefix: Choices = ()
        while len(prefix) < self.depth:
            prefix = (*prefix, rng.randrange(len(self.options(prefix))))
        return Architecture(self.content_hash, prefix)

    def changed(self, choices: Choices, layer: int, option: int) -> Choices:
        """The network with another option at one layer, and as much of the rest as possible.

        Where options depend on what was chosen before, a later choice that no longer exists gives way to the default.
        """
        prefix = (*choices[:layer], option)
        for choice in choices[layer + 1 :]:
            prefix = (*prefix, choice if choice < len(self.options(prefix)) else self.default_option(prefix))
        return prefix

    def validate(self, architecture: Architecture) -> None:
        """ArchitectureError unless the architecture belongs to this space."""
        choices = architecture.choices
        if architecture.space != self.content_hash:
            raise ArchitectureError("the architecture belongs to another search space")
        if len(choices) != self.depth:
            raise ArchitectureError(f"{len(choices)} choices given, the space has {self.depth} layers")
        for layer, choice in enumerate(choices):
            count = len(self.options(choices[:layer]))
            if not 0 <= choice < count:
                name = self.layer_names[layer]
                raise ArchitectureError(f"layer '{name}': choice {choice} is not between 0 and {count - 1}")

    def labels(self, architecture: Architecture) -> tuple[str, ...]:
        """The chosen option's label, layer by layer."""
        choices = architecture.choices
        return tuple(self.options(choices[:i])[choice] for i, choice in enumerate(choices))

    def decisions(self, architecture: Architecture) -> tuple[str, ...]:
        """What was decided, one by one: a label a layer. Spaces whose layers decide several things at once say each.

        The distance of two networks is the number of decisions that differ.
        """
        return self.labels(architecture)
