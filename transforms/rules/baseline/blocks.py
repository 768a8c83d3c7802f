"""Tables as bytes, cut into shards: what crosses a shuffle is a few large blocks instead of many rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from uncommon_im.transforms.rules.baseline.tables import plain
from uncommon_im.transforms.rules.columns.column import Codes, one_chunk, run_starts, text_of
from uncommon_im.transforms.rules.columns.hashes import text_hash, text_hashes

Compression = Literal["zstd", "lz4"]
"""How blocks are made small: `lz4` takes a quarter of the time, and they take 1.7 times the bytes."""


def encode(table: pa.Table, compression: Compression = "zstd") -> bytes:
    """A table as a compressed Arrow IPC stream, text as plain strings, without columns that are empty."""
    table = plain(_filled(table))
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def decode(blocks: Iterable[bytes | pa.Buffer], schema: pa.Schema, names: Sequence[str] | None = None) -> pa.Table:
    """All rows of some blocks, of `schema`, in one chunk a column.

    Args:
        blocks: as `encode` makes them of tables of `schema`.
        schema: of all of them.
        names: only these columns are decompressed, in the schema's order.
    """
    wanted = schema if names is None else pa.schema([schema.field(name) for name in schema.names if name in names])
    tables = [_read(block, wanted) for block in blocks]
    return pa.concat_tables([wanted.empty_table(), *tables], promote_options="default").combine_chunks()


def _read(block: bytes | pa.Buffer, wanted: pa.Schema) -> pa.Table:
    """What a block has of some columns, and no other."""
    there = ipc.open_stream(block).schema.names
    fields = [there.index(name) for name in wanted.names if name in there]
    read = ipc.open_stream(block, options=ipc.IpcReadOptions(included_fields=fields)).read_all()
    if fields:
        return read
    return pa.table([pa.nulls(read.num_rows, field.type) for field in wanted], schema=wanted)  # no field means all


def _filled(table: pa.Table) -> pa.Table:
    """A table without columns that have no value; those of starts of processes have no destination, for example."""
    others = table.column_names[1:]  # one stays, which says how many rows there are
    empty = [name for name in others if table.column(name).null_count == table.num_rows]
    return table.drop_columns(empty) if empty else table


def host_shard(host: str, shards: int) -> int:
    """The shard of a host."""
    return text_hash(host) % shards


def host_shards(table: pa.Table, shards: int) -> Codes:
    """The shard of each row's `host`."""
    return _shards(table.column("host"), shards)


def subject_shards(table: pa.Table, shards: int) -> Codes:
    """The shard of each row's `subject`."""
    return _shards(table.column("subject"), shards)


def _shards(column: pa.ChunkedArray, shards: int) -> Codes:
    texts = text_of(column)
    return (text_hashes(texts.dictionary) % np.uint64(shards)).astype(np.int32)[texts.codes]


def cut(table: pa.Table, shard: Codes, compression: Compression = "zstd") -> Iterator[tuple[int, bytes]]:
    """(shard, block) for each shard that has rows."""
    if not table.num_rows:
        return
    order = np.argsort(shard, kind="stable")
    starts = run_starts(shard[order])
    table = _filled(table)
    # Arrow takes rows of columns in many chunks very slowly
    whole = pa.table([one_chunk(column) for column in table.columns], schema=table.schema).take(pa.array(order))
    for first, end in itertools.pairwise([*starts.tolist(), len(order)]):
        yield int(shard[order[first]]), encode(whole.slice(first, end - first), compression)
