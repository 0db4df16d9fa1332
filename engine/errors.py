"""What callers of the engine may catch. Every message names what is wrong and how to fix it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace


class EngineError(Exception):
    """Root of all errors the engine raises on purpose."""


@dataclass(frozen=True)
class FieldError:
    """One complaint about one field: ``path`` is dotted as in the configuration (``objective.hi``)."""

    path: str
    message: str


class ConfigError(EngineError):
    """A configuration that cannot be searched; ``errors`` has one entry a field, each message begins with a capital."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(replace(e, message=e.message[:1].upper() + e.message[1:]) for e in errors)
        super().__init__("; ".join(f"{e.path}: {e.message}" if e.path else e.message for e in self.errors))

    @classmethod
    def at(cls, path: str, message: str) -> ConfigError:
        """The error for a single field."""
        return cls([FieldError(path, message)])


class ArchitectureError(EngineError):
    """Choices or a string that name no architecture of the space."""


class UnknownProposal(EngineError):
    """An algorithm was told the outcome of a proposal that is not pending."""


class StateMismatch(EngineError):
    """A saved state, or recorded rows, that do not belong to this search."""


class DataError(EngineError):
    """Images or a table that cannot be used, with the reason and the fix."""

    @property
    def sentence(self) -> str:
        """The message as it stands at a field."""
        text = str(self)
        return text[:1].upper() + text[1:].rstrip(".") + "."


class EstimateError(EngineError):
    """One architecture could not be scored; the message is shown beside the candidate."""


class ExportError(EngineError):
    """A network could not be written in a format, or what was written computes something else."""


class Stopped(EngineError):
    """``stop()`` became true inside an estimate; nothing is recorded."""


@contextmanager
def at_field(path: str) -> Iterator[None]:
    """Turn what cannot be read into a complaint at the field."""
    try:
        yield
    except DataError as error:
        raise ConfigError.at(path, error.sentence) from error


@contextmanager
def at_estimate(path: str) -> Iterator[None]:
    """Put complaints about ``estimator`` at the estimate that stands at this path of the configuration."""
    try:
        yield
    except ConfigError as error:
        own = [FieldError(item.path.replace("estimator", path, 1), item.message) for item in error.errors]
        raise ConfigError(own) from error
