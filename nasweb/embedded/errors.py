"""Reasons why `up` does not start, one sentence each."""

from __future__ import annotations


class StartRefused(Exception):
    """A problem that must be fixed before anything is started; the message names the problem and the fix."""


class StartFailed(Exception):
    """A service that stopped before it was ready; the message contains the end of its log."""
