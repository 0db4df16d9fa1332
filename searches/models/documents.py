"""Configurations that rows store as JSON, read as options of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar, overload

from engine.config.base import Options
from engine.errors import ConfigError

T = TypeVar("T", bound=Options)
V = TypeVar("V", str, int)


class UnreadableDocument(ConfigError):
    """A stored document that this version of the program cannot read; a newer version may have written it."""

    def __init__(self, row: Any, error: ConfigError) -> None:
        super().__init__(error.errors)
        whose = f"{row._meta.verbose_name} {row.pk}"
        self.sentence = f"This version of nasweb cannot read the configuration of {whose}. {str(error).rstrip('.')}."


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
        """Return the options; UnreadableDocument if they are not valid in this version of the program."""
        if row is None:
            return self
        document = row.config
        kept = row.__dict__.get("_read_config")
        if kept is None or kept[0] is not document:
            kept = (document, self._read(document))
            row.__dict__["_read_config"] = kept
        found: T | ConfigError = kept[1]
        if isinstance(found, ConfigError):
            raise UnreadableDocument(row, found)
        return found

    def _read(self, document: Any) -> T | ConfigError:
        try:
            return self.options.stored(document)
        except ConfigError as error:
            return error


def readable(row: Any) -> bool:
    """Return whether this version of the program can read a row's document; loops over rows skip the others."""
    return not unreadable(row)


def unreadable(row: Any) -> str:
    """Return a sentence that says why a row's document cannot be read, or an empty text if it can be read."""
    try:
        _ = row.configuration
    except UnreadableDocument as error:
        return error.sentence
    return ""


def stated(row: Any, path: str, otherwise: V) -> V:
    """Return what a row's document says at a dotted path, for a document that cannot be read as options.

    The answer is ``otherwise`` if the document says nothing there or has a value of another type.
    """
    found = row.config
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if type(found) is type(otherwise) else otherwise
