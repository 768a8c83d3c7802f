"""Native events in Parquet: row group by row group, column by column, only what is asked for."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from schemas.event import EVENT_COLUMNS
from transforms.rules.coerce import is_text, serves
from transforms.rules.dead_letter import DeadLetter

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
    return int(_open(path).metadata.num_row_groups)


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

    def column(self, name: str) -> pa.ChunkedArray | None:
        """A column as the file holds it; `None` if the file has none of that name."""
        if name not in self._names:
            return None
        if name not in self._read:
            wanted = [n for n in ALWAYS_NEEDED if n in self._names] if name in ALWAYS_NEEDED else [name]
            table = _open(self.path).read_row_group(self.number, columns=wanted, use_threads=True)
            self._read.update(zip(table.column_names, table.columns, strict=True))
        return self._read[name]

    def doubtful(self) -> Iterable[str]:
        """Columns whose type may hold values that make a record malformed."""
        schema = _open(self.path).schema_arrow
        doubtful = [n for n in self._names if n != "event_time" and not serves(n, schema.field(n).type)]
        return doubtful

    def unfit(self) -> dict[int, str]:
        """Nothing: columns are typed."""
        return {}

    def lost(self) -> list[DeadLetter]:
        """Nothing: every row of a row group can be read."""
        return []

    def dead_letter(self, row: int, reason: str, detail: str) -> DeadLetter:
        """The dead letter of a row, with the row as a native JSON line."""
        raw = {name: self._plain(name, row) for name in EVENT_COLUMNS if name in self._names}
        text = json.dumps({k: v for k, v in raw.items() if v is not None}, ensure_ascii=False, default=_json_value)
        return DeadLetter(reason, detail, self.path, self._first_row + row + 1, text)

    def _plain(self, name: str, row: int) -> Any:
        column = self.column(name)
        assert column is not None
        value = column[row]
        if pa.types.is_timestamp(column.type) and value.is_valid:
            return _timestamp_text(value)
        return value.as_py()

    @functools.cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(_open(self.path).schema_arrow.names) & frozenset(EVENT_COLUMNS)

    @functools.cached_property
    def _read(self) -> dict[str, pa.ChunkedArray]:
        return {}

    @functools.cached_property
    def _first_row(self) -> int:
        metadata = _open(self.path).metadata
        return sum(int(metadata.row_group(number).num_rows) for number in range(self.number))


def read_row_groups(path: str, numbers: Iterable[int]) -> Iterator[RowGroup]:
    """The row groups of a file as batches."""
    for number in numbers:
        yield RowGroup(path, number)


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


def _timestamp_text(value: pa.TimestampScalar) -> Any:
    """A timestamp as RFC 3339 text where Python can write it, else its number."""
    try:
        moment = value.cast(pa.timestamp("us", tz="UTC"), safe=False).as_py()
    except (pa.ArrowInvalid, OverflowError, ValueError):
        return value.value
    return moment.isoformat()


def _json_value(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
