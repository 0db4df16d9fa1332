"""Joint scores whose constants can be fitted to a population's own terms: those of MOTE and MOTE+.

Nothing here trains: a score is read again from its stored terms. Fitted constants travel as `Numbers`, the fields of
each term's `engine.mote.BoxCox` or `engine.mote_plus.Scale` as JSON holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias

from engine import mote, mote_plus
from engine.registry import ESTIMATORS

MINIMUM = 100
"""Networks to fit to: 30 give a spread of 0.7 in a Box-Cox exponent."""

Terms: TypeAlias = Mapping[str, float | None]
"""None where a term is not a finite number."""
Numbers: TypeAlias = dict[str, dict[str, float]]
Constants: TypeAlias = mote.Constants | mote_plus.Constants
Scale: TypeAlias = mote.BoxCox | mote_plus.Scale


@dataclass(frozen=True)
class Joint:
    """One kind of joint score: what its constants are before they are fitted, and how each term's are fitted.

    ``least`` names a term and its value for a network that nothing of the image reaches: it was not trained, and is
    no part of a population.
    """

    label: str
    terms: tuple[str, ...]
    least: tuple[str, float]
    own: frozenset[str]
    begins: Callable[[str], Constants]
    fit_term: Callable[[Sequence[float]], Scale]
    scale: Callable[..., Scale]

    def has_own(self, space_kind: str) -> bool:
        """Whether the constants that a space begins with are its own."""
        return mote.BENCHMARK_OF.get(space_kind, space_kind) in self.own

    def connected(self, terms: Terms) -> bool:
        """Whether the image reaches the network's output, by its terms."""
        name, least = self.least
        value = terms.get(name)
        return value is not None and value > least

    def fit(self, population: Sequence[Terms]) -> Numbers:
        """Numbers of the terms that the whole population has.

        ValueError: fewer than `MINIMUM` networks, or a term that is the same for all.
        """
        if len(population) < MINIMUM:
            raise ValueError(f"a calibration needs the terms of {MINIMUM} networks or more")
        numbers: Numbers = {}
        for name in self.terms:
            values = [value for terms in population if (value := terms.get(name)) is not None]
            if len(values) == len(population):
                numbers[name] = asdict(self.fit_term(values))
        return numbers

    def constants(self, space_kind: str, numbers: Numbers, source: str) -> Constants:
        """Those that a space begins with, and of the terms in ``numbers`` the fitted ones instead."""
        fitted = {name: self.scale(**numbers[name]) for name in self.terms if name in numbers}
        return replace(self.begins(space_kind), source=source, **fitted)  # type: ignore[arg-type]


JOINTS: Mapping[str, Joint] = {
    "mote": Joint(
        "MOTE",
        ("landscape", "speed"),
        ("landscape", mote.landscape_term([mote.LOSS_CEILING] * mote.SLICE_POINTS)),
        frozenset(mote.PUBLISHED),
        mote.constants_for,
        mote.fit,
        mote.BoxCox,
    ),
    "mote_plus": Joint(
        "MOTE+",
        ("learning", "distinctness", "richness"),
        ("richness", mote_plus.richness_term([0.0])),
        frozenset({"nasbench201"}),
        mote_plus.constants_for,
        mote_plus.fit,
        mote_plus.Scale,
    ),
}
"""By the name that an estimate's options declare as ``joint``."""


def joint_of(kind: str) -> Joint | None:
    """Return the joint that scores of an estimate of this kind are read with, or None where there is none."""
    name = ESTIMATORS[kind].options.joint
    return JOINTS[name] if name else None
