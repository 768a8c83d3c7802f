"""Records as lines of JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from uncommon_im.transforms.rules.columns.rejection import Rejection

Row = dict[str, object]

_DECODE: Final[Callable[[bytes], Any]] = msgspec.json.Decoder(float_hook=float).decode
_BOM: Final = b"\xef\xbb\xbf"
_UNREAD: Final = (UnicodeDecodeError, RecursionError, msgspec.MsgspecError)
_MOST_DIGITS: Final = 4000
"""Python refuses to turn more digits than about this into a whole number."""
_NAMES: Final = {
    list: "list",
    str: "string",
    bool: "truth value",
    int: "number",
    float: "number",
    type(None): "null",
}


def parse_line(line: bytes) -> Row | Rejection:
    """The object on a line, or what the line is instead; of duplicate keys the last one counts.

    Whatever is JSON is read: numbers that no float holds are infinite, for their column to refuse them.
    """
    try:
        value = _DECODE(line)
    except _UNREAD:
        value = parse_value(line)
    if isinstance(value, (dict, Rejection)):
        return value
    return Rejection("malformed", f"line is a JSON {_NAMES[type(value)]}, expected an object")


def parse_value(line: bytes) -> Any | Rejection:
    """The JSON value on a line, or why there is none; of duplicate keys the last one counts."""
    try:
        return _DECODE(line)
    except UnicodeDecodeError:
        return Rejection("malformed", "invalid JSON: not UTF-8 text")
    except RecursionError:
        return Rejection("malformed", "invalid JSON: nested too deeply")
    except msgspec.ValidationError:
        return _with_huge_numbers(line)
    except msgspec.MsgspecError as error:
        if line.startswith(_BOM):
            return parse_value(line[len(_BOM) :])
        return Rejection("malformed", f"invalid JSON: {_problem(error)}")


def to_json(row: Mapping[str, Any]) -> str:
    """A row as one JSON line."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _with_huge_numbers(line: bytes) -> Any | Rejection:
    """A line with a whole number of thousands of digits."""
    try:
        return json.loads(line, parse_int=_whole_number, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return Rejection("malformed", f"invalid JSON: {str(error)[:100].lower()}")


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) < _MOST_DIGITS else float(digits)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


def _problem(error: msgspec.MsgspecError) -> str:
    """msgspec's message in our words: `invalid character at byte 17`."""
    text = str(error).removeprefix("JSON is malformed: ").partition(" - at `")[0]
    if text.endswith(")") and " (byte " in text:
        text = text[:-1].replace(" (byte ", " at byte ")
    return text[:1].lower() + text[1:]
