"""The four MobileNet spaces of LayerNAS (tables 7, 9, 11, 13) and the models found in them (tables 8, 10, 12, 14).

Filters are listed from most to least costly. Where the tables in the paper are damaged, we repaired them:

- 60m, last block: 512 expanded filters in place of 516.
- 220m: 18 added to the first block's filters; 80, 88 and, as the first, 400 added to expanded filters.
- 220m: no pair of filters after its last block.

The paper does not state the width inside squeeze-excitation. A quarter of the expanded filters reproduces its figures
for V3; an eighth comes closest for V2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

Filters = tuple[int, ...]
K3 = (3,)
K35 = (3, 5)
K357 = (3, 5, 7)


class Bnecks(NamedTuple):
    """Consecutive layers with the same options: kernel and expanded filters. ``stride`` is the first layer's."""

    expand: Filters
    kernels: Filters = K357
    stride: int = 1
    times: int = 1


@dataclass(frozen=True)
class BlockGroup:
    """A block: the choices of output filters that its bnecks share, and the bnecks."""

    filters: Filters
    bnecks: tuple[Bnecks, ...]


@dataclass(frozen=True)
class Published:
    """A published model: ``(kernel, output filters, expanded filters)`` for each bneck, and the filters of its heads.

    ``paper`` and ``counted`` are (MAdds, parameters) in millions for images of 3x224x224 and 1,001 classes, with
    squeeze-excitation: as printed in the paper, and as an independent count of the model's rows gave them.
    """

    bnecks: tuple[tuple[int, int, int | None], ...]
    heads: tuple[int, ...]
    paper: tuple[float, float]
    counted: tuple[float, float]


@dataclass(frozen=True)
class MobileTable:
    """One space: stem, a bneck without expansion, blocks, an optional last bneck, 1x1 convolutions around the pool.

    ``last`` lists pairs of the last bneck's output and expanded filters; each pair goes with each of ``last_kernels``.
    ``unpooled`` and ``pooled`` are the choices of filters before and after the pool. ``squeeze`` is the number of
    expanded filters per filter inside squeeze-excitation.
    """

    label: str
    stem: int
    first: Filters
    first_stride: int
    stages: tuple[BlockGroup, ...]
    pooled: Filters
    squeeze: int
    published: Published
    unpooled: Filters = ()
    last: tuple[tuple[int, int], ...] = ()
    last_kernels: Filters = K3


_SMALL_1 = (144, 136, 128, 120, 112, 104, 96, 88, 80, 72, 68, 64, 60, 56)
_SMALL_2 = (480, 440, 400, 360, 320, 300, 280, 260, 240, 220, 200, 180, 160)
_SMALL_4 = (1152, 1088, 1024, 960, 896, 832, 768, 704, 640, 576, 512, 448)
_LARGE_2 = (240, 200, 180, 160, 140, 120, 110, 100, 80)
_LARGE_3 = (368, 336, 304, 288, 272, 256, 240, 224, 208, 184, 168, 152)
_LARGE_4 = (1344, 1200, 1056, 960, 888, 816, 768, 720, 624, 576, 480)
_LARGE_5 = (1920, 1760, 1600, 1440, 1280, 1120, 960, 880, 800, 720, 640)
_V2_1 = (144, 128, 120, 112, 104, 96, 92, 88, 80, 76)
_V2_3 = (360, 320, 280, 260, 240, 220, 200, 180)
_WIDE_3 = (560, 520, 480, 440, 400, 360, 320, 280, 240)
_WIDE_4 = (560, 528, 496, 464, 432, 400, 368, 336, 304, 288, 272, 256)

MOBILE_TABLES: Mapping[str, MobileTable] = {
    "60m": MobileTable(
        label="MobileNetV3-Small",
        stem=16,
        first=(24, 20, 18, 16, 14, 12),
        first_stride=2,
        stages=(
            BlockGroup((36, 32, 28, 24, 20, 18, 16), (Bnecks(_SMALL_1, K35, stride=2, times=2),)),
            BlockGroup(
                (60, 56, 52, 48, 44, 40, 36, 32, 28),
                (
                    Bnecks((192, 176, 160, 144, 128, 112, 104, 96, 88, 80, 72, 64), stride=2),
                    Bnecks(_SMALL_2, times=2),
                ),
            ),
            BlockGroup(
                (96, 88, 80, 72, 64, 60, 56, 52, 48, 44, 40, 36, 32),
                (
                    Bnecks((240, 200, 180, 160, 140, 120, 100, 90, 80)),
                    Bnecks((288, 256, 224, 208, 192, 176, 160, 152, 144, 136, 128, 120)),
                ),
            ),
            BlockGroup(
                (192, 176, 160, 144, 128, 120, 112, 104, 96, 88, 80, 72, 64),
                (
                    Bnecks((576, 544, 512, 480, 448, 416, 384, 352, 320, 288, 256, 224), stride=2),
                    Bnecks(_SMALL_4, times=2),
                ),
            ),
        ),
        unpooled=(864, 576),
        pooled=(1536, 1024),
        squeeze=4,
        published=Published(
            (
                (3, 16, None), (3, 28, 144), (3, 28, 128), (5, 44, 96), (3, 44, 220), (3, 44, 200), (7, 40, 160),
                (3, 40, 152), (5, 96, 224), (3, 96, 448), (3, 96, 512),
            ),
            (864, 1536), paper=(61, 3.7), counted=(62.6, 3.64),
        ),
    ),
    "220m": MobileTable(
        label="MobileNetV3-Large",
        stem=16,
        first=(24, 20, 18, 16, 14, 12),
        first_stride=1,
        stages=(
            BlockGroup(
                (36, 32, 28, 24, 20, 18, 16),
                (
                    Bnecks((96, 88, 80, 72, 68, 64, 60, 56, 48), K35, stride=2),
                    Bnecks((124, 116, 108, 100, 92, 84, 72, 68, 64, 56, 48)),
                ),
            ),
            BlockGroup(
                (64, 56, 52, 48, 44, 40, 36, 32, 24),
                (Bnecks((128, 120, 112, 104, 96, 88, 80, 76, 72, 64, 56), stride=2), Bnecks(_LARGE_2, times=2)),
            ),
            BlockGroup(
                (160, 140, 130, 120, 110, 100, 80, 70, 60),
                (
                    Bnecks((400, 320, 300, 280, 260, 240, 220, 200, 180, 160), stride=2),
                    Bnecks((400, 360, 340, 320, 300, 280, 260, 240, 220, 200, 180, 160)),
                    Bnecks(_LARGE_3, times=2),
                ),
            ),
            BlockGroup(
                (224, 208, 192, 176, 160, 144, 128, 112, 96, 80),
                (Bnecks((960, 880, 800, 720, 640, 560, 520, 480, 440, 400, 360)), Bnecks(_LARGE_4)),
            ),
            BlockGroup(
                (320, 280, 240, 220, 200, 180, 160, 120, 100),
                (Bnecks(_LARGE_4, stride=2), Bnecks(_LARGE_5, times=2)),
            ),
        ),
        unpooled=(960,),
        pooled=(1440, 1280),
        squeeze=4,
        published=Published(
            (
                (3, 18, None), (3, 24, 64), (3, 24, 48), (5, 56, 80), (5, 56, 200), (5, 56, 100), (5, 80, 400),
                (3, 80, 200), (3, 80, 272), (3, 80, 168), (5, 112, 440), (5, 112, 576), (7, 160, 624), (5, 160, 640),
                (3, 160, 640),
            ),
            (960, 1280), paper=(229, 5.1), counted=(229.9, 4.84),
        ),
    ),
    "300m": MobileTable(
        label="MobileNetV2",
        stem=32,
        first=(24, 20, 16, 14),
        first_stride=1,
        stages=(
            BlockGroup(
                (48, 44, 40, 36, 32, 28, 24),
                (Bnecks((72, 64, 56, 52, 48, 44, 40), K35, stride=2), Bnecks(_V2_1, K35, times=2)),
            ),
            BlockGroup(
                (60, 56, 52, 48, 44, 40, 36, 32),
                (Bnecks(_V2_1, K35, stride=2), Bnecks((180, 160, 140, 130, 120, 110, 100, 80), times=3)),
            ),
            BlockGroup((120, 110, 100, 90, 80, 70, 60), (Bnecks(_V2_3, stride=2, times=3),)),
            BlockGroup(
                (144, 128, 120, 104, 96, 88, 80, 72),
                (Bnecks(_V2_3), Bnecks((432, 400, 368, 336, 304, 288, 272, 256, 240), times=3)),
            ),
            BlockGroup(
                (288, 256, 224, 192, 160, 144),
                (Bnecks((864, 800, 736, 672, 608, 576, 512, 448), stride=2, times=4),),
            ),
        ),
        last=((480, 1728), (440, 1664), (400, 1600), (360, 1536), (320, 1440), (300, 1280), (280, 1216)),
        pooled=(1920, 1600, 1280),
        squeeze=8,
        published=Published(
            (
                (3, 24, None), (3, 28, 40), (3, 28, 144), (3, 28, 88), (3, 40, 104), (5, 40, 110), (3, 40, 180),
                (5, 40, 130), (7, 90, 260), (3, 90, 220), (3, 90, 200), (7, 120, 320), (5, 120, 288), (7, 120, 256),
                (3, 120, 368), (7, 160, 608), (7, 160, 576), (5, 160, 608), (3, 160, 448), (3, 280, 1216),
            ),
            (1920,), paper=(322, 5.2), counted=(306.5, 5.18),
        ),
    ),
    "600m": MobileTable(
        label="MobileNetV2 1.4x",
        stem=32,
        first=(36, 32, 28, 24, 20, 16),
        first_stride=1,
        stages=(
            BlockGroup(
                (56, 52, 48, 44, 40, 36, 32, 28),
                (Bnecks((88, 80, 72, 64, 56, 52, 48), K35, stride=2, times=4),),
            ),
            BlockGroup(
                (72, 64, 60, 56, 52, 48, 44, 40),
                (
                    Bnecks((180, 160, 144, 128, 120, 112, 104, 96, 92, 88, 80), K35, stride=2),
                    Bnecks((240, 220, 200, 180, 160, 140, 130, 120, 100), times=4),
                ),
            ),
            BlockGroup(
                (200, 180, 160, 140, 120, 100, 90, 80),
                (Bnecks((440, 400, 360, 320, 280, 260, 240, 200), stride=2), Bnecks(_WIDE_3, times=3)),
            ),
            BlockGroup((180, 160, 144, 128, 120, 104, 96, 88, 80), (Bnecks(_WIDE_3), Bnecks(_WIDE_4, times=4))),
            BlockGroup(
                (320, 288, 256, 224, 192, 160),
                (Bnecks((992, 928, 864, 800, 736, 672, 608, 576, 512), stride=2, times=5),),
            ),
        ),
        last=(
            (600, 1920), (560, 1856), (520, 1792), (480, 1728), (440, 1664), (400, 1600), (360, 1536), (320, 1440),
        ),
        last_kernels=K357,
        pooled=(2560, 2240, 1920),
        squeeze=8,
        published=Published(
            (
                (3, 36, None), (5, 36, 80), (5, 36, 72), (3, 36, 80), (5, 36, 72), (3, 48, 144), (3, 48, 140),
                (3, 48, 160), (3, 48, 130), (5, 48, 140), (7, 140, 360), (5, 140, 360), (3, 140, 560), (5, 140, 440),
                (7, 144, 360), (5, 144, 560), (3, 144, 288), (5, 144, 400), (5, 144, 256), (3, 192, 864),
                (5, 192, 928), (7, 192, 736), (7, 192, 800), (3, 192, 928), (3, 320, 1440),
            ),
            (2560,), paper=(627, 9.7), counted=(581.1, 8.93),
        ),
    ),
}  # fmt: skip
