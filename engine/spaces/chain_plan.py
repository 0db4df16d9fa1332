"""Count a chain's costs from every state that can reach a layer, and order its options by that cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.blueprint import BlueprintBuilder, InputSpec, Shape
from engine.cost import Cost, total
from engine.errors import ConfigError, FieldError
from engine.spaces.chain_blocks import Block, Chain, Layer, Option, Piece
from engine.spaces.chain_parse import PREFIX
from engine.spaces.fragments import measure

MAX_STEPS = 100_000
"""The largest number of (state, option) pairs in a space, so that planning takes seconds."""


@dataclass(frozen=True)
class ChainState:
    """The input map of a layer, and the width that the virtual layer above chose."""

    shape: Shape
    virtual: int | None = None


Step = tuple[Cost, ChainState]
Steps = dict[ChainState, list[Step]]
Rank = tuple[int, int, int]


class ChainPlan:
    """A chain for one image shape, its options ordered from most to least costly.

    An option's rank is the cost of the costliest network that contains it, with all layers above at their defaults.
    Costs are compared by MAdds, then parameters, then activation memory, then the document's order. The first option
    of a layer is its default, unless the document names another. A chain that is ``ordered`` keeps its order, and the
    first options are the defaults. ``steps[layer][state][choice]`` is the cost that an option adds and the state after
    it.
    """

    def __init__(self, chain: Chain, spec: InputSpec, ordered: bool = False) -> None:
        self._spec = spec
        self._measured: dict[tuple[Piece, Shape], tuple[Cost, Shape]] = {}
        self.start = self._start(chain)
        self.steps = self._explore(chain)
        self.final = {state: measure(state.shape, chain.append_head, spec.classes)[0] for state in self._last(chain)}
        self.chain, self.defaults = (chain, [0] * len(chain.layers)) if ordered else self._order(chain)

    def _start(self, chain: Chain) -> Step:
        if chain.stem is None:
            return Cost(), ChainState(self._spec.shape)
        if problem := chain.stem.problem(self._spec.shape, None):
            raise ConfigError.at(f"{PREFIX}.stem.stride", _sentence(problem))
        cost, shape = measure(self._spec.shape, chain.stem.append)
        return cost, ChainState(shape)

    def _explore(self, chain: Chain) -> list[Steps]:
        """Return the step (added cost, next state) of every option in every state that can reach its layer."""
        steps: list[Steps] = []
        states = {self.start[1]}
        count = 0
        for layer in chain.layers:
            count += len(states) * len(layer.options)
            if count > MAX_STEPS:
                text = f"{len(states)} different maps can reach this layer, which is too many to count all costs"
                raise ConfigError.at(layer.path, f"{text}; use fewer widths, or share widths through virtual layers.")
            _refuse_misfits(layer, states)
            steps.append({state: [self._step(option, state) for option in layer.options] for state in states})
            states = {after for row in steps[-1].values() for _, after in row}
        return steps

    def _step(self, option: Option, state: ChainState) -> Step:
        if option.block is None:
            return Cost(), ChainState(state.shape, option.virtual)
        cost, shape = self._block(option.block, state)
        return cost, ChainState(shape, state.virtual)

    def _block(self, block: Block, state: ChainState) -> tuple[Cost, Shape]:
        """Return the summed cost of a block's pieces and the shape of its output."""
        shape = state.shape
        costs = []
        for turn in range(block.repeat):
            pieces, residual = block.pieces(shape, state.virtual, turn)
            if residual:
                costs.append(self._piece((_doubled, ()), shape)[0])
            for piece in pieces:
                cost, shape = self._piece(piece, shape)
                costs.append(cost)
        return total(costs), shape

    def _piece(self, piece: Piece, shape: Shape) -> tuple[Cost, Shape]:
        key = piece, shape
        found = self._measured.get(key)
        if found is None:
            function, arguments = piece
            found = self._measured[key] = measure(shape, lambda b, x: function(b, x, *arguments))
        return found

    def _last(self, chain: Chain) -> set[ChainState]:
        return {after for row in self.steps[len(chain.layers) - 1].values() for _, after in row}

    def _order(self, chain: Chain) -> tuple[Chain, list[int]]:
        costliest = self._costliest()
        layers: list[Layer] = []
        defaults: list[int] = []
        state = self.start[1]
        for index, layer in enumerate(chain.layers):
            ranks = [_sum(cost, costliest[index + 1][after]) for cost, after in self.steps[index][state]]
            order = sorted(range(len(ranks)), key=ranks.__getitem__, reverse=True)
            self.steps[index] = {s: [row[i] for i in order] for s, row in self.steps[index].items()}
            layers.append(replace(layer, options=tuple(layer.options[i] for i in order)))
            labels = [option.label for option in layers[-1].options]
            defaults.append(0 if layer.default is None else labels.index(layer.default))
            state = self.steps[index][state][defaults[-1]][1]
        return replace(chain, layers=tuple(layers)), defaults

    def _costliest(self) -> list[dict[ChainState, Rank]]:
        """Return, for every layer and state, the largest cost of the rest of the network."""
        ranks = [{state: _sum(cost, (0, 0, 0)) for state, cost in self.final.items()}]
        for steps in reversed(self.steps):
            after = ranks[0]
            ranks.insert(0, {s: max(_sum(cost, after[to]) for cost, to in row) for s, row in steps.items()})
        return ranks


def _doubled(b: BlueprintBuilder, x: str) -> str:
    return b.add([x, x])


def _sum(cost: Cost, rank: Rank) -> Rank:
    return cost.madds + rank[0], cost.params + rank[1], cost.activations + rank[2]


def _refuse_misfits(layer: Layer, states: set[ChainState]) -> None:
    """Raise ConfigError that names every option that does not fit one of the states."""
    errors: list[FieldError] = []
    for option in layer.options:
        problems = (option.block.problem(s.shape, s.virtual) for s in states) if option.block else ()
        if problem := min(filter(None, problems), default=None):
            errors.append(FieldError(option.path, _sentence(problem)))
    if errors:
        raise ConfigError(errors)


def _sentence(problem: str) -> str:
    return problem[0].upper() + problem[1:] + "."


def reduction_factor(chain: Chain, path: Sequence[int], spec: InputSpec, channels: int) -> float:
    """Return the factor on all widths that makes a reduced network's stem ``channels / 4`` wide.

    `engine.spaces.chain` describes the rule in full.
    """
    base = _base_width(chain)
    if base is None or 4 * base <= channels:
        return 1.0
    factor = channels / 4 / base
    wanted = [len(names) for names in _distinct(chain, path, spec)]
    while [len(names) for names in _distinct(chain.scaled(factor), path, spec)] != wanted:
        factor = min(1.0, factor * 1.1)
    return factor


def _base_width(chain: Chain) -> int | None:
    if chain.stem:
        return chain.stem.width
    for layer in chain.layers:
        widths = [option.virtual or (option.block and option.block.width) for option in layer.options]
        if known := [width for width in widths if width]:
            return max(known)
    return None


def _distinct(chain: Chain, path: Sequence[int], spec: InputSpec) -> list[set[tuple[object, ...]]]:
    """Return, per layer, the set of different results that its options build after the defaults ``path``."""
    channels = (chain.stem.width or spec.channels) if chain.stem else spec.channels
    virtual = None
    found: list[set[tuple[object, ...]]] = []
    for layer, default in zip(chain.layers, path, strict=True):
        found.append({_built(option, channels, virtual) for option in layer.options})
        chosen = layer.options[default]
        virtual = virtual if chosen.block else chosen.virtual
        channels = chosen.block.out_channels(channels, virtual) if chosen.block else channels
    return found


def _built(option: Option, channels: int, virtual: int | None) -> tuple[object, ...]:
    block = option.block
    if block is None:
        return (option.virtual,)
    plain = replace(block, width=None, hidden=None, expansion=0.0)
    return plain, block.out_channels(channels, virtual), block.hidden_channels(channels)
