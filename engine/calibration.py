"""Joint scores whose constants can be fitted to a population's own terms: those of MOTE and MOTE+.

Nothing here trains: a score is computed again from its stored terms. Fitted constants are passed on as `Numbers`: for
each term, the fields of its `engine.mote.BoxCox` or `engine.mote_plus.Scale`, ready for JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias

from engine import mote, mote_plus
from engine.registry import ESTIMATORS

MINIMUM = 100
"""The smallest population to fit to; with 30 networks a Box-Cox exponent varies by 0.7."""

Terms: TypeAlias = Mapping[str, float | None]
"""The value of each term by its name, or None if the value is not a finite number."""
Numbers: TypeAlias = dict[str, dict[str, float]]
Constants: TypeAlias = mote.Constants | mote_plus.MotePlusConstants
Scale: TypeAlias = mote.BoxCox | mote_plus.Scale


@dataclass(frozen=True)
class Joint:
    """One kind of joint score: its constants before they are fitted, and how those of each term are fitted.

    ``least`` names a term and its value for a network whose output does not depend on the image. Such a network is not
    trained and is not part of a population. ``own`` names the spaces that begin with constants of their own.
    """

    label: str
    terms: tuple[str, ...]
    least: tuple[str, float]
    own: frozenset[str]
    begins: Callable[[str], Constants]
    fit_term: Callable[[Sequence[float]], Scale]
    scale: Callable[..., Scale]

    def has_own(self, space_kind: str) -> bool:
        """Return whether the constants that a space begins with are its own."""
        return mote.BENCHMARK_OF.get(space_kind, space_kind) in self.own

    def connected(self, terms: Terms) -> bool:
        """Return whether the network's output depends on the image, by its terms."""
        name, least = self.least
        value = terms.get(name)
        return value is not None and value > least

    def fit(self, population: Sequence[Terms]) -> Numbers:
        """Return the fitted numbers of the terms that the whole population has.

        Raises ValueError if there are fewer than `MINIMUM` networks, or if a term is the same for all of them.
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
        """Return the constants that a space begins with, with the fitted ones for the terms in ``numbers``."""
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
"""The kinds of joint score, by the name that an estimate's options declare as ``joint``."""


def joint_of(kind: str) -> Joint | None:
    """Return the joint score that estimates of this kind compute, or None if their score is not a joint one."""
    name = ESTIMATORS[kind].options.joint
    return JOINTS[name] if name else None
