"""Blocks of arrivals: some records with when they arrived and where they came from, as an Arrow stream.

A block holds either lines of JSON in any format, or rows of native columns as a Parquet file holds them, or the dead
letters of what could not even be cut into these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from uncommon_im.pipeline.sources.files.json_lines import JsonOptions, LineBatch, Lines, batch_of_lost, batches_of
from uncommon_im.pipeline.sources.files.native_rows import NativeRows
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.raw_batch import RawBatch

ARRIVAL: Final = "_arrival"
SOURCE: Final = "_source"
NUMBER: Final = "_number"
LINE: Final = "_line"
LETTER: Final = ("reason", "detail", "raw")
"""Columns of a block of dead letters beside `PLACE`."""
PLACE: Final = (ARRIVAL, SOURCE, NUMBER)
"""Columns of every block: µs since 1970, the file or message a record came from, its number there from 1."""


def write_block(table: pa.Table) -> bytes:
    """A table with `PLACE` columns, and `LINE`, `LETTER` or native columns, as a block."""
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def compact(table: pa.Table) -> pa.Table:
    """A table whose dictionaries hold no value that it has not: they are those of whole files otherwise."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            plain = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, plain.combine_chunks().dictionary_encode())
    return table


def by_schema(tables: Iterable[pa.Table]) -> list[pa.Table]:
    """Tables of one schema as one."""
    same: defaultdict[pa.Schema, list[pa.Table]] = defaultdict(list)
    for table in tables:
        same[table.schema].append(table)
    return [pa.concat_tables(group).unify_dictionaries().combine_chunks() for group in same.values()]


def block_of_lines(lines: Sequence[bytes], arrivals: Sequence[int], source: str, first: int = 1) -> bytes:
    """Lines of one source that arrived at given times (µs) as a block."""
    return block_of_places(lines, arrivals, [source] * len(lines), range(first, first + len(lines)))


def block_of_places(
    lines: Sequence[bytes], arrivals: Sequence[int], sources: Sequence[str], numbers: Iterable[int]
) -> bytes:
    """Lines with when each arrived (µs), its source and its number there as a block."""
    return write_block(pa.table(_place(arrivals, sources, numbers) | {LINE: pa.array(lines, pa.binary())}))


def block_of_lost(letters: Sequence[DeadLetter], arrival: int) -> bytes:
    """Dead letters of a source that arrived at one time (µs) as a block."""
    places = _place([arrival] * len(letters), [each.source for each in letters], [each.record for each in letters])
    texts = {name: pa.array([getattr(each, name) for each in letters], pa.string()) for name in LETTER}
    return write_block(pa.table(places | texts))


def _place(arrivals: Sequence[int], sources: Sequence[str], numbers: Iterable[int]) -> dict[str, pa.Array]:
    return {
        ARRIVAL: pa.array(arrivals, pa.int64()),
        SOURCE: pa.array(sources, pa.string()).dictionary_encode(),
        NUMBER: pa.array(numbers, pa.int64()),
    }


@dataclass(frozen=True)
class OpenArrivals:
    """Reads blocks of arrivals.

    Args:
        options: the format of lines, and how host ids that are computer names are read.
    """

    options: JsonOptions

    def __call__(self, block: bytes) -> Iterator[tuple[RawBatch, Longs]]:
        """The records of a block in batches, and when each of a batch arrived (µs since 1970)."""
        return self.together([block])

    def together(self, blocks: Iterable[bytes]) -> Iterator[tuple[RawBatch, Longs]]:
        """The same of several blocks, in as few batches as there can be."""
        for table in by_schema(ipc.open_stream(block).read_all() for block in blocks):
            yield from self._batches(table)

    def _batches(self, table: pa.Table) -> Iterator[tuple[RawBatch, Longs]]:
        arrival = table.column(ARRIVAL).to_numpy()
        if LETTER[0] in table.column_names:
            yield batch_of_lost(_letters(table)), np.zeros(0, np.int64)
        elif LINE not in table.column_names:
            yield ArrivalRows(table.combine_chunks()), arrival
        else:
            places = table.select([SOURCE, NUMBER]).combine_chunks()
            lines = Lines(table.column(LINE).to_pylist(), "", np.arange(table.num_rows))  # their numbers in the block
            for batch in batches_of(lines, self.options):
                yield ArrivalLines(batch, places), arrival[np.array(batch.rows, np.int64)]


def _letters(table: pa.Table) -> list[DeadLetter]:
    columns = [table.column(name).to_pylist() for name in ("reason", "detail", SOURCE, NUMBER, "raw")]
    return [DeadLetter(*values) for values in zip(*columns, strict=True)]


@dataclass(frozen=True, eq=False)
class ArrivalLines(RawBatch):
    """Lines of one or more sources as a batch of records."""

    lines: LineBatch
    places: pa.Table

    @property
    def num_rows(self) -> int:
        """Records of the batch."""
        return self.lines.num_rows

    def column(self, name: str) -> pa.Array | None:
        """A column as the lines held it; `None` if no line had one of that name."""
        return self.lines.column(name)

    def column_at(self, name: str, rows: Longs) -> pa.Array | None:
        """A column at some rows."""
        return self.lines.column_at(name, rows)

    def malformed(self) -> dict[int, str]:
        """Rows with a value that its column cannot hold."""
        return self.lines.malformed()

    def lost(self) -> list[DeadLetter]:
        """Lines that are no record, or no record of an endpoint."""
        return [self._placed(letter) for letter in self.lines.lost()]

    def dead_letters(self, rejections: Sequence[Rejection]) -> list[DeadLetter]:
        """The dead letters of rows: their lines as they were read."""
        return [self._placed(letter) for letter in self.lines.dead_letters(rejections)]

    def _placed(self, letter: DeadLetter) -> DeadLetter:
        """A dead letter whose `record` is an index of the block, with the place that the line came from."""
        source, number = (self.places.column(name)[letter.record].as_py() for name in (SOURCE, NUMBER))
        return replace(letter, source=source, record=number)


class ArrivalRows(NativeRows):
    """Rows of native columns as a batch of records, each with its place."""

    def place(self, row: int) -> tuple[str, int]:
        """(source, number there from 1) of a row."""
        source, number = (self.table.column(name)[row].as_py() for name in (SOURCE, NUMBER))
        return source, number
