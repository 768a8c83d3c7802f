"""Values of any type as the types of the event's columns (specification, section 2).

Numbers are text where text is expected, digits are numbers where a number is; what cannot be read so makes the record
malformed. A time that cannot be read is `UNREADABLE`, which no valid time equals.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from uncommon_im.schemas.event import ARROW_TYPES, EARLIEST_US, EVENT_COLUMNS, LATEST_US, ColumnKind
from uncommon_im.transforms.rules.columns.text import MISSING

Scalar = str | int | float | None
"""A single value of a record; `None` is none."""

UNREADABLE: Final = -1
"""Event time in µs of a text or number that is no time (before the earliest valid time, so `bad_timestamp`)."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$", re.ASCII)
_USUAL_TIME: Final = r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$"
"""Times of which Arrow makes just what `to_time` makes of them, many at once."""
_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def to_text(value: object) -> str | None:
    """A text value.

    Raises:
        ValueError: `value` is a list, an object, a truth value, or text that UTF-8 cannot write.
    """
    if value is None:
        return None
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise ValueError("is not UTF-8 text") from None
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise ValueError("holds half of a surrogate pair, which is no character")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"is {_kind_of(value)}, expected text")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"is {value}, expected text")
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def to_integer(value: object) -> int | None:
    """A whole number that 64 bits hold; digits in text count, markers of missing values are `None`.

    Raises:
        ValueError: `value` is anything else.
    """
    if value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in MISSING:
            return None
        if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 20:
            raise ValueError(f"is {text[:40]!r}, expected a whole number")
        value = int(text)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"is {_kind_of(value)}, expected a whole number")
    if not -(2**63) <= value < 2**63:
        raise ValueError("is too large a number for 64 bits")
    return value


def to_time(value: object) -> int | None:
    """An event time in µs since 1970 UTC from RFC 3339 text or epoch milliseconds; `UNREADABLE` if it is neither.

    Text without a zone is unreadable: it may be any clock's. Markers of missing values are `None`.

    >>> to_time("2026-01-01T00:00:00.5+01:00") == to_time(1767222000500)
    True
    """
    if value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if _RFC3339.match(text):
            return _parse_time(text)
        if text.lower() in MISSING:
            return None
        digits = text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20
        return to_time(int(text)) if digits else UNREADABLE
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (zoned - _EPOCH) // _MICROSECOND
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return UNREADABLE
    if isinstance(value, float) and not math.isfinite(value):
        return UNREADABLE
    micros = value * 1000
    return round(micros) if EARLIEST_US <= micros < LATEST_US else UNREADABLE


def _parse_time(text: str) -> int:
    try:
        return (datetime.fromisoformat(text.upper()) - _EPOCH) // _MICROSECOND
    except ValueError:
        return UNREADABLE


def to_flag(value: object) -> bool | None:
    """True or false, as such or in text; markers of missing values are `None`.

    Raises:
        ValueError: `value` is anything else.
    """
    if value is None or isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else ""
    if text in ("true", "false"):
        return text == "true"
    if isinstance(value, str) and text in MISSING:
        return None
    raise ValueError(f"is {_kind_of(value)}, expected true or false")


def _kind_of(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, bool):
        return "true or false"
    return f"{value!r}"[:60]


_SCALARS: Final[dict[ColumnKind, Callable[[object], Any]]] = {
    "text": to_text,
    "integer": to_integer,
    "time": to_time,
    "flag": to_flag,
}
_USUAL: Final[dict[ColumnKind, type]] = {"text": str, "integer": int, "time": int, "flag": bool}
"""What most values are."""
_WORDS: Final = {"text": "text", "integer": "a whole number", "flag": "true or false"}


def coerce_values(name: str, values: Sequence[object]) -> tuple[pa.Array, dict[int, str]]:
    """One column of loose values.

    Returns:
        (string, int64 or timestamp array; row -> what is wrong, for rows that the column cannot hold).
    """
    kind = EVENT_COLUMNS[name]
    if set(map(type, values)) <= {_USUAL[kind], NoneType}:
        try:
            usual = pa.array(values, pa.int64() if kind == "time" else ARROW_TYPES[kind])
            return (_micros(usual, "ms").cast(ARROW_TYPES[kind]) if kind == "time" else usual), {}
        except (UnicodeEncodeError, OverflowError):
            pass  # half of a surrogate pair or a large number somewhere: found value by value below
    usual_times = _usual_times(values) if kind == "time" else None
    if usual_times is not None:
        return usual_times, {}
    scalar = _SCALARS[kind]
    fitting: list[Any] = []
    problems: dict[int, str] = {}
    for row, value in enumerate(values):
        try:
            fitting.append(scalar(value))
        except ValueError as error:
            fitting.append(None)
            problems[row] = f"{name} {error}"
    return pa.array(fitting, ARROW_TYPES[kind]), problems


def coerce_column(name: str, values: Sequence[object]) -> tuple[pa.Array | None, dict[int, str]]:
    """As `coerce_values`, but `None` for a column without a value."""
    return (None, {}) if values.count(None) == len(values) else coerce_values(name, values)


def _usual_times(values: Sequence[object]) -> pa.Array | None:
    """Times that are all written as most are; `None` if one of them is not, or is no time."""
    if not set(map(type, values)) <= {str, NoneType}:
        return None
    try:
        texts = pa.array(values, pa.string())
        if not pc.all(pc.match_substring_regex(texts, _USUAL_TIME), min_count=0).as_py():
            return None
        return _micros(texts.cast(pa.timestamp("ns", "UTC")), "ns").cast(ARROW_TYPES["time"])
    except (UnicodeEncodeError, pa.ArrowInvalid):
        return None


def coerce_array(name: str, array: pa.Array | pa.ChunkedArray) -> tuple[pa.Array | pa.ChunkedArray, dict[int, str]]:
    """One column of a typed file; as `coerce_values`, as it is where its type serves already, times as int64 µs."""
    kind, stored = EVENT_COLUMNS[name], array.type
    if kind == "text" and is_text(stored):
        return array, {}
    if kind == "integer" and pt.is_integer(stored) and not pt.is_uint64(stored):
        return array, {}
    if kind == "flag" and pt.is_boolean(stored):
        return array, {}
    if kind == "time" and pt.is_timestamp(stored):
        return _micros(array, stored.unit), {}
    if kind == "time" and pt.is_integer(stored) and not pt.is_uint64(stored):
        return _micros(array, "ms"), {}
    strange = _strange(stored)
    if strange and kind == "time":
        return pa.array(np.full(len(array), UNREADABLE), mask=array.is_null().to_numpy(zero_copy_only=False)), {}
    if strange:
        rows = np.flatnonzero(array.is_valid().to_numpy(zero_copy_only=False)).tolist()
        return pa.nulls(len(array), ARROW_TYPES[kind]), dict.fromkeys(
            rows, f"{name} is {strange}, expected {_WORDS[kind]}"
        )
    fitting, problems = coerce_values(name, array.to_pylist())
    return (_micros(fitting, "us") if kind == "time" else fitting), problems


def serves(name: str, stored: pa.DataType) -> bool:
    """True if no value of this type can make a record malformed, so that the column need not be read to know."""
    kind = EVENT_COLUMNS[name]
    if kind == "text":
        return is_text(stored)
    if kind == "flag":
        return bool(pt.is_boolean(stored))
    return kind == "integer" and pt.is_integer(stored) and not pt.is_uint64(stored)


def is_text(stored: pa.DataType) -> bool:
    """True for strings, dictionary-encoded or not."""
    value = stored.value_type if pt.is_dictionary(stored) else stored
    return bool(pt.is_string(value) or pt.is_large_string(value) or pt.is_string_view(value))


def _strange(stored: pa.DataType) -> str | None:
    """What values of a type are that neither text nor numbers can be made of.

    They are never read: Python has no value for some of them, such as nanoseconds and far years.
    """
    if pt.is_dictionary(stored):
        return _strange(stored.value_type)
    if isinstance(stored, pa.BaseExtensionType):
        return _strange(stored.storage_type)
    if pt.is_struct(stored):
        return "an object"
    if pt.is_nested(stored):
        return "a list"
    return "a time" if pt.is_temporal(stored) else None


def _micros(array: pa.Array | pa.ChunkedArray, unit: str) -> pa.Array:
    """Timestamps of any unit as int64 µs; what lies outside the valid range becomes `UNREADABLE`."""
    plain = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if unit == "us" and len(plain) and not plain.null_count:
        micros = plain.cast(pa.int64())
        lowest, highest = pc.min_max(micros).as_py().values()
        if lowest >= EARLIEST_US and highest < LATEST_US:
            return micros
    mask = plain.is_null().to_numpy(zero_copy_only=False)
    values = plain.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    scale = _PER_SECOND[unit]
    second = values // scale
    valid = (second >= EARLIEST_US // 1_000_000) & (second < LATEST_US // 1_000_000)
    micros = values // 1_000 if unit == "ns" else np.where(valid, values, 0) * (1_000_000 // scale)
    return pa.array(np.where(valid, micros, UNREADABLE), mask=mask)
