"""MOTE's open MobileNetV3 space: five stages, each choosing expansion, depthwise kernel and attention.

**Full network.** First a 3x3 convolution of 32 filters with stride 2, then a depthwise and a 1x1 convolution with a
residual shortcut. Five stages follow, of 2, 3, 4, 2, 3 mobile cells with 64, 96, 128, 196, 256 filters, expansion 1, 2,
3, 3, 3, and stride 2, 2, 2, 1, 2 on their first cell. The network ends with a 1x1 convolution to 1,024 filters, global
pooling, a 1x1 convolution to 2,048 filters, dropout 0.2 and the classifier. A mobile cell expands, convolves depthwise,
applies attention, and projects by a 1x1 convolution; if the shape stays the same, the cell's input is added. Batch norm
follows every convolution before and after the pool; GELU follows all of them except the projections.

All cells of a stage share its three choices, which makes 8^5 = 32,768 networks:

- expansion ``conv`` (1x1 convolution) or ``dw`` (depthwise 3x3 convolution with several output channels per channel),
- kernel ``k3`` or ``k5`` of the depthwise convolution,
- attention ``se`` (squeeze-excitation to a quarter) or ``da``, *depthwise attention*: each value of the map is scaled
  by the sigmoid of a depthwise 3x3 convolution around it. The paper's text does not define it: this reading is ours.

Names join the stages: ``conv_k5_se-dw_k3_da-...``. Options are ordered by the multiply-adds of their stage for images
of 224x224, largest first; the first is the default.

**Reduced network (MOTE).** A 3x3 convolution of 8a filters, five mobile cells of 16a, 16a, 32a, 32a, 32a filters with
expansion 2 and strides 2, 1, 2, 1, 1, global pooling, the classifier. The factor is ``a = 2 - M / 2``, where M is the
number of multiply-adds, in units of 2^20, of the same network with a = 1 *for images of 32x32x3*. Costlier
architectures are thus made narrower, so that all cost about the same. The factor (0.97 to 1.37) does not depend on the
images of a search. For base widths other than the published 32, all widths are scaled by the same ratio.
"""

from __future__ import annotations

from functools import cache, partial
from itertools import product
from math import floor
from typing import NamedTuple

from engine.blueprint import Blueprint, BlueprintBuilder, InputSpec, Shape
from engine.config.spaces import MoteMobileOptions
from engine.cost import Cost, blueprint_cost
from engine.errors import ConfigError
from engine.space import Architecture, State
from engine.spaces.chained import ChainedSpace
from engine.spaces.fragments import built, measure
from engine.spaces.listed import ListedSpace

LEAST_SIDE = 17
"""The smallest side for which each of the five strides of 2 (rounding up) meets at least two pixels."""
PUBLISHED_CHANNELS = 32
UNIT = 1 << 20
LISTED_FOR = InputSpec(3, 224, 224)
GELU = "gelu"


class StageRow(NamedTuple):
    """A stage: number of cells, filters, expansion, and stride of the first cell."""

    cells: int
    filters: int
    expansion: int
    stride: int


STAGES = (
    StageRow(2, 64, 1, 2),
    StageRow(3, 96, 2, 2),
    StageRow(4, 128, 3, 2),
    StageRow(2, 196, 3, 1),
    StageRow(3, 256, 3, 2),
)
REDUCED = tuple(StageRow(1, filters, 2, stride) for filters, stride in ((16, 2), (16, 1), (32, 2), (32, 1), (32, 1)))
REDUCED_STEM = 8


class CellChoice(NamedTuple):
    """The choices that the cells of a stage share."""

    expansion: str
    kernel: int
    attention: str

    @property
    def label(self) -> str:
        """The choice as a label, such as ``conv_k5_se``."""
        return f"{self.expansion}_k{self.kernel}_{self.attention}"


CHOICES = tuple(CellChoice(*parts) for parts in product(("conv", "dw"), (5, 3), ("se", "da")))


class MoteMobileSpace(ChainedSpace, ListedSpace):
    """MOTE's mobile space; raises ConfigError at ``space.kind`` if the images are too small.

    The state of the cost model is the shape of the stage's input.
    """

    kind = "mote_mobile"
    fixed_order = None

    def __init__(self, options: MoteMobileOptions, spec: InputSpec) -> None:
        if min(spec.height, spec.width) < LEAST_SIDE:
            raise ConfigError.at(
                "space.kind",
                f"MOTE's MobileNetV3 space needs images of at least {LEAST_SIDE}x{LEAST_SIDE}, not "
                f"{spec.height}x{spec.width}; set the data set's image size to {LEAST_SIDE} or more, or choose "
                "another space.",
            )
        names = [f"stage {number}" for number in range(1, len(STAGES) + 1)]
        labels = [[choice.label for choice in choices] for choices in _ordered()]
        definition = f"{self.kind}:{options.model_dump_json()}:{_ordered()}"
        super().__init__(spec, names, labels, [0] * len(STAGES), definition)

    # --- networks ----------------------------------------------------------------------------------------------
    def blueprint(self, architecture: Architecture) -> Blueprint:
        b = BlueprintBuilder(self.spec)
        x = _stem(b, b.input)
        for number, choice in enumerate(architecture.choices):
            with b.part(self.layer_names[number], number):
                x = _stage(b, x, STAGES[number], _ordered()[number][choice])
        _head(b, x)
        return b.build()

    def reduced_blueprint(self, architecture: Architecture, spec: InputSpec, channels: int) -> Blueprint:
        plain = self._reduced(architecture, InputSpec(3, 32, 32, spec.classes), 1.0)
        factor = 2 - blueprint_cost(plain).madds / UNIT / 2
        return self._reduced(architecture, spec, factor * channels / PUBLISHED_CHANNELS)

    def reduced_in_words(self, spec: InputSpec, channels: int) -> str:
        return (
            f"A convolution of about {REDUCED_STEM * channels // PUBLISHED_CHANNELS} channels and one mobile cell a "
            "stage, expansion 2; costlier networks are made narrower, so that all cost about the same."
        )

    def _reduced(self, architecture: Architecture, spec: InputSpec, factor: float) -> Blueprint:
        b = BlueprintBuilder(spec)
        x = b.conv_bn(b.input, _scaled(REDUCED_STEM, factor), 3, function=GELU)
        for number, choice in enumerate(architecture.choices):
            stage = REDUCED[number]._replace(filters=_scaled(REDUCED[number].filters, factor))
            with b.part(self.layer_names[number], number):
                x = _stage(b, x, stage, _ordered()[number][choice])
        b.head(x)
        return b.build()

    # --- costs -------------------------------------------------------------------------------------------------
    def initial_state(self) -> tuple[Cost, State]:
        return measure(self.spec.shape, _stem)

    def step(self, layer: int, state: State, choice: int) -> tuple[Cost, State]:
        assert isinstance(state, Shape)
        return measure(state, partial(_stage, stage=STAGES[layer], choice=_ordered()[layer][choice]))

    def final_cost(self, state: State) -> Cost:
        assert isinstance(state, Shape)
        return measure(state, _head, self.spec.classes)[0]

    def first_segment(self) -> Blueprint:
        return built(self.spec.shape, _stem)[0]

    def segment(self, layer: int, state: State, choice: int) -> Blueprint:
        assert isinstance(state, Shape)
        return built(state, partial(_stage, stage=STAGES[layer], choice=_ordered()[layer][choice]))[0]

    def last_segment(self, state: State) -> Blueprint:
        assert isinstance(state, Shape)
        return built(state, _head, self.spec.classes)[0]


@cache
def _ordered() -> tuple[tuple[CellChoice, ...], ...]:
    """Return the choices of every stage, those with the most multiply-adds first."""
    shape = measure(LISTED_FOR.shape, _stem)[1]
    stages = []
    for stage in STAGES:
        measured = {choice: measure(shape, partial(_stage, stage=stage, choice=choice)) for choice in CHOICES}
        stages.append(tuple(sorted(CHOICES, key=lambda choice: -measured[choice][0].madds)))
        shape = measured[CHOICES[0]][1]
    return tuple(stages)


def _stem(b: BlueprintBuilder, x: str) -> str:
    x = b.conv_bn(x, 32, 3, stride=2, function=GELU)
    y = b.activation(b.batch_norm(b.depthwise(x, 3)), GELU)
    return b.add([x, b.conv_bn(y, 32, function=None)])


def _stage(b: BlueprintBuilder, x: str, stage: StageRow, choice: CellChoice) -> str:
    for cell in range(stage.cells):
        x = _cell(b, x, stage, choice, stage.stride if cell == 0 else 1)
    return x


def _cell(b: BlueprintBuilder, x: str, stage: StageRow, choice: CellChoice, stride: int) -> str:
    channels = b.shape(x).channels
    hidden = channels * stage.expansion
    grouped = choice.expansion == "dw"
    y = b.conv_bn(x, hidden, 3 if grouped else 1, groups=channels if grouped else 1, function=GELU)
    y = b.activation(b.batch_norm(b.depthwise(y, choice.kernel, stride)), GELU)
    y = b.conv_bn(_attended(b, y, choice.attention), stage.filters, function=None)
    return b.add([x, y]) if b.shape(x) == b.shape(y) else y


def _attended(b: BlueprintBuilder, x: str, attention: str) -> str:
    if attention == "da":
        return b.multiply(x, b.activation(b.batch_norm(b.depthwise(x, 3)), "sigmoid"))
    channels = b.shape(x).channels
    squeezed = b.activation(b.conv2d(b.global_avg_pool(x), max(1, channels // 4), bias=True), GELU)
    return b.multiply(x, b.activation(b.conv2d(squeezed, channels, bias=True), "sigmoid"))


def _head(b: BlueprintBuilder, x: str) -> str:
    with b.part("head"):
        x = b.global_avg_pool(b.conv_bn(x, 1024, function=GELU))
        return b.linear(b.dropout(b.conv_bn(x, 2048, function=GELU), 0.2), b.spec.classes)


def _scaled(filters: int, factor: float) -> int:
    return max(1, floor(filters * factor + 0.5))
