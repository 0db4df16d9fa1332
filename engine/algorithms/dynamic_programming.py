"""Dynamic programming (LayerNAS, Algorithm 2 and Appendix D): layer by layer, every option of every stored model.

``M_(l+1),h`` keeps the best model of each cost, and layer l+1 begins when all outcomes of layer l have been told.
Baseline, reachable targets, carried networks and late scores are as in LayerNAS (`engine.algorithms.layernas`). Only
the order of the trials differs, so the first feasible network may appear only at the last layer.
"""

from __future__ import annotations

from engine.algorithms.layernas import LayerNAS
from engine.buckets import Ranked
from engine.config.algorithms import DynamicProgrammingOptions, LayerNASOptions
from engine.errors import ConfigError
from engine.problem import SearchProblem

LARGEST = 1_000_000
"""The largest space in which every network may be kept; it equals the largest budget."""


class DynamicProgramming(LayerNAS):
    """LayerNAS's layers and buckets, where each layer is exhausted before the next begins."""

    kind = "dynamic_programming"

    def __init__(self, options: DynamicProgrammingOptions, problem: SearchProblem, seed: int) -> None:
        if options.bucketing == "unique" and problem.space.size > LARGEST:
            raise ConfigError.at(
                "algorithm.bucketing",
                f"keeping every network would try all {problem.space.size:.3g} networks of this space, far more than "
                "any budget; choose cost buckets, or another algorithm",
            )
        super().__init__(LayerNASOptions(**options.model_dump(exclude={"kind"})), problem, seed)

    def _next(self, number: int) -> Ranked | None:
        """Return a network from the first layer that still has untried children.

        Returns None while that layer waits for outcomes.
        """
        for layer in range(1, self._depth):
            network = self._layers[layer - 1].selection.select(number)
            if network is not None:
                if layer != self._layer and self._pending:
                    return None
                self._layer = layer
                self._selected = network
                return network
        return None
