"""The errors of the engine. Every message says what is wrong and how to fix it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace


class EngineError(Exception):
    """Root of all errors the engine raises on purpose."""


@dataclass(frozen=True)
class FieldError:
    """One error of one field; ``path`` is dotted as in the configuration (``objective.hi``)."""

    path: str
    message: str


class ConfigError(EngineError):
    """A faulty configuration; ``errors`` has one entry per field, and each message begins with a capital letter."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(replace(e, message=e.message[:1].upper() + e.message[1:]) for e in errors)
        super().__init__("; ".join(f"{e.path}: {e.message}" if e.path else e.message for e in self.errors))

    @classmethod
    def at(cls, path: str, message: str) -> ConfigError:
        """Return the error of a single field."""
        return cls([FieldError(path, message)])


class ArchitectureError(EngineError):
    """Choices or a string that are not an architecture of the space."""


class UnknownProposal(EngineError):
    """An outcome was told for a proposal that is not pending."""


class StateMismatch(EngineError):
    """A saved state, or recorded rows, that do not belong to this search."""


class DataError(EngineError):
    """Images or a table that cannot be used, with the reason and the fix."""

    @property
    def sentence(self) -> str:
        """The message as a sentence, for display at a field."""
        text = str(self)
        return text[:1].upper() + text[1:].rstrip(".") + "."


class EstimateError(EngineError):
    """One architecture could not be scored; the message is shown beside the candidate."""


class ExportError(EngineError):
    """A network that could not be written in a format, or a written file with other outputs than the network."""


class Stopped(EngineError):
    """``stop()`` became true during the work; nothing is recorded."""


@contextmanager
def at_field(path: str) -> Iterator[None]:
    """Turn a DataError into an error of the field."""
    try:
        yield
    except DataError as error:
        raise ConfigError.at(path, error.sentence) from error


@contextmanager
def at_estimate(path: str) -> Iterator[None]:
    """Move errors of ``estimator`` to the estimate at this path of the configuration."""
    try:
        yield
    except ConfigError as error:
        own = [FieldError(item.path.replace("estimator", path, 1), item.message) for item in error.errors]
        raise ConfigError(own) from error
