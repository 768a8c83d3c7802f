"""Native events in Parquet: row group by row group, column by column, only what is asked for."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.sources.errors import FAIL, BadFilePolicy
from pipeline.sources.storage import is_remote, open_binary
from schemas.event import ALWAYS_NEEDED, EVENT_COLUMNS
from transforms.rules.coerce import is_text, serves
from transforms.rules.columns import Longs, one_chunk
from transforms.rules.dead_letter import DeadLetter
from transforms.rules.normalise import Rejection

MAX_COLUMN_BYTES: Final = 1 << 30
"""What one column of a row group may become when it is decompressed; files that claim more are refused."""


def row_groups(path: str) -> int:
    """Row groups of a Parquet file.

    Raises:
        ValueError: it is none, or a row group would not fit into memory.
        OSError: it cannot be read.
    """
    metadata = _open(path).metadata
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        size = max((group.column(i).total_uncompressed_size for i in range(group.num_columns)), default=0)
        if size > MAX_COLUMN_BYTES:
            raise ValueError(
                f"a column of row group {number} would take {size:,} bytes, more than {MAX_COLUMN_BYTES:,}: "
                "write it with smaller row groups"
            )
    return int(metadata.num_row_groups)


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
            except (pa.ArrowException, OSError, ValueError) as error:
                self.policy.lose(self.path, self._first_row + 1, str(error))
            self._read.update(zip(table.column_names, map(one_chunk, table.columns), strict=True))
        return self._read[name]

    def column_at(self, name: str, rows: Longs) -> pa.Array | None:
        """A column at some rows; the whole is read."""
        column = self.column(name)
        return None if column is None else column.take(pa.array(rows))

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
        if not rejections:
            return []
        rows = pa.array([rejection.row for rejection in rejections])
        read = {name: self.column(name) for name in EVENT_COLUMNS}
        columns = {name: _plain(column.take(rows)) for name, column in read.items() if column is not None}
        return [
            DeadLetter(r.reason, r.detail, self.path, self._first_row + r.row + 1, _json_line(columns, index))
            for index, r in enumerate(rejections)
        ]

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


@functools.lru_cache(4)
def _open(path: str) -> pq.ParquetFile:
    """A Parquet file, text columns to be read as dictionaries. The last few stay open."""
    schema = pq.read_schema(open_binary(path) if is_remote(path) else path)
    names = [f.name for f in schema if EVENT_COLUMNS.get(f.name) == "text" and is_text(f.type)]
    if is_remote(path):
        return pq.ParquetFile(open_binary(path), read_dictionary=names, pre_buffer=True)
    return pq.ParquetFile(path, read_dictionary=names, memory_map=True)


def _plain(column: pa.Array) -> list[Any]:
    """Values that JSON can write: times as RFC 3339 text where Python can write them, else as their number."""
    if not pa.types.is_timestamp(column.type):
        return column.to_pylist()
    zoned = column.cast(pa.timestamp(column.type.unit, tz="UTC"))
    try:
        return [moment and moment.isoformat() for moment in zoned.to_pylist()]
    except (OverflowError, ValueError):  # years that Python's calendar does not have
        return column.cast(pa.int64()).to_pylist()


def _json_line(columns: dict[str, list[Any]], index: int) -> str:
    given = {name: values[index] for name, values in columns.items() if values[index] is not None}
    return json.dumps(given, ensure_ascii=False, default=str)
