"""What a score is worth when a short training favours small networks, which learn fast and end worse.

Scaling laws describe the error after full training as a power of a network's size. With the size exponent w of an
objective, the error that a short training measured is assumed to shrink by the factor ``cost ** -w``. Validation
accuracies after longer trainings give the exponent (`engine.benchmarks.layernas_nb201`). Only the order of networks
matters, and the unit of the cost does not change it.
"""

from __future__ import annotations


def merit(score: float, cost: float | None, exponent: float) -> float:
    """Return ``100 - (100 - score) * cost ** -exponent`` for an accuracy in percent, and any other score unchanged."""
    if not exponent or cost is None or not cost > 0 or not 0 <= score <= 100:
        return score
    return float(100 - (100 - score) * cost**-exponent)
