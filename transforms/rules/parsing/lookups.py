"""Values at the ends of paths in records, and records' texts as keys.

A value that is no text, number or null becomes one: of a list the first that is one, true and false as text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from uncommon_im.schemas.mapping_fields import Path
from uncommon_im.transforms.rules.columns.coerce import Scalar
from uncommon_im.transforms.rules.columns.text import MISSING, UNMARKED, is_marker

Record = Mapping[str, object]
Row = dict[str, object]
"""Native columns with raw values, and `failed: True` for a connection that did not come about."""

_LONGEST_KEY: Final = 100
_MOST_KEYS: Final = 8192
_NO_VALUE: Final = MISSING - {"null"}  # a process may be called null


def has_all(data: Record, groups: tuple[tuple[Path, ...], ...]) -> bool:
    """True if of each group one path leads to a value; markers are none, but for `null`."""
    for paths in groups:
        for path in paths:
            value = data.get(path[0])
            if value is None or (len(path) > 1 and (value := lookup(value, path[1:])) is None):
                continue
            scalar = value if type(value) is str else scalar_of(value)
            if scalar is not None and is_value(scalar):
                break
        else:
            return False
    return True


def is_value(scalar: Scalar) -> bool:
    """True for all but markers; `null` is a value, for a process may be called so."""
    if type(scalar) is not str or scalar[:1] in UNMARKED:
        return True
    return not (is_marker(scalar) and scalar.strip().lower() in _NO_VALUE)


def key_text(record: Record, paths: Iterable[Path]) -> str:
    """The first value of the paths as text of a key; empty if there is none."""
    for path in paths:
        value = record.get(path[0])
        if value is None or (len(path) > 1 and (value := lookup(value, path[1:])) is None):
            continue
        if type(value) is list and value and type(value[0]) is str:
            value = value[0]
        elif type(value) is not str:
            value = scalar_of(value)
        text = _known_keys.get(value) if type(value) is str else None
        if text is None:
            text = folded_key(value)
        if text:
            return text
    return ""


_known_keys: Final[dict[str, str]] = {}
"""Texts of keys that were folded before: looked up without a call, for it happens several times a record."""


def folded_key(scalar: Scalar) -> str:
    """A value as text of a key: trimmed, in lower case, `3.0` as `3`; empty if it is none or a marker."""
    if type(scalar) is str and len(scalar) > _LONGEST_KEY:
        scalar = f"{scalar.strip()[:_LONGEST_KEY]}..."
    text = "" if scalar is None else str(scalar).strip().lower().removesuffix(".0")
    text = "" if text in MISSING else text
    if type(scalar) is str and len(_known_keys) < _MOST_KEYS:
        _known_keys[scalar] = text
    return text


def lookup(value: object, path: Path) -> object:
    """What is at the end of a path down from a value, `None` if there is nothing; a list of objects is its first."""
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            value = value[0].get(key)
        else:
            return None
    return value


def scalar_of(value: object) -> Scalar:
    """A value as text, number or `None`; of a list its first such value (lists in lists are not followed).

    What is no finite number is no value: in vendor records an odd value costs its column only.
    """
    if isinstance(value, list):
        for item in value:
            if isinstance(item, (str, int, float)):
                value = item
                break
        else:
            return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int)) else None
