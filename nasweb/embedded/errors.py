"""Why `up` does not start, in one sentence each."""

from __future__ import annotations


class StartRefused(Exception):
    """Something to mend before anything is started; the message names it and the remedy."""


class StartFailed(Exception):
    """A service stopped before it was ready; the message holds its last words."""
