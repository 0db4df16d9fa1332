"""Configurations that rows store as JSON, read as options of the engine."""

from __future__ import annotations

from typing import Any, Generic, Self, TypeVar, overload

from engine.config.base import Options

T = TypeVar("T", bound=Options)


class Stored(Generic[T]):
    """A property of a row: its ``config`` as options, with defaults for fields that are newer than the document.

    The row keeps the parsed options until it gets another document. Documents are replaced, never changed in place.
    """

    def __init__(self, options: type[T]) -> None:
        self.options = options

    @overload
    def __get__(self, row: None, model: type) -> Self: ...

    @overload
    def __get__(self, row: Any, model: type) -> T: ...

    def __get__(self, row: Any, model: type) -> Self | T:
        """Return the options; raises ConfigError if the document was not written by any version of this program."""
        if row is None:
            return self
        document = row.config
        kept = row.__dict__.get("_read_config")
        if kept is None or kept[0] is not document:
            kept = (document, self.options.stored(document))
            row.__dict__["_read_config"] = kept
        options: T = kept[1]
        return options
