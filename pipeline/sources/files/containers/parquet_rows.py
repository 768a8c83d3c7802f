"""Rows of Parquet files with any columns as records: nested ones become objects and lists."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from uncommon_im.pipeline.sources.files.containers.gathering import Item
from uncommon_im.pipeline.sources.files.containers.values import json_line
from uncommon_im.transforms.rules.columns.coerce import is_text

BATCH_ROWS: Final = 1000
"""Rows that are Python objects at a time."""
MAX_BATCH_BYTES: Final = 1 << 28
"""What they may take as Arrow has them: a file may say the same long text a thousand times."""


def parquet_items(file: pq.ParquetFile, row_groups: range) -> Iterator[Item]:
    """The rows of some row groups.

    Raises:
        pa.ArrowException, OSError, ValueError: the file is damaged, or rows take too much memory.
    """
    for batch in file.iter_batches(BATCH_ROWS, row_groups=list(row_groups)):
        if batch.get_total_buffer_size() > MAX_BATCH_BYTES:
            raise ValueError(f"{batch.num_rows:,} rows take more than {MAX_BATCH_BYTES:,} bytes")
        batch.validate(full=False)
        yield from map(json_line, _rows(batch))


def open_rows(source: io.BufferedReader | io.BytesIO | str) -> pq.ParquetFile:
    """A file whose rows are read, text columns at the top as dictionaries."""
    schema = pq.read_schema(source)
    if not isinstance(source, str):
        source.seek(0)
    names = [field.name for field in schema if is_text(field.type)]
    return pq.ParquetFile(source, read_dictionary=names)


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows as Python has them; as text what it has no value for."""
    columns = []
    for column in batch.columns:
        try:
            columns.append(_values(_cast(column, False)))
        except (ValueError, OverflowError, pa.ArrowException):
            columns.append(_values(_cast(column, True)))
    names = batch.schema.names
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_dictionary(column.type):  # one object for each distinct value, however often it is there
        distinct = column.dictionary.to_pylist()
        return [None if index is None else distinct[index] for index in column.indices.to_pylist()]
    return list(column.to_pylist(maps_as_pydicts="lossy"))


def _cast(column: pa.Array, as_text: bool) -> pa.Array:
    wanted = _plain_type(column.type, as_text)
    return column if wanted == column.type else column.cast(wanted, safe=False)


def _plain_type(kind: Any, as_text: bool) -> Any:
    """The type that a column is read as: times in µs, or as text; text as bytes where it may be none."""
    if pa.types.is_timestamp(kind):
        return pa.string() if as_text else pa.timestamp("us", kind.tz and "UTC")
    if pa.types.is_time64(kind):
        return pa.time64("us")
    if pa.types.is_duration(kind):
        return pa.int64()
    if as_text and (pa.types.is_date(kind) or pa.types.is_decimal(kind)):
        return pa.string()
    if as_text and is_text(kind) and not pa.types.is_dictionary(kind):
        return pa.binary()
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _plain_type(kind.value_type, as_text))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain_type(field.type, as_text)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_plain_type(kind.key_type, as_text), _plain_type(kind.item_type, as_text))
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain_type(kind.value_type, as_text)))
    return kind
