"""Parts of both spaces of TransNAS-Bench-101 (Duan et al. 2021, arXiv 2105.11871): names and the network's frame.

A network is written ``width-modules-blocks``, such as ``64-41414-1_02_333`` or ``64-433241-basic``: the width of the
stem, one digit for each module, and the cell or ``basic``. The digits are

- ``1`` the map and its channels stay as they are,
- ``2`` the channels are doubled,
- ``3`` each side of the map is halved,
- ``4`` both.

The stem has two 3x3 convolutions of stride 2, of half the width and of the width. Modules have two blocks each, of
which the first one changes the map. Global average pooling and the classifier follow, as in the benchmark's
classification tasks; its decoders of other tasks (segmentation, jigsaw) are not built here.

Every stride rounds the sides of a map up, so that no map vanishes and images of any size can be searched.
"""

from __future__ import annotations

from engine.blueprint import BlueprintBuilder
from engine.errors import ArchitectureError
from engine.spaces.fragments import preactivated

BLOCKS = 2
"""Number of blocks in a module."""


def doubles(code: str) -> bool:
    """Return whether a module of this code doubles the channels."""
    return code in "24"


def halves(code: str) -> bool:
    """Return whether a module of this code halves the map."""
    return code in "34"


def append_stem(b: BlueprintBuilder, x: str, width: int) -> str:
    """Append the stem, which halves the map twice."""
    x = b.batch_norm(b.conv2d(x, max(1, width // 2), 3, stride=2))
    return preactivated(b, x, width, 3, stride=2)


def split_name(text: str, width: int, example: str) -> tuple[str, str]:
    """Return the modules and the blocks of a name; ArchitectureError says what is wrong, and what a name looks like."""
    parts = text.strip().split("-")
    if len(parts) != 3:
        raise ArchitectureError(
            f"'{text}' has {len(parts)} parts joined by '-'; a name has 3: width, modules, blocks, such as {example}"
        )
    if parts[0] != str(width):
        raise ArchitectureError(f"'{text}': the width '{parts[0]}' is not this space's, which is {width} channels")
    return parts[1], parts[2]
