"""Rows of native columns that are in memory, as a batch of records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from uncommon_im.pipeline.sources.files.parquet import native_lines
from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.transforms.rules.columns.coerce import serves
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.normalise import Rejection


@dataclass(frozen=True, eq=False)
class NativeRows:
    """Rows as a batch of records; a kind of source says in `place` where each came from.

    Args:
        table: native columns, and perhaps others; each in one chunk at most.
    """

    table: pa.Table

    @property
    def num_rows(self) -> int:
        """Records of the batch."""
        return int(self.table.num_rows)

    def column(self, name: str) -> pa.Array | None:
        """A column as its source held it; `None` if it held none of that name."""
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
        lines = native_lines(self.column, [rejection.row for rejection in rejections])
        return [
            DeadLetter(r.reason, r.detail, *self.place(r.row), line) for r, line in zip(rejections, lines, strict=True)
        ]

    def place(self, row: int) -> tuple[str, int]:
        """(source, number there from 1) of a row."""
        raise NotImplementedError
