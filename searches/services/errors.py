"""The error that services raise when they refuse an action."""

from __future__ import annotations


class ActionRefused(Exception):
    """An action that the present state does not allow; the message is one sentence for the user."""
