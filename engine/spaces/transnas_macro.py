"""The macro space of TransNAS-Bench-101 (arXiv 2105.11871): 3,256 networks of four to six modules of ResNet blocks.

`engine.spaces.transnas_skeleton` describes names, stem and head. Each of the six layers chooses a module: ``double``
the channels (2), keep the map ``plain`` (1), do ``both`` (4), or ``halve`` the map (3). From the fifth
layer on a network may ``end``; all later layers then end, too. A network doubles its channels one to three times and
halves its map one to four times. These are exactly the networks of the benchmark, each once.

**Options** are those from which such a network can still be reached, so every prefix can be completed. They are listed
by the multiply-adds of their module, largest first; the default is the first one of them.
A random network is drawn uniformly from all networks.

**Names** are the benchmark's: ``64-433241-basic`` is the stem's width, the modules, and ``basic`` for their blocks.

**Full network.** A module has two basic blocks: two 3x3 convolutions, each behind a ReLU and followed by batch norm,
and a shortcut. The module's first block changes the map, and its shortcut is then a 1x1 convolution with batch norm.
The benchmark's authors publish this network as source code; we follow the code.

**Reduced network (MOTE).** The same modules with one block each behind one 3x3 convolution of stride 1, which has a
quarter of ``channels``; all other widths follow.

Cost intervals are exact: the state of the cost model is what has been doubled and halved so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from functools import cache, partial
from hashlib import sha256
from random import Random
from typing import NamedTuple

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Shape
from engine.config.spaces import TransNasMacroOptions
from engine.cost import Cost, blueprint_cost
from engine.errors import ArchitectureError
from engine.space import Architecture, Choices, State
from engine.spaces.chained import ChainedSpace
from engine.spaces.fragments import built, measure, preactivated
from engine.spaces.transnas_skeleton import BLOCKS, append_stem, doubles, halves, split_name

LEAST_MODULES = 4
MOST_MODULES = 6
MOST_DOUBLED = 3
MOST_HALVED = 4
BASIC = "basic"
END = "end"
CODES = {"double": "2", "plain": "1", "both": "4", "halve": "3", END: ""}
"""The digit of every option, in the order in which options are listed."""
LABEL_OF = {code: label for label, code in CODES.items()}


class MacroState(NamedTuple):
    """How often a network has doubled its channels and halved its map so far, and whether it has ended."""

    doubled: int = 0
    halved: int = 0
    ended: bool = False

    def after(self, label: str) -> MacroState:
        """Return the state after one more layer."""
        if label == END:
            return self._replace(ended=True)
        code = CODES[label]
        return MacroState(self.doubled + doubles(code), self.halved + halves(code))


class TransNasMacroSpace(ChainedSpace):
    """The benchmark's networks; the state of the cost model is a `MacroState`."""

    kind = "transnas_macro"
    fixed_order = "how often a network may still double and halve depends on the modules before"

    def __init__(self, options: TransNasMacroOptions, spec: InputSpec) -> None:
        super().__init__(spec)
        self._width = options.channels
        self._names = tuple(f"module {number}" for number in range(1, MOST_MODULES + 1))
        self._stem = measure(spec.shape, partial(append_stem, width=self._width))
        self._hash = sha256(options.model_dump_json().encode()).hexdigest()

    # --- what can be chosen ------------------------------------------------------------------------------------
    @property
    def layer_names(self) -> tuple[str, ...]:
        return self._names

    def options(self, prefix: Choices) -> Sequence[str]:
        return _offered(len(prefix), _state_after(prefix))

    def default_option(self, prefix: Choices) -> int:
        return 0

    def option_counts(self) -> tuple[int, ...]:
        states = {MacroState()}
        counts = []
        for layer in range(MOST_MODULES):
            counts.append(max(len(_offered(layer, state)) for state in states))
            states = {state.after(label) for state in states for label in _offered(layer, state)}
        return tuple(counts)

    @property
    def size(self) -> int:
        return _networks(0, MacroState())

    @property
    def content_hash(self) -> str:
        return self._hash

    def sample(self, rng: Random) -> Architecture:
        """Return one of all networks, each with the same probability."""
        state = MacroState()
        choices: Choices = ()
        while len(choices) < MOST_MODULES:
            labels = _offered(len(choices), state)
            weights = [_networks(len(choices) + 1, state.after(label)) for label in labels]
            (choice,) = rng.choices(range(len(labels)), weights)
            state = state.after(labels[choice])
            choices = (*choices, choice)
        return Architecture(self._hash, choices)

    def changed(self, choices: Choices, layer: int, option: int) -> Choices:
        """Return the network with another module at one layer, and as many of its later modules as possible.

        A later module that is no longer possible is replaced by the default.
        """
        wanted = self.labels(Architecture(self._hash, choices))[layer + 1 :]
        prefix = (*choices[:layer], option)
        for label in wanted:
            offered = self.options(prefix)
            prefix = (*prefix, offered.index(label) if label in offered else self.default_option(prefix))
        return prefix

    # --- names -------------------------------------------------------------------------------------------------
    def to_string(self, architecture: Architecture) -> str:
        return f"{self._width}-{_modules(architecture.choices)}-{BASIC}"

    def from_string(self, text: str) -> Architecture:
        modules, blocks = split_name(text, self._width, f"{self._width}-433241-{BASIC}")
        if blocks != BASIC:
            raise ArchitectureError(f"'{text}': the blocks '{blocks}' are not those of this space, '{BASIC}'")
        if not LEAST_MODULES <= len(modules) <= MOST_MODULES or set(modules) - LABEL_OF.keys():
            raise ArchitectureError(
                f"'{text}': the modules '{modules}' must be {LEAST_MODULES} to {MOST_MODULES} digits, each of them "
                "1 (plain), 2 (channels doubled), 3 (map halved) or 4 (both)"
            )
        doubled = sum(map(doubles, modules))
        halved = sum(map(halves, modules))
        if not (1 <= doubled <= MOST_DOUBLED and 1 <= halved <= MOST_HALVED):
            raise ArchitectureError(
                f"'{text}': the modules double the channels {doubled} times and halve the map {halved} times; this "
                f"space doubles 1 to {MOST_DOUBLED} times and halves 1 to {MOST_HALVED} times"
            )
        labels = [LABEL_OF[code] for code in modules]
        choices: Choices = ()
        for label in labels + [END] * (MOST_MODULES - len(labels)):
            choices = (*choices, self.options(choices).index(label))
        return self.architecture(choices)

    # --- networks ----------------------------------------------------------------------------------------------
    def blueprint(self, architecture: Architecture) -> Blueprint:
        return self._network(architecture, BLOCKS)

    def probe_blueprint(self, architecture: Architecture) -> Blueprint:
        return self._network(architecture, 1)

    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        b = BlueprintBuilder(spec)
        x = b.batch_norm(b.conv2d(b.input, _reduced_width(channels), 3))
        return self._followed(b, x, architecture, 1)

    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        return f"A convolution of {_reduced_width(channels)} channels, and the same modules with one block each."

    def _network(self, architecture: Architecture, blocks: int) -> Blueprint:
        b = BlueprintBuilder(self.spec)
        return self._followed(b, append_stem(b, b.input, self._width), architecture, blocks)

    def _followed(self, b: BlueprintBuilder, x: str, architecture: Architecture, blocks: int) -> Blueprint:
        """Return the network that has the modules and the head behind a map."""
        for layer, code in enumerate(_modules(architecture.choices)):
            with b.part(self._names[layer], layer):
                x = _module(b, x, code, blocks)
        b.head(x)
        return b.build()

    # --- costs -------------------------------------------------------------------------------------------------
    def branches(self, layer: int, state: State) -> tuple[int, int]:
        assert isinstance(state, MacroState)
        return len(_offered(layer, state)), 0

    def initial_state(self) -> tuple[Cost, State]:
        return self._stem[0], MacroState()

    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]:
        segment = self.segment(layer, state, choice)
        assert isinstance(state, MacroState)
        cost = Cost() if segment is None else blueprint_cost(segment)
        return cost, state.after(_offered(layer, state)[choice])

    def final_cost(self, state: State) -> Cost:
        return blueprint_cost(self.last_segment(state))

    def first_segment(self) -> Blueprint:
        return built(self.spec.shape, partial(append_stem, width=self._width))[0]

    def segment(self, layer: int, state: State, choice: int) -> Blueprint | None:
        assert isinstance(state, MacroState)
        code = CODES[_offered(layer, state)[choice]]
        return built(self._shape(state), partial(_module, code=code, blocks=BLOCKS))[0] if code else None

    def last_segment(self, state: State) -> Blueprint:
        return built(self._shape(state), BlueprintBuilder.head, self.spec.classes)[0]

    def _shape(self, state: State) -> Shape:
        """Return the shape of the map in a state."""
        assert isinstance(state, MacroState)
        _, height, width = astuple(self._stem[1])
        # Halving several times and rounding up each time gives the same as dividing once and rounding up.
        height, width = (-(-side // (1 << state.halved)) for side in (height, width))
        return Shape(self._width << state.doubled, height, width)


@cache
def _networks(layer: int, state: MacroState) -> int:
    """Return the number of networks that continue a prefix of this many layers."""
    if state.doubled > MOST_DOUBLED or state.halved > MOST_HALVED or (state.ended and layer < LEAST_MODULES + 1):
        return 0
    if layer == MOST_MODULES:
        return int(state.doubled > 0 and state.halved > 0)
    return sum(_networks(layer + 1, state.after(label)) for label in ([END] if state.ended else CODES))


@cache
def _offered(layer: int, state: MacroState) -> tuple[str, ...]:
    """Return the options of a layer from which a network can be reached."""
    labels = (END,) if state.ended else tuple(CODES)
    return tuple(label for label in labels if _networks(layer + 1, state.after(label)))


def _state_after(prefix: Choices) -> MacroState:
    state = MacroState()
    for layer, choice in enumerate(prefix):
        state = state.after(_offered(layer, state)[choice])
    return state


def _modules(choices: Choices) -> str:
    """Return the digits of a network's modules."""
    state = MacroState()
    digits = ""
    for layer, choice in enumerate(choices):
        label = _offered(layer, state)[choice]
        digits += CODES[label]
        state = state.after(label)
    return digits


def _module(b: BlueprintBuilder, x: str, code: str, blocks: int) -> str:
    width = b.shape(x).channels * (2 if doubles(code) else 1)
    for block in range(blocks):
        x = _basic_block(b, x, width, 2 if halves(code) and block == 0 else 1)
    return x


def _basic_block(b: BlueprintBuilder, x: str, width: int, stride: int) -> str:
    y = preactivated(b, preactivated(b, x, width, 3, stride), width, 3)
    changes = stride > 1 or b.shape(x).channels != width
    return b.add([b.batch_norm(b.conv2d(x, width, stride=stride)) if changes else x, y])


def _reduced_width(channels: int) -> int:
    return max(1, channels // 4)
