"""Rows of native columns as batches of records."""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.transforms.rules.columns.coerce import serves
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.raw_batch import RawBatch

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class NativeBatch(RawBatch):
    """Records that are rows of typed native columns."""

    @property
    @abstractmethod
    def schema(self) -> pa.Schema:
        """Columns of the source, native or not."""

    @abstractmethod
    def place(self, row: int) -> tuple[str, int]:
        """(source, number there from 1) of a row."""

    def doubtful(self) -> list[str]:
        """Columns whose type may hold values that make a record malformed."""
        native = [field for field in self.schema if field.name in EVENT_COLUMNS and field.name != "event_time"]
        return [field.name for field in native if not serves(field.name, field.type)]

    def dead_letters(self, rejections: Sequence[Rejection]) -> list[DeadLetter]:
        """The dead letters of rows, each row as a native JSON line."""
        lines = _native_lines(self, [rejection.row for rejection in rejections])
        return [
            DeadLetter(r.reason, r.detail, *self.place(r.row), line) for r, line in zip(rejections, lines, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class NativeRows(NativeBatch):
    """Rows that are in memory; a kind of source says in `place` where each came from.

    Args:
        table: native columns, and perhaps others; each in one chunk at most.
    """

    table: pa.Table

    @property
    def num_rows(self) -> int:
        """Records of the batch."""
        return int(self.table.num_rows)

    @property
    def schema(self) -> pa.Schema:
        """Columns of the table."""
        return self.table.schema

    def column(self, name: str) -> pa.Array | None:
        """A column as its source held it; `None` if it held none of that name."""
        if name not in EVENT_COLUMNS or name not in self.table.column_names:
            return None
        chunked = self.table.column(name)
        return chunked.chunk(0) if chunked.num_chunks == 1 else pa.array([], chunked.type)


def _native_lines(batch: RawBatch, rows: list[int]) -> list[str]:
    """Some rows as native JSON lines."""
    if not rows:
        return []
    read = {name: batch.column(name) for name in EVENT_COLUMNS}
    columns = {name: _plain(values, rows) for name, values in read.items() if values is not None}
    return [_json_line(columns, index) for index in range(len(rows))]


def _plain(column: pa.Array, rows: list[int]) -> list[Any]:
    """Values that JSON can write: times as RFC 3339 text where Python can write them, else as their number."""
    if pa.types.is_timestamp(column.type):
        return [_moment(value, column.type.unit) for value in column.cast(pa.int64()).take(pa.array(rows)).to_pylist()]
    return [_plain_value(column, row) for row in rows]


def _moment(value: int | None, unit: str) -> str | int | None:
    if value is None:
        return None
    try:
        return (_EPOCH + timedelta(microseconds=value * 1_000_000 // _PER_SECOND[unit])).isoformat()
    except OverflowError:  # years that Python's calendar does not have
        return value


def _plain_value(column: pa.Array, row: int) -> Any:
    try:
        value = column[row].as_py()
    except (ValueError, OverflowError):  # a value that Python has none for; Arrow can write all of its own
        return column.slice(row, 1).to_string(skip_new_lines=True)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _json_line(columns: dict[str, list[Any]], index: int) -> str:
    given = {name: values[index] for name, values in columns.items() if values[index] is not None}
    return json.dumps(given, ensure_ascii=False, default=str)
