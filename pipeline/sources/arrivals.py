"""Blocks of arrivals: some records with when they arrived and where they came from, as an Arrow stream.

A block holds either lines of JSON in any format, or rows of native columns as a Parquet file holds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from pipeline.sources.json_lines import JsonOptions, LineBatch, batch_of
from pipeline.sources.parquet import native_lines
from schemas.event import EVENT_COLUMNS
from schemas.mapping import load_mappings
from transforms.rules.coerce import serves
from transforms.rules.columns import Longs
from transforms.rules.dead_letter import DeadLetter
from transforms.rules.decode import decode_lines
from transforms.rules.normalise import RawBatch, Rejection

ARRIVAL: Final = "_arrival"
SOURCE: Final = "_source"
NUMBER: Final = "_number"
LINE: Final = "_line"
PLACE: Final = (ARRIVAL, SOURCE, NUMBER)
"""Columns of every block: µs since 1970, the file or message a record came from, its number there from 1."""


def write_block(table: pa.Table) -> bytes:
    """A table with `PLACE` columns, and `LINE` or native columns, as a block."""
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def block_of_lines(lines: Sequence[bytes], arrivals: Sequence[int], source: str, first: int = 1) -> bytes:
    """Lines of one source that arrived at given times (µs) as a block."""
    columns = {
        ARRIVAL: pa.array(arrivals, pa.int64()),
        SOURCE: pa.array([source] * len(lines)).dictionary_encode(),
        NUMBER: pa.array(range(first, first + len(lines)), pa.int64()),
        LINE: pa.array(lines, pa.binary()),
    }
    return write_block(pa.table(columns))


@dataclass(frozen=True)
class OpenArrivals:
    """Reads blocks of arrivals.

    Args:
        options: the format of lines, and how host ids that are computer names are read.
    """

    options: JsonOptions

    def __call__(self, block: bytes) -> tuple[RawBatch, Longs]:
        """The records of a block, and when each arrived (µs since 1970)."""
        table = ipc.open_stream(block).read_all()
        arrival = table.column(ARRIVAL).to_numpy()
        if LINE not in table.column_names:
            return ArrivedRows(table.combine_chunks()), arrival
        decoded = decode_lines(
            table.column(LINE).to_pylist(), self.options.format, load_mappings(), self.options.keep_domain
        )
        batch = batch_of(decoded, "", 0)
        places = table.select([SOURCE, NUMBER]).combine_chunks()
        return ArrivedLines(batch, places), arrival[np.array(batch.rows, np.int64)]


@dataclass(frozen=True, eq=False)
class ArrivedLines:
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

    def doubtful(self) -> Iterable[str]:
        """None: every value was looked at when the lines were read."""
        return self.lines.doubtful()

    def unfit(self) -> dict[int, str]:
        """Rows with a value that its column cannot hold."""
        return self.lines.unfit()

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


@dataclass(frozen=True, eq=False)
class ArrivedRows:
    """Rows of native columns as a batch of records."""

    table: pa.Table

    @property
    def num_rows(self) -> int:
        """Records of the batch."""
        return int(self.table.num_rows)

    def column(self, name: str) -> pa.Array | None:
        """A column as its file held it; `None` if it held none of that name."""
        if name not in EVENT_COLUMNS or name not in self.table.column_names:
            return None
        chunked = self.table.column(name)
        return chunked.chunk(0) if chunked.num_chunks == 1 else pa.array([], chunked.type)

    def column_at(self, name: str, rows: Longs) -> pa.Array | None:
        """A column at some rows."""
        column = self.column(name)
        return None if column is None else column.take(pa.array(rows))

    def doubtful(self) -> Iterable[str]:
        """Columns whose type may hold values that make a record malformed."""
        native = [field for field in self.table.schema if field.name in EVENT_COLUMNS]
        return [field.name for field in native if field.name != "event_time" and not serves(field.name, field.type)]

    def unfit(self) -> dict[int, str]:
        """Nothing: columns are typed."""
        return {}

    def lost(self) -> list[DeadLetter]:
        """Nothing: every row can be read."""
        return []

    def dead_letters(self, rejections: Sequence[Rejection]) -> list[DeadLetter]:
        """The dead letters of rows, each row as a native JSON line."""
        rows = [rejection.row for rejection in rejections]
        lines = native_lines(self.column, rows)
        sources, numbers = (self.table.column(name).take(pa.array(rows, pa.int64())) for name in (SOURCE, NUMBER))
        return [
            DeadLetter(r.reason, r.detail, source.as_py(), number.as_py(), line)
            for r, source, number, line in zip(rejections, sources, numbers, lines, strict=True)
        ]
