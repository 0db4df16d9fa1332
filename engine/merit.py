"""What a score is worth where a short training favours small networks, which learn fast and end worse.

Scaling laws describe the error after full training as a power of a network's size. With the size exponent w of an
objective, the error that a short training measured is taken to shrink by ``cost ** -w``; validation accuracies after
longer trainings tell w (`engine.benchmarks.layernas_nb201`). Only order matters: the cost's unit changes none.
"""

from __future__ import annotations


def merit(score: float, cost: float | None, exponent: float) -> float:
    """``100 - (100 - score) * cost ** -exponent`` for an accuracy in percent; anything else stays as it is."""
    if not exponent or cost is None or not cost > 0 or not 0 <= score <= 100:
        return score
    return float(100 - (100 - score) * cost**-exponent)
