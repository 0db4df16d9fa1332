"""Numbers as people write them: which notations are refused because formats read them in different ways."""

from __future__ import annotations

import re

LEADING_ZERO = re.compile(r"[-+]?0[0-9_]")


def is_no_number(text: str) -> bool:
    """Return whether a text looks like a number in a notation that is refused: with a leading zero or a colon."""
    return LEADING_ZERO.match(text) is not None or ":" in text
