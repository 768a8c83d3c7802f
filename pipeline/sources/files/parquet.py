"""Native events in Parquet: row group by row group, column by column, only what is asked for."""

from __future__ import annotations

import functools
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from uncommon_im.pipeline.storage.bad_files import FAIL, BadFilePolicy
from uncommon_im.pipeline.storage.opening import is_remote, open_binary
from uncommon_im.schemas.event import ALWAYS_NEEDED, EVENT_COLUMNS
from uncommon_im.transforms.rules.columns.coerce import is_text, serves
from uncommon_im.transforms.rules.columns.column import Longs, one_chunk
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.normalise import Rejection

MAX_COLUMN_BYTES: Final = 1 << 30
"""What one column of a row group may become when it is decompressed; files that claim more are refused."""
MAX_ROWS: Final = 1 << 23
"""Records that a row group may have: it is read at once, about 100 bytes a record, however few the file takes."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def row_groups(path: str) -> int:
    """Row groups of a Parquet file.

    Raises:
        ValueError: it is none, a row group would not fit into memory, or a column is there twice.
        OSError: it cannot be read.
    """
    for name, times in Counter(_open(path).schema_arrow.names).items():
        if times > 1 and name in EVENT_COLUMNS:
            raise ValueError(f"it has {times} columns {name}: which of them counts?")
    metadata = _open(path).metadata
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        if not 0 <= group.num_rows <= MAX_ROWS:
            raise ValueError(
                f"row group {number} claims {group.num_rows:,} records, more than {MAX_ROWS:,}: "
                "write it with smaller row groups"
            )
        size = _largest_column(group)
        if size > MAX_COLUMN_BYTES:
            raise ValueError(
                f"a column of row group {number} would take {size:,} bytes, more than {MAX_COLUMN_BYTES:,}: "
                "write it with smaller row groups"
            )
    return int(metadata.num_row_groups)


def _largest_column(group: Any) -> int:
    """Bytes that the largest column of a row group would take, or at least as many.

    Columns are looked at only if their sum is too large: damage in what the footer says of a column makes Arrow end
    the process there, not so where it reads the column.
    """
    total = int(group.total_byte_size)
    if 0 <= total <= MAX_COLUMN_BYTES:
        return total
    return max((group.column(i).total_uncompressed_size for i in range(group.num_columns)), default=0)


@dataclass
class RowGroup:
    """One row group as a batch of records. Columns are read when they are asked for; pickled, it is a reference.

    Args:
        path: the file.
        number: which row group, from 0.
        policy: what to do when it cannot be read.
    """

    path: str
    number: int
    policy: BadFilePolicy = FAIL

    def __reduce__(self) -> tuple[type[RowGroup], tuple[str, int, BadFilePolicy]]:
        return RowGroup, (self.path, self.number, self.policy)

    @functools.cached_property
    def num_rows(self) -> int:
        """Records of the row group."""
        return int(_open(self.path).metadata.row_group(self.number).num_rows)

    def column(self, name: str) -> pa.Array | None:
        """A column as the file holds it; `None` if the file has none of that name."""
        if name not in self._names:
            return None
        if name not in self._read:
            wanted = [n for n in ALWAYS_NEEDED if n in self._names] if name in ALWAYS_NEEDED else [name]
            try:
                table = _open(self.path).read_row_group(self.number, columns=wanted)
                read = {n: _sound(table.column(n), self.num_rows) for n in wanted}
            except (pa.ArrowException, OSError, ValueError) as error:
                self.policy.lose(self.path, self._first_row + 1, str(error))
            self._read.update(read)
        return self._read[name]

    def column_at(self, name: str, rows: Longs) -> pa.Array | None:
        """A column at some rows; the whole is read."""
        column = self.column(name)
        if column is None:
            return None
        if pa.types.is_nested(column.type):  # not every kind of these can be cut into rows, and none has a value for us
            return pa.nulls(len(rows))
        return column.take(pa.array(rows))

    def doubtful(self) -> Iterable[str]:
        """Columns whose type may hold values that make a record malformed."""
        schema = _open(self.path).schema_arrow
        return [n for n in self._names if n != "event_time" and not serves(n, schema.field(n).type)]

    def unfit(self) -> dict[int, str]:
        """Nothing: columns are typed."""
        return {}

    def lost(self) -> list[DeadLetter]:
        """Nothing: every row of a row group can be read."""
        return []

    def dead_letters(self, rejections: Sequence[Rejection]) -> list[DeadLetter]:
        """The dead letters of rows, each row as a native JSON line."""
        lines = native_lines(self.column, [rejection.row for rejection in rejections])
        return [
            DeadLetter(r.reason, r.detail, self.path, self._first_row + r.row + 1, line)
            for r, line in zip(rejections, lines, strict=True)
        ]

    def other(self, name: str) -> pa.ChunkedArray:
        """A column that is none of an event's.

        Raises:
            KeyError: the file has none of that name.
        """
        if name not in _open(self.path).schema_arrow.names:
            raise KeyError(name)
        return _open(self.path).read_row_group(self.number, columns=[name]).column(0)

    @property
    def first_record(self) -> int:
        """The number of the first row in its file, from 1."""
        return self._first_row + 1

    @functools.cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(_open(self.path).schema_arrow.names) & frozenset(EVENT_COLUMNS)

    @functools.cached_property
    def _read(self) -> dict[str, pa.Array]:
        return {}

    @functools.cached_property
    def _first_row(self) -> int:
        metadata = _open(self.path).metadata
        return sum(int(metadata.row_group(number).num_rows) for number in range(self.number))


def native_lines(column: Callable[[str], pa.Array | None], rows: list[int]) -> list[str]:
    """Some rows as native JSON lines.

    Args:
        column: gives a column by its name, `None` if there is none.
        rows: their numbers.
    """
    if not rows:
        return []
    read = {name: column(name) for name in EVENT_COLUMNS}
    columns = {name: _plain(values, rows) for name, values in read.items() if values is not None}
    return [_json_line(columns, index) for index in range(len(rows))]


@functools.lru_cache(4)
def _open(path: str) -> pq.ParquetFile:
    """A Parquet file, text columns to be read as dictionaries. The last few stay open."""
    schema = pq.read_schema(open_binary(path) if is_remote(path) else path)
    names = [f.name for f in schema if EVENT_COLUMNS.get(f.name) == "text" and is_text(f.type)]
    if is_remote(path):
        return pq.ParquetFile(open_binary(path), read_dictionary=names, pre_buffer=True)
    return pq.ParquetFile(path, read_dictionary=names)  # mapped, all of it would count as this process's memory


def _sound(column: pa.ChunkedArray, rows: int) -> pa.Array:
    """A column in one piece that every reader can rely on; bytes of text that are no UTF-8 are U+FFFD.

    Arrow takes lengths, dictionary codes and text as the file has them.

    Raises:
        pa.ArrowException: the file is damaged here.
        ValueError: it is.
    """
    array = one_chunk(column)
    if len(array) != rows:
        raise ValueError(f"a column has {len(array):,} values where {rows:,} records are announced")
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        if not is_text(array.type):
            raise
        array = _replaced(array)
        array.validate(full=True)
    if pa.types.is_string_view(array.type):  # Arrow cannot take rows of views
        return array.cast(pa.string())
    return array.cast(pa.binary()) if pa.types.is_binary_view(array.type) else array


def _replaced(array: pa.Array) -> pa.Array:
    """A text column with U+FFFD for bytes that are no UTF-8."""
    if pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(array.indices, _replaced(array.dictionary))
    held = array.cast(pa.large_binary()).to_pylist()
    return pa.array([value and value.decode("utf-8", "replace") for value in held], pa.string())


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
