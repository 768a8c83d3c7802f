"""JSON lines to rows of native columns.

The format is decided a record, by the record alone, so that the order of lines and the split into files change
nothing: native if it has both `event_time` and `host_id`; else the first mapping that recognises it; else native.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from schemas.event import EVENT_COLUMNS, FAILED
from schemas.mapping import VendorMapping
from transforms.rules.adapt import Adapted, Adapter, Rejected, Row, adapter

AUTO: Final = "auto"
NATIVE: Final = "native"

_DECODE: Final[Callable[[bytes], Any]] = msgspec.json.Decoder().decode
_BOM: Final = b"\xef\xbb\xbf"
_NAMES: Final = {
    list: "list",
    str: "string",
    bool: "truth value",
    int: "number",
    float: "number",
    type(None): "null",
}
_REASONS: Final = frozenset(("malformed", "not_endpoint", "bad_timestamp", "future_timestamp"))
_MISSING_FIELDS: Final = frozenset(f"missing_field:{name}" for name in EVENT_COLUMNS)


@dataclass(frozen=True)
class DeadLine:
    """A line that is no row: its index among the lines, the dead letter's reason, and a sentence."""

    line_index: int
    reason: Literal["malformed", "not_endpoint"]
    detail: str


@dataclass(frozen=True)
class Decoded:
    """What lines hold: every line that is not blank is one row or one dead line, or several of a record of records.

    Attributes:
        rows: native columns with raw values; a native record keeps its unknown keys.
        rows_line: the index in `lines` of each row.
        dead: the other lines, in their order.
        lines: the lines; a dead letter that was read again is replaced by the record that it holds, so this is what
            belongs into `raw` of a new one.
    """

    rows: list[Row]
    rows_line: list[int]
    dead: list[DeadLine]
    lines: Sequence[bytes]


def decode_lines(
    lines: Sequence[bytes],
    format: str = AUTO,
    mappings: Sequence[VendorMapping] = (),
    keep_domain: bool = False,
) -> Decoded:
    """Decodes JSON lines; no line makes it fail.

    Args:
        lines: with or without their line ends.
        format: `auto`, `native` or the id of a mapping.
        mappings: those that `auto` may recognise, first to last (`schemas.mapping.load_mappings()`).
        keep_domain: `host_id` of vendors without agent ids is the whole computer name.

    Raises:
        ValueError: no such format.
    """
    read = _reader(format, mappings, keep_domain)
    rows: list[Row] = []
    rows_line: list[int] = []
    dead: list[DeadLine] = []
    held: dict[int, bytes] = {}
    for index, line in enumerate(lines):
        if not line or line.isspace():
            continue
        record = _decode(line)
        if isinstance(record, dict) and "raw" in record and (raw := _held(record)) is not None:
            held[index] = raw
            record = _decode(raw)
        found = read(record) if isinstance(record, dict) else record
        for row in found if isinstance(found, list) else (found,):
            if isinstance(row, Rejected):
                dead.append(DeadLine(index, row.reason, row.detail))
            else:
                rows.append(row)
                rows_line.append(index)
    kept = [held.get(index, line) for index, line in enumerate(lines)] if held else lines
    return Decoded(rows, rows_line, dead, kept)


def formats(mappings: Sequence[VendorMapping]) -> list[str]:
    """Names of formats that `decode_lines` takes."""
    return [AUTO, NATIVE, *(mapping.id for mapping in mappings)]


def _reader(format: str, mappings: Sequence[VendorMapping], keep_domain: bool) -> Callable[[Row], Adapted]:
    if format == NATIVE:
        return _native
    if format == AUTO:
        adapters = [adapter(mapping, keep_domain) for mapping in mappings]
        return lambda record: _recognise(record, adapters)
    for mapping in mappings:
        if mapping.id == format:
            return adapter(mapping, keep_domain).adapt
    raise ValueError(f"unknown format {format!r}: expected one of {', '.join(formats(mappings))}")


def _recognise(record: Row, adapters: Sequence[Adapter]) -> Adapted:
    if "event_time" not in record or "host_id" not in record:
        for candidate in adapters:
            row = candidate.recognise(record)
            if row is not None:
                return row
    return _native(record)


def _native(record: Row) -> Row:
    """The record itself; `failed` is set by mappings only."""
    record.pop(FAILED, None)
    return record


def _held(record: Row) -> bytes | None:
    """The line that one of our own dead letters (`reason`, `raw`, `source`) holds; `None` if it is none of them."""
    reason, raw = record.get("reason"), record["raw"]
    if not isinstance(reason, str) or not (reason in _REASONS or reason in _MISSING_FIELDS):
        return None
    return raw.encode() if isinstance(raw, str) and "source" in record and "host_id" not in record else None


def _decode(line: bytes) -> Row | Rejected:
    """The object on a line, or what the line is instead."""
    try:
        value = _DECODE(line)
    except UnicodeDecodeError:
        return Rejected("malformed", "invalid JSON: not UTF-8 text")
    except RecursionError:
        return Rejected("malformed", "invalid JSON: nested too deeply")
    except msgspec.MsgspecError as error:
        if line.startswith(_BOM):
            return _decode(line[len(_BOM) :])
        return Rejected("malformed", f"invalid JSON: {_problem(error)}")
    if isinstance(value, dict):
        return value
    return Rejected("malformed", f"line is a JSON {_NAMES[type(value)]}, expected an object")


def _problem(error: msgspec.MsgspecError) -> str:
    """msgspec's message in our words: `invalid character at byte 17`."""
    text = str(error).removeprefix("JSON is malformed: ").partition(" - at `")[0]
    if text.endswith(")") and " (byte " in text:
        text = text[:-1].replace(" (byte ", " at byte ")
    return text[:1].lower() + text[1:]
