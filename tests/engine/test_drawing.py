"""Drawings: the contents of the picture, and safe SVG."""

from __future__ import annotations

from random import Random
from xml.etree import ElementTree

import pytest

from engine.blueprint import InputSpec
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
from engine.drawing import Drawing, draw, to_svg
from engine.drawing.stack import operations_in_words, parts_of
from engine.errors import ArchitectureError
from engine.registry import create_space
from engine.space import SearchSpace
from engine.spaces.darts import DartsSpace
from engine.spaces.examples import CHAIN_EXAMPLES

SPEC = InputSpec(3, 32, 32, 10)
SVG = "{http://www.w3.org/2000/svg}"
LAYERS = ("images", "fixed", "conv1", "conv3", "pool", "skip", "none", "head")
OPTIONS: dict[str, SpaceOptions] = {
    "nasbench201": NasBench201Options(),
    "nats_size": NatsSizeOptions(),
    "darts": DartsOptions(cells=3, channels=8),
    "mobilenet": MobileNetOptions(variant="60m"),
    "nasbench101": NasBench101Options(),
    "mote_mobile": MoteMobileOptions(),
    "transnas_micro": TransNasMicroOptions(channels=16),
    "transnas_macro": TransNasMacroOptions(channels=16),
    **{name: ChainOptions(definition=definition) for name, definition in CHAIN_EXAMPLES.items()},
}


def cell(text: str) -> Drawing:
    space = create_space(NasBench201Options(), SPEC)
    return draw(space, space.from_string(text))


@pytest.fixture(params=OPTIONS)
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return create_space(OPTIONS[request.param], SPEC)


def test_cell_shows_the_operation_of_every_edge() -> None:
    drawing = cell("|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|avg_pool_3x3~0|skip_connect~1|nor_conv_3x3~2|")
    edges = {box.hint.split(";")[0]: box for box in drawing.boxes if " from tensor " in box.hint}
    assert {hint: (box.label, box.faded) for hint, box in edges.items()} == {
        "nor_conv_3x3 from tensor 0 to tensor 1": ("conv 3\u00d73", False),
        "nor_conv_1x1 from tensor 1 to tensor 2": ("conv 1\u00d71", False),
        "avg_pool_3x3 from tensor 0 to tensor 3": ("pool 3\u00d73", False),
        "skip_connect from tensor 1 to tensor 3": ("skip", False),
        "nor_conv_3x3 from tensor 2 to tensor 3": ("conv 3\u00d73", False),
    }
    assert sum(box.share or 0 for box in edges.values()) == pytest.approx(1)
    assert [arrow.kind for arrow in drawing.arrows].count("none") == 1


def test_shares_of_a_cell_say_where_they_hold() -> None:
    space = create_space(OPTIONS["transnas_micro"], SPEC)
    hints = [
        box.hint for box in draw(space, space.from_string("16-41414-3_00_003")).boxes if " from tensor " in box.hint
    ]
    assert hints[0] == (
        "nor_conv_3x3 from tensor 0 to tensor 1; 50% of the cell's multiply-adds where it keeps its map; "
        "does not reach the output"
    )
    assert "where it keeps" not in str(cell("|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"))


def test_edges_that_reach_no_output_are_faded() -> None:
    drawing = cell("|none~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|none~2|")
    faded = {box.hint.split(" to ")[0] for box in drawing.boxes if " from tensor " in box.hint and box.faded}
    # Tensor 1 is zero; no edge reads tensor 2.
    assert faded == {"nor_conv_3x3 from tensor 0", "nor_conv_1x1 from tensor 1", "nor_conv_3x3 from tensor 1"}
    assert [box.label for box in drawing.boxes if box.kind == "tensor" and box.faded] == ["1", "2"]


def test_every_edge_of_a_nasbench101_cell_is_drawn() -> None:
    space = create_space(OPTIONS["nasbench101"], SPEC)
    architecture = space.from_string("conv3x3-bn-relu,maxpool3x3,conv1x1-bn-relu:1101/110/01/1")
    drawing = draw(space, architecture)
    boxes = {box.hint: box for box in drawing.boxes if box.hint.startswith("vertex")}
    assert {hint.split(":")[1].strip(): box.label for hint, box in boxes.items()} == {
        "conv3x3-bn-relu of the input": "conv 3\u00d73",
        "maxpool3x3 of the input and vertex 1": "max pool 3\u00d73",
        "conv1x1-bn-relu of vertex 1": "conv 1\u00d71",
    }
    network = len([text for text in drawing.texts if text.style == "name"]) - 1
    assert len(drawing.arrows) - network == 7
    # Arcs pass the column on both sides and beside each other.
    reaches = [arrow.points[1][0] for arrow in drawing.arrows if len(arrow.points) == 4]
    assert len(set(reaches)) == len(reaches) >= 3
    other = space.from_string("conv3x3-bn-relu,maxpool3x3,conv3x3-bn-relu:1101/110/01/1")
    marked = [
        box.hint for box in draw(space, architecture, other).boxes if box.changed and box.hint.startswith("vertex")
    ]
    assert len(marked) == 1
    assert marked[0].endswith("conv1x1-bn-relu of vertex 1; instead of conv3x3-bn-relu of vertex 1")


def test_stack_has_a_box_for_every_choice_with_width_by_channels() -> None:
    space = create_space(OPTIONS["nats_size"], SPEC)
    drawing = draw(space, space.from_string("16:64:8:40:32"))
    layers = [box for box in drawing.boxes if box.kind == "conv3"]
    assert [box.hint.split(":")[1].strip() for box in layers] == ["16", "64", "8", "40", "32"]
    assert [box.w / layers[1].w for box in layers] == pytest.approx([0.25, 1, 0.125, 0.625, 0.5])
    names = [text.text for text in drawing.texts if text.style == "name"]
    assert names == ["images", "cell 1: 16", "reduction 1: 64", "cell 2: 8", "reduction 2: 40", "cell 3: 32", "head"]


def test_layers_without_operations_keep_their_place() -> None:
    space = create_space(OPTIONS["digits_chain"], SPEC)
    drawing = draw(space, space.from_string("conv_w32-skip-conv_w32-conv-conv_w48-skip"))
    names = [text.text for text in drawing.texts if text.style == "name"]
    assert names[2:5] == ["first: conv_w32", "mix 1: skip", "down 1: conv_w32"]
    assert [box.hint.split(":")[0] for box in drawing.boxes if box.kind == "none"] == ["mix 1", "mix 3"]


def test_any_architecture_fits_its_picture(space: SearchSpace) -> None:
    rng = Random(6)
    for _ in range(5):
        drawing = draw(space, space.sample(rng))
        shares = [box.share for box in drawing.boxes if box.kind in LAYERS and box.h > 30 and box.share is not None]
        assert sum(shares) == pytest.approx(1)
        for box in drawing.boxes:
            assert 0 <= box.x <= box.x + box.w <= drawing.width, box
            assert 0 <= box.y <= box.y + box.h <= drawing.height, box
        assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for a in drawing.arrows for x, y in a.points)


def test_svg_is_well_formed_and_accessible(space: SearchSpace) -> None:
    architecture = space.default()
    root = ElementTree.fromstring(to_svg(draw(space, architecture)))
    assert root.attrib["role"] == "img"
    assert root.findtext(f"{SVG}title") == space.to_string(architecture)
    assert root.findtext(f"{SVG}desc")
    assert "prefers-color-scheme: dark" in (root.findtext(f"{SVG}style") or "")
    assert not [element for element in root.iter() if element.tag in (f"{SVG}script", f"{SVG}image")]


def test_names_of_users_are_escaped() -> None:
    definition = {
        "layers": [{"name": '<script>alert("1")</script> & more', "options": {"a": {"block": "conv", "width": 8}}}]
    }
    space = create_space(ChainOptions(definition=definition), SPEC)
    text = to_svg(draw(space, space.default()))
    assert "<script>" not in text
    names = [element.text or "" for element in ElementTree.fromstring(text).iter(f"{SVG}text")]
    assert any(name.startswith("<script>alert(") for name in names)


def test_darts_cells_are_graphs_with_every_operation_and_its_input() -> None:
    space = create_space(OPTIONS["darts"], SPEC)
    assert isinstance(space, DartsSpace)
    architecture = space.sample(Random(4))
    drawing = draw(space, architecture)
    pairs = [*space.pairs(architecture, 0), *space.pairs(architecture, 1)]
    names = ["in 1", "in 2", "1", "2", "3", "4"]
    chips = [box.hint for box in drawing.boxes if " of " in box.hint and box.h == 26]
    assert chips == [f"{operation} of {names[source]}" for operation, source in pairs]
    assert sum(arrow.kind != "flow" for arrow in drawing.arrows) == 16
    headings = [text.text for text in drawing.texts if text.style == "heading"]
    assert headings == ["The normal cell", "The reduction cell", "The network"]


def test_what_differs_is_marked_and_nothing_else(space: SearchSpace) -> None:
    architecture = space.sample(Random(8))
    assert not [box for box in draw(space, architecture, architecture).boxes if box.changed]
    assert to_svg(draw(space, architecture, architecture)) == to_svg(draw(space, architecture))
    for layer in range(space.depth):
        choices = list(architecture.choices)
        count = len(space.options(architecture.choices[:layer]))
        if count < 2:
            continue
        choices[layer] = (choices[layer] + 1) % count
        try:
            other = space.architecture(choices)
        except ArchitectureError:
            continue  # later options depend on this choice
        drawing = draw(space, other, architecture)
        marked = [box for box in drawing.boxes if box.changed]
        assert marked
        assert all("; instead of " in box.hint for box in marked)
        svg = to_svg(drawing)
        assert svg.count('stroke-dasharray="5 3"') == len(marked)
        if space.kind in ("nats_size", "mobilenet", "transnas_macro", "chain"):
            was = [text.text for text in drawing.texts if text.style == "was"]
            assert f"instead of {space.labels(architecture)[layer]}"[:30] in {text[:30] for text in was}
        return


def test_cell_edges_that_became_none_are_marked() -> None:
    space = create_space(NasBench201Options(), SPEC)
    now = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|avg_pool_3x3~0|skip_connect~1|nor_conv_3x3~2|"
    before = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|avg_pool_3x3~0|skip_connect~1|nor_conv_1x1~2|"
    marked = [box for box in draw(space, space.from_string(now), space.from_string(before)).boxes if box.changed]
    assert [box.label for box in marked] == ["none", "conv 3\u00d73"]
    assert [box.hint.rpartition("instead of ")[2] for box in marked] == ["skip_connect", "nor_conv_1x1"]


def test_widths_follow_the_root_where_one_part_is_far_wider() -> None:
    space = create_space(OPTIONS["mobilenet"], SPEC)
    boxes = [box for box in draw(space, space.default()).boxes if box.h == 38]
    widths = {int(box.hint.partition("output ")[2].split()[0]): box.w for box in boxes}
    most = max(widths)
    assert all(width / widths[most] == pytest.approx((channels / most) ** 0.5) for channels, width in widths.items())


def test_the_theme_can_be_the_page_s() -> None:
    drawing = cell("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    dark = to_svg(drawing, "dark")
    assert "prefers-color-scheme" not in dark
    assert "--d-paper: var(--drawing-paper, #161d26)" in dark
    assert "--d-paper: var(--drawing-paper, #ffffff)" in to_svg(drawing, "light")


def test_a_gated_block_keeps_its_operations_where_maps_are_single_pixels() -> None:
    """At 32x32 the last blocks of this MobileNet work on maps of 1x1, as their gates do everywhere."""
    space = create_space(MobileNetOptions(variant="60m"), SPEC)
    parts = parts_of(space.blueprint(space.default()))
    gated = [part for part in parts if any(node.op == "multiply" for node in part.nodes)]
    assert any(part.nodes[-1].shape.height == 1 for part in gated)
    for part in gated:
        words = operations_in_words(part)
        assert "depthwise" in words
        assert words.count("gate") == 1
        assert "global avg pool" not in words
