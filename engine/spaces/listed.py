"""The base of spaces whose layers offer the same options whatever was chosen before them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from math import prod

from engine.blueprint import InputSpec
from engine.errors import ArchitectureError
from engine.space import Architecture, Choices
from engine.stepped import SteppedSpace

SHOWN = 20
"""The largest number of options that an error message lists."""


class ListedSpace(SteppedSpace):
    """A space that is a list of layers: each has a name, the labels of its options, and a default option.

    A network's name is the chosen labels joined by ``separator``; a space with a notation of its own overrides
    `to_string` and `from_string`.
    """

    separator = "-"

    def __init__(
        self,
        spec: InputSpec,
        names: Sequence[str],
        labels: Sequence[Sequence[str]],
        defaults: Sequence[int],
        definition: str,
    ) -> None:
        """Take a ``definition`` that contains everything that defines the space except ``spec``; it is hashed."""
        super().__init__(spec)
        self._names = tuple(names)
        self._labels = tuple(map(tuple, labels))
        self._defaults = tuple(defaults)
        self._index = [{label: option for option, label in enumerate(layer)} for layer in self._labels]
        self._hash = sha256(definition.encode()).hexdigest()

    # --- what can be chosen ------------------------------------------------------------------------------------
    @property
    def layer_names(self) -> tuple[str, ...]:
        return self._names

    def options(self, prefix: Choices) -> Sequence[str]:
        return self._labels[len(prefix)]

    def default_option(self, prefix: Choices) -> int:
        return self._defaults[len(prefix)]

    def option_counts(self) -> tuple[int, ...]:
        return tuple(map(len, self._labels))

    @property
    def size(self) -> int:
        return prod(map(len, self._labels))

    @property
    def content_hash(self) -> str:
        return self._hash

    # --- names -------------------------------------------------------------------------------------------------
    def to_string(self, architecture: Architecture) -> str:
        return self.separator.join(self.labels(architecture))

    def from_string(self, text: str) -> Architecture:
        parts = text.strip().split(self.separator)
        if len(parts) != self.depth:
            raise ArchitectureError(
                f"'{text}' has {len(parts)} labels joined by '{self.separator}'; the space has {self.depth} layers"
            )
        choices = []
        for name, index, part in zip(self._names, self._index, parts, strict=True):
            if part not in index:
                known = ", ".join(list(index)[:SHOWN])
                raise ArchitectureError(f"layer '{name}': there is no option '{part}'; choose one of {known}")
            choices.append(index[part])
        return self.architecture(choices)
