"""The base of all option models, and the translation of pydantic's errors into our own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self, TypeVar, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from engine.errors import ConfigError, FieldError
from engine.number_text import is_no_number

T = TypeVar("T")


@dataclass(frozen=True)
class NoNumber:
    """A text that stands where a number is wanted and that pydantic would turn into one."""

    text: str


def storable(value: T) -> T:
    """Return the value; ValueError if a text in it holds what databases refuse, a NUL character or half a character."""
    waiting: list[Any] = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, str):
            if "\0" in inner:
                raise ValueError("the text holds a NUL character; remove it")
            try:
                inner.encode()
            except UnicodeEncodeError as error:
                raise ValueError("the text holds half a character (a lone surrogate); remove it") from error
        elif isinstance(inner, Mapping):
            waiting += [*inner, *inner.values()]
        elif isinstance(inner, list | tuple):
            waiting += inner
    return value


STORED = "stored"
Name = Annotated[str, Field(max_length=200, title="Name")]


OFFERED = "x-offered"
"""Key in a field's ``json_schema_extra``: the value that forms offer for a new document, if it is not the default.

The default must stay the meaning of stored documents without the field."""


class Options(BaseModel):
    """The base of all option models. They are frozen, and refuse unknown fields so that typing mistakes are seen.

    Cached properties are computed when a model is validated. From then on they are plain attributes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)
    _derived: ClassVar[tuple[str, ...]] = ()
    """Names of the cached properties."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        names = [
            name for kind in cls.__mro__ for name, value in vars(kind).items() if isinstance(value, cached_property)
        ]
        cls._derived = tuple(dict.fromkeys(names))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed; its cached properties are computed again."""
        copied = super().model_copy(update=update, deep=deep)
        for name in self._derived:
            vars(copied).pop(name, None)
        return copied

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, raw: Any, validate: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        options = validate(raw if is_stored(info) else cls._without_lookalikes(raw))
        for name in cls._derived:
            getattr(options, name)
        return options

    @classmethod
    def _without_lookalikes(cls, raw: Any) -> Any:
        """Return the mapping with each look-alike of a number replaced by a value that fields of numbers refuse.

        Pydantic would turn look-alikes into numbers. They are true and false, which become words, and text with a
        leading zero or a colon, which becomes `NoNumber`.
        """
        if not isinstance(raw, Mapping):
            return raw
        changed: dict[Any, Any] = {}
        for name, field in cls.model_fields.items():
            if name not in raw:
                continue
            value = raw[name]
            if isinstance(value, bool) and _is_number(field.annotation):
                changed[name] = str(value)
            elif isinstance(value, str | list | tuple) and _holds_numbers(field.annotation):
                changed[name] = _marked(value)
        return {**raw, **changed} if changed else raw

    @field_validator("*")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        return storable(value)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Validate a mapping; raise ConfigError with an entry for each faulty field."""
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise cls._complaints(error, raw) from error

    @classmethod
    def _complaints(cls, error: ValidationError, raw: Mapping[str, Any]) -> ConfigError:
        """Return what is wrong with ``raw``, with paths as users know them."""
        return field_errors(error)

    @classmethod
    def stored(cls, raw: Mapping[str, Any]) -> Self:
        """Return a document that was valid when it was stored; later limits do not make it unreadable.

        Its numbers have the values that they had when it was stored.
        """
        try:
            return cls.model_validate(raw, context={STORED: True})
        except ValidationError as error:
            raise field_errors(error) from error


def _is_number(annotation: Any) -> bool:
    """Return whether a field takes numbers, or nothing, but no truth values."""
    types = {annotation, *get_args(annotation)}
    return bool(types & {int, float}) and bool not in types


def _holds_numbers(annotation: Any) -> bool:
    """Return whether a field takes numbers, or lists of them, and neither text nor truth values."""
    leaves = set(_leaves(annotation))
    return bool(leaves & {int, float}) and not leaves & {str, bool, Any}


def _leaves(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    inner = get_args(annotation)
    if not inner:
        yield annotation
    for part in inner:
        yield from _leaves(part)


def _marked(value: Any) -> Any:
    """Return the value, or the list, with text that is no number as `NoNumber`."""
    if isinstance(value, list | tuple):
        return [_marked(part) for part in value]
    return NoNumber(value) if isinstance(value, str) and is_no_number(value) else value


def is_stored(info: ValidationInfo) -> bool:
    """Return whether `Options.stored` is reading the document."""
    return bool(info.context and info.context.get(STORED))


def field_errors(error: ValidationError, prefix: str = "", document: Any = None) -> ConfigError:
    """Return the same errors with dotted paths as the user wrote them, without the tags of unions.

    With the ``document`` that was validated, paths follow it: entries of a mapping that a model reads as a list have
    their keys, and what validation adds (a list around a single value) is left out.
    """
    errors = []
    for item in error.errors(include_url=False, include_context=True):
        location = item["loc"]
        path = ".".join(_user_path(location) if document is None else _walk(item, document))
        errors.append(FieldError(".".join(p for p in (prefix, path) if p), _message(item)))
    return ConfigError(errors)


def to_fields(error: ConfigError, names: Collection[str]) -> ConfigError:
    """Return the same errors; those of the whole document that begin with one of the field names go to that field."""
    moved = []
    for item in error.errors:
        field, _, message = item.message.partition(": ")
        if item.path == "" and field.lower() in names:
            item = FieldError(field.lower(), message)
        moved.append(item)
    return ConfigError(moved)


def _user_path(location: tuple[int | str, ...]) -> list[str]:
    parts: list[str] = []
    for index, part in enumerate(location):
        # A tagged union puts its tag right after the field's name: space.chain.layers -> space.layers.
        if (index == 1 and location[0] in TAGGED_FIELDS) or (index == 2 and location[:2] == ("final", "estimator")):
            continue
        parts.append(str(part))
    return parts


def _walk(item: Mapping[str, Any], document: Any) -> list[str]:
    parts: list[str] = []
    here = document
    for part in item["loc"]:
        if isinstance(here, Mapping):
            key = list(here)[part] if isinstance(part, int) else part
            if key not in here:
                continue  # the tag of a union, or a field that is missing
            here = here[key]
            parts.append(str(key))
        elif isinstance(here, list) and isinstance(part, int):
            here = here[part]
            parts.append(str(part))
    if item["type"] == "missing":
        parts.append(str(item["loc"][-1]))
    elif item["type"] in ("union_tag_not_found", "union_tag_invalid"):
        parts.append(str(item["ctx"]["discriminator"]).strip("'"))
    return parts


TAGGED_FIELDS = ("space", "dataset", "algorithm", "estimator")


WORDS = {
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float", "int_parsing_size"), "Give a whole number."),
    **dict.fromkeys(("float_parsing", "float_type"), "Give a number."),
    **dict.fromkeys(("bool_parsing", "bool_type"), "Give true or false."),
    "string_type": "Give text.",
    "finite_number": "Give a finite number.",
    "greater_than_equal": "Give {ge} or more.",
    "greater_than": "Give more than {gt}.",
    "less_than_equal": "Give {le} or less.",
    "less_than": "Give less than {lt}.",
    "literal_error": "Choose {expected}.",
    "string_too_short": "Give at least {min_length} characters.",
    "string_too_long": "Give at most {max_length} characters.",
    "too_short": "Give at least {min_length} entries.",
    "too_long": "Give at most {max_length} entries.",
}


NUMBERS_WANTED = frozenset(kind for kind, words in WORDS.items() if words.endswith("number."))


def _message(item: Mapping[str, Any]) -> str:
    kind = item["type"]
    context = item.get("ctx", {})
    if kind == "missing":
        return "This field is required."
    if kind == "extra_forbidden":
        return "There is no such field; remove it or correct its name."
    if kind == "union_tag_not_found":
        return f"Choose a kind with the field {context['discriminator']}."
    if kind == "union_tag_invalid":
        return f"There is no kind '{context.get('tag')}'; choose one of {context.get('expected_tags')}."
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return "This must be a mapping with named fields."
    if kind in ("list_type", "tuple_type"):
        return "This must be a list."
    given = item.get("input")
    text = given.text if isinstance(given, NoNumber) else given
    if kind in NUMBERS_WANTED and isinstance(text, str) and is_no_number(text):
        without = "a colon" if ":" in text else "leading zeros"
        return f"{WORDS[kind].removesuffix('.')} without {without}, not '{text[:40]}'."
    if kind in WORDS:
        shown = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
        return WORDS[kind].format_map(shown)
    message = str(item["msg"])
    return message.removeprefix("Value error, ").rstrip(".") + "."
