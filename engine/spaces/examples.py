"""Ready definitions of chain spaces."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

CHAIN_EXAMPLES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "digits_chain": {
            "name": "Digits chain",
            "stem": {"width": 16},
            "layers": [
                {"name": "first", "options": {"conv": {"block": "conv", "width": [32, 24, 16]}}},
                {
                    "name": "mix 1",
                    "options": {
                        "ir": {"block": "inverted_residual", "kernel": [5, 3], "expansion": [4, 2]},
                        "skip": "identity",
                    },
                },
                {
                    "name": "down 1",
                    "stride": 2,
                    "options": {
                        "conv": {"block": "conv", "width": [64, 48, 32]},
                        "sep": {"block": "separable_conv", "width": [64, 48, 32]},
                    },
                },
                {
                    "name": "mix 2",
                    "options": {
                        "conv": "conv",
                        "ir": {"block": "inverted_residual", "kernel": [5, 3], "expansion": [4, 2]},
                        "skip": "identity",
                    },
                },
                {
                    "name": "down 2",
                    "stride": 2,
                    "options": {
                        "conv": {"block": "conv", "width": [96, 64, 48]},
                        "pool": {"block": "max_pool"},
                    },
                },
                {
                    "name": "mix 3",
                    "options": {
                        "ir": {"block": "inverted_residual", "expansion": [4, 2], "squeeze_excitation": [0.25, 0]},
                        "skip": "identity",
                    },
                },
            ],
        },
        "mobile_chain": {
            "name": "Mobile chain with shared widths",
            "activation": "hard_swish",
            "stem": {"width": 16, "stride": 2},
            "layers": [
                {"name": "width 1", "virtual": "width", "options": [32, 28, 24, 20, 16]},
                *(
                    {
                        "name": f"block 1.{index}",
                        "stride": stride,
                        "options": {"ir": {"block": "inverted_residual", "kernel": [5, 3], "expansion": [6, 4, 3, 2]}},
                    }
                    for index, stride in ((1, 1), (2, 1))
                ),
                {"name": "width 2", "virtual": "width", "options": [64, 56, 48, 40, 32]},
                *(
                    {
                        "name": f"block 2.{index}",
                        "stride": stride,
                        "options": {
                            "ir": {
                                "block": "inverted_residual",
                                "kernel": [5, 3],
                                "expansion": [6, 4, 3],
                                "squeeze_excitation": 0.25,
                            },
                            **({"skip": "identity"} if index > 1 else {}),
                        },
                    }
                    for index, stride in ((1, 2), (2, 1), (3, 1))
                ),
            ],
            "head": {"width": 128, "dropout": 0.2},
        },
    }
)
