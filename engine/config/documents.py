"""Documents that people write: reading their YAML or JSON, and the base of their models.

A document cannot run code, refer to itself or grow without limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import yaml

from engine.config.base import Options
from engine.errors import ConfigError
from engine.number_text import is_no_number

MAX_VALUES = 100_000
DEEPEST = 100
TOO_DEEP = f"The document is nested too deeply, more than {DEEPEST} levels."
LONGEST_NUMBER = 100
"""The longest number, in characters. The time to read YAML's numbers of base 60 grows with their length squared."""
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
MERGE = "tag:yaml.org,2002:merge"
TEXT = "tag:yaml.org,2002:str"
TIMESTAMP = "tag:yaml.org,2002:timestamp"


class Document(Options):
    """An option model that people write as a whole, as a mapping or as YAML."""

    first_fields: ClassVar[str]
    """The names of the first fields, joined by commas, which an error message gives as an example."""

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Validate a YAML or JSON document; raise ConfigError with an entry for each faulty field."""
        raw = read_yaml(text, "yaml")
        if not isinstance(raw, Mapping):
            raise ConfigError.at("yaml", f"The document must be a mapping with the fields {cls.first_fields}, ...")
        return cls.parse(raw)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form, which `parse` takes back."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """Return the document as YAML, which `from_yaml` takes back."""
        return yaml.safe_dump(self.as_dict(), sort_keys=False, allow_unicode=True)


class _Loader(yaml.SafeLoader):
    """A loader that refuses what grows while it is read, before there are values to count."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """Return a node's tag. YAML 1.1 reads 010 as 8, 1:30 as 90 and 2026-01-01 as a date; here they are text."""
        tag = str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]
        surprising = tag == TIMESTAMP or (tag in NUMBERS and is_no_number(value))
        return TEXT if kind is yaml.ScalarNode and implicit[0] and surprising else tag

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Make the keys text as they are written; refuse merge keys and a key that is there twice."""
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag == MERGE:
                problem = "merge keys (<<) are not taken, write the fields out"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                continue
            key.tag = TEXT
            if key.value in lines:
                problem = f"the key '{key.value}' is there twice, first in line {lines[key.value]}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            lines[key.value] = key.start_mark.line + 1
        super().flatten_mapping(node)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        if node.tag in NUMBERS and len(node.value) > LONGEST_NUMBER:
            problem = f"a number of more than {LONGEST_NUMBER} characters; put text in quotes"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return super().construct_scalar(node)


def read_yaml(text: str, field: str) -> Any:
    """Return the value of a document; ConfigError at ``field`` says where the document is malformed."""
    try:
        value = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise ConfigError.at(field, f"The YAML is malformed{place}: {problem}.") from error
    except RecursionError as error:
        raise ConfigError.at(field, TOO_DEEP) from error
    except ValueError as error:
        raise ConfigError.at(field, f"The YAML cannot be read: {error}.") from error
    _check_size(value, field)
    if is_deep(value):
        raise ConfigError.at(field, TOO_DEEP)
    return value


def is_deep(value: Any) -> bool:
    """Return whether a value without cycles is nested too deeply for recursive functions."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [part for inner in level for part in _parts(inner)]
        if not level:
            return False
    return True


def _check_size(value: Any, field: str) -> None:
    """Raise ConfigError if the value, with every alias written out, holds more than `MAX_VALUES` values.

    So neither a cycle nor a small document that expands to huge content passes.
    """
    waiting = [value]
    count = 0
    while waiting:
        inner = waiting.pop()
        count += 1
        if count > MAX_VALUES:
            message = f"The document holds more than {MAX_VALUES:,} values, or an alias (*) that contains itself."
            raise ConfigError.at(field, message)
        waiting += _parts(inner)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple | set) else ()
