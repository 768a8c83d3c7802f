"""Native events in Parquet: row group by row group, column by column, only what is asked for."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline.sources.errors import UnreadableInput
from schemas.event import EVENT_COLUMNS
from transforms.rules.coerce import is_text, serves
from transforms.rules.dead_letter import DeadLetter
from transforms.rules.normalise import Rejection

Result = TypeVar("Result")

ALWAYS_NEEDED: Final = (
    "event_type",
    "event_time",
    "tenant_id",
    "host_id",
    "process_name",
    "causality_process_name",
    "remote_host",
    "remote_ip",
    "direction",
)
"""Columns that decide whether a row is an event, a communication or an execution: read together, for every row."""


def row_groups(path: str) -> int:
    """Row groups of a Parquet file."""
    return _readable(path, lambda file: int(file.metadata.num_row_groups))


@dataclass
class RowGroup:
    """One row group as a batch of records. Columns are read when they are asked for; pickled, it is a reference.

    Args:
        path: the file.
        number: which row group, from 0.
    """

    path: str
    number: int

    def __reduce__(self) -> tuple[type[RowGroup], tuple[str, int]]:
        return RowGroup, (self.path, self.number)

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
            table = _readable(self.path, lambda file: file.read_row_group(self.number, columns=wanted))
            self._read.update(zip(table.column_names, map(_one_chunk, table.columns), strict=True))
        return self._read[name]

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


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.unify_dictionaries().combine_chunks()


def read_row_groups(path: str, numbers: Iterable[int]) -> Iterator[RowGroup]:
    """The row groups of a file as batches."""
    for number in numbers:
        yield RowGroup(path, number)


def _readable(path: str, read: Callable[[pq.ParquetFile], Result]) -> Result:
    """What `read` takes from a file.

    Raises:
        UnreadableInput: the file is no Parquet file, or cut, or its storage fails; names it.
    """
    try:
        return read(_open(path))
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise UnreadableInput(f"{path}: cannot be read as Parquet: {reason}") from error


@functools.lru_cache(4)
def _open(path: str) -> pq.ParquetFile:
    """A Parquet file, text columns to be read as dictionaries. The last few stay open."""
    source = path if "://" not in path else FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    schema = pq.read_schema(source)
    names = [f.name for f in schema if EVENT_COLUMNS.get(f.name) == "text" and is_text(f.type)]
    if "://" in path:
        source = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
        return pq.ParquetFile(source, read_dictionary=names, pre_buffer=True)
    return pq.ParquetFile(source, read_dictionary=names, memory_map=True)


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
