"""How callers stop long work: they pass a function, which the work calls every now and then."""

from __future__ import annotations

from collections.abc import Callable

Stop = Callable[[], bool]
"""Returns true once the work is to stop; the work then raises `engine.errors.Stopped`."""


def never() -> bool:
    """Return False: the ``stop`` of callers that never cancel."""
    return False
