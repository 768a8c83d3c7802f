"""Documents as typed entries: msgspec checks them, and what it finds wrong is said with file, place and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, inspect

from uncommon_im.schemas.documents import ConfigurationError

T = TypeVar("T")
Text = Annotated[str, Meta(pattern=r"\S", description="a text")]
"""A text that is not blank."""
NonEmpty = Annotated[tuple[T, ...], Meta(min_length=1, description="a list that is not empty")]
"""A list that is not empty."""
Scalar = Annotated[str | bool | int | float, Meta(description="a text, a number or true or false")]
"""What YAML makes of a word: `yes` and `17` are texts to whoever wrote them."""

_ERROR: Final = re.compile(r"(.*?)(?: - at (`key` in )?`\$(.*)`)?", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`")
_UNEXPECTED: Final = re.compile(r"Expected |Invalid ")
_WORDS: Final = {
    inspect.BoolType: "true or false",
    inspect.DateType: "a day written as YYYY-MM-DD",
    inspect.DictType: "a mapping",
    inspect.FloatType: "a number",
    inspect.IntType: "a whole number",
    inspect.NoneType: "",
    inspect.StrType: "a text",
}


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what stands in a document: keys that it does not know are errors."""


def decode(document: object, kind: type[T], name: str) -> T:
    """A document as `kind`. A class that msgspec does not know decodes its values by its own `decode(value)`.

    Args:
        document: of mappings, lists and scalars, as YAML and JSON have them.
        kind: entries, or another type that msgspec knows.
        name: what messages call the document.

    Raises:
        ConfigurationError: one line with the document's name, the place in it, the problem and what is allowed.
    """
    try:
        return msgspec.convert(document, kind, dec_hook=_custom)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{name}: {' '.join(_explained(str(error), document, kind).splitlines())}") from None


def _custom(kind: Any, value: object) -> Any:
    return kind.decode(value)


def _explained(message: str, document: Any, kind: Any) -> str:
    """The place in the document, the problem and what is allowed, made of what msgspec says."""
    problem, of_key, path = _ERROR.fullmatch(message).groups()  # type: ignore[union-attr]  # it matches every text
    steps: list[Any] = []
    value, place = document, ""
    types = _alternatives(inspect.type_info(kind))
    for name, index in _STEP.findall(path or ""):
        # What msgspec writes as [...] is a value of a mapping, whatever its key.
        step = _culprit(value, document, kind, steps, message) if index == "..." else int(index) if index else name
        steps.append(step)
        value = value[step]
        place += f"[{step}]" if index.isdigit() else f".{step}"
        if index.isdigit() and isinstance(value, dict) and isinstance(value.get("id"), str):
            place += f" ({value['id']})"
        types = [each for parent in types for below in _below(parent, step) for each in _alternatives(below)]
    if of_key:
        value = _culprit(value, document, kind, steps, message)
        keys = [each.key_type if isinstance(each, inspect.DictType) else each for each in types]
        types = [each for key in keys for each in _alternatives(key)]
        if any(map(_names, types)):
            problem = f"Object contains unknown field `{value}`"
    return f"{place.removeprefix('.')}: " * bool(place) + _problem(problem, value, types)


def _problem(problem: str, value: object, types: Sequence[inspect.Type]) -> str:
    """What is wrong with a value that should be of one of the types."""
    if missing := _MISSING.fullmatch(problem):
        return f"`{missing[1]}` is missing"
    known = [str(name) for each in types for name in _names(each)]
    unknown = _UNKNOWN.fullmatch(problem)
    close = get_close_matches(unknown[1] if unknown else str(value), known, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    if unknown:
        return f"unknown key {unknown[1]}: {hint}known are {', '.join(known)}"
    if not _UNEXPECTED.match(problem):
        return problem
    expected = " or ".join(dict.fromkeys(filter(None, map(_described, types))))
    return f"expected {expected}, not {value!r:.60}" + (f": {hint.strip()}" if hint else "")


def _culprit(among: Any, document: Any, kind: Any, steps: Sequence[Any], message: str) -> Any:
    """The first key at the end of the steps that gives the same error without its fellows."""
    pairs = among.items() if isinstance(among, dict) else enumerate(among)  # items of a set have no index either
    for key, value in pairs:
        only = {key: value} if isinstance(among, dict) else [value]
        try:
            msgspec.convert(_replaced(document, steps, only), kind, dec_hook=_custom)
        except msgspec.ValidationError as error:
            if str(error) == message:
                return key
    raise LookupError(message)


def _replaced(document: Any, steps: Sequence[Any], value: object) -> Any:
    """The document with another value at the end of the steps."""
    if not steps:
        return value
    copied = document.copy()
    copied[steps[0]] = _replaced(document[steps[0]], steps[1:], value)
    return copied


def _alternatives(kind: inspect.Type) -> list[inspect.Type]:
    """The types that a type stands for; those with a description of their own are left whole."""
    if isinstance(kind, inspect.UnionType):
        return [each for member in kind.types for each in _alternatives(member)]
    return [kind]


def _below(kind: inspect.Type, step: object) -> list[inspect.Type]:
    """Types of what is one step below a value of a type."""
    kind = kind.type if isinstance(kind, inspect.Metadata) else kind
    if isinstance(kind, inspect.StructType):
        return [field.type for field in kind.fields if field.encode_name == step]
    if isinstance(kind, inspect.DictType):
        return [kind.value_type]
    if isinstance(kind, inspect.TupleType):
        return [kind.item_types[0]]  # pairs are of one type
    return [kind.item_type] if isinstance(kind, inspect.CollectionType) else []


def _names(kind: inspect.Type) -> Iterable[object]:
    """The keys of a mapping, or the values of a choice."""
    if isinstance(kind, inspect.StructType):
        return [field.encode_name for field in kind.fields]
    return kind.values if isinstance(kind, inspect.LiteralType) else ()


def _described(kind: inspect.Type) -> str:
    """What a value of a type is called; nothing of null, which is never what somebody meant to write."""
    if isinstance(kind, inspect.StructType):
        return f"a mapping with {', '.join(map(str, _names(kind)))}"
    if isinstance(kind, inspect.Metadata):
        return str((kind.extra_json_schema or {}).get("description", "")) or _described(kind.type)
    if isinstance(kind, inspect.LiteralType):
        return f"one of {', '.join(map(str, kind.values))}" if len(kind.values) > 1 else str(kind.values[0])
    return _WORDS.get(type(kind), "a list")
