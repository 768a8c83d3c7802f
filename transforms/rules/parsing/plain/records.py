"""The plain records among lines: columns that not every event is asked for are made of the records that are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa

from uncommon_im.transforms.rules.columns.coerce import coerce_values
from uncommon_im.transforms.rules.columns.column import Codes, Longs
from uncommon_im.transforms.rules.columns.text_lines import TextBlock, TextLines
from uncommon_im.transforms.rules.parsing.plain.columns import PlainColumns
from uncommon_im.transforms.rules.parsing.plain.fields import FieldReader
from uncommon_im.transforms.rules.parsing.plain.reader import PlainReader
from uncommon_im.transforms.rules.parsing.plain.scalars import Fields, UnreadField
from uncommon_im.transforms.rules.parsing.plan import Plan

_MANY: Final = 64
"""Records of which it pays to read all fields at once, column by column."""
_UNREAD, _SINGLE = -1, -2
"""Stand for no place among those that were read as a whole: not tried yet, and to be read record by record."""
_LINES_AT_ONCE: Final = 256
"""Lines of which a processor's cache holds all that is made of them."""


@dataclass(eq=False)
class PlainRecords:
    """Some plain records of one mapping.

    Args:
        lines: the index of each one's line, in their order.
        columns: those native columns that every event is asked for, but for empty ones.
        reader: of the mapping.
        text: all lines.
        plans: what makes rows of the records.
        plan: each record's place in `plans`.
    """

    lines: Longs
    columns: dict[str, pa.Array]
    reader: PlainReader
    text: Sequence[bytes]
    plans: list[Plan]
    plan: Codes

    def __post_init__(self) -> None:
        reader, text, lines = self.reader, self.text, self.lines  # to refer to itself would keep it alive for long
        self._record = lru_cache(None)(lambda index: reader.record(text[int(lines[index])]))
        self._glimpse = lru_cache(None)(lambda index: reader.glimpse(text[int(lines[index])]))
        self._wholes: list[PlainColumns] = []
        self._whole = np.full(len(lines), _UNREAD, np.int32)  # of each record its place in `wholes`
        self._row = np.zeros(len(lines), np.int64)  # its row there

    def column_at(self, name: str, indexes: Longs) -> pa.Array | None:
        """A native column of some of the records; `None` if none of them has a value, null where one does not fit."""
        if name not in self.reader.glimpsed:
            self._read_wholes(indexes)
        places = self._whole[indexes]
        if len(places) and places[0] >= 0 and (places == places[0]).all():
            column = self._wholes[places[0]].column(name)
            return None if column is None else column.take(pa.array(self._row[indexes]))
        values = self.values(name, indexes.tolist())
        return None if values.count(None) == len(values) else coerce_values(name, values)[0]

    def values(self, name: str, indexes: Sequence[int]) -> list[object]:
        """A native column of some of the records, record by record, as values of any type."""
        read = self._glimpse if name in self.reader.glimpsed else self._record
        getters = [plan.getter(name) for plan in self.plans]
        records = map(read, indexes)
        plans = self.plan[np.array(indexes, np.int64)].tolist()
        return [getters[plan](record, record) for plan, record in zip(plans, records, strict=True)]

    def _read_wholes(self, indexes: Longs) -> None:
        """Reads all of some records, column by column, if it pays and none of them can only be read by itself."""
        unread = indexes[self._whole[indexes] == _UNREAD]
        plans = [self.plans[place] for place in np.unique(self.plan[unread]).tolist()]
        if len(unread) < _MANY or not all(plan.is_plain for plan in plans):
            return
        self._whole[unread] = _SINGLE
        reader = self.reader.whole_reader(plans)
        fields = Fields(reader.fields, reader.fields)
        for first in range(0, len(unread), _LINES_AT_ONCE):
            lines = self.lines[unread[first : first + _LINES_AT_ONCE]].tolist()
            read, columns = reader.read(TextBlock.of_lines(self.text[line] for line in lines))
            if len(read) < len(lines):
                return
            fields.add(columns)
        self._whole[unread], self._row[unread] = len(self._wholes), np.arange(len(unread))
        self._wholes.append(PlainColumns(self.reader.adapter, fields, len(unread)))


class PlainTable:
    """The plain records among the lines that were added."""

    def __init__(self, reader: PlainReader) -> None:
        """A table that has seen no lines."""
        self._reader = reader
        self._begin(reader.usual_fields)

    def _begin(self, fields: FieldReader) -> None:
        self._read = fields
        self._seen = 0
        self._indexes: list[Longs] = []
        self._fields = Fields(fields.fields, self._reader.deciding)

    def add(self, lines: TextBlock) -> None:
        """Decodes further lines; best as many at a time as a processor's cache holds."""
        indexes, columns = self._read.read(lines)
        self._fields.add(columns)
        self._indexes.append(np.array(indexes, np.int64) + self._seen)
        self._seen += len(lines)

    def records(self, lines: TextLines) -> tuple[PlainRecords, list[int]]:
        """The plain records of all lines that were added, and the indexes of the other lines."""
        try:
            found = self._records(lines)
        except UnreadField:
            self._begin(self._reader.every_field)
            for block in lines.blocks:
                self.add(block)
            found = self._records(lines)
        self._reader.looked_at(self._fields.looked_at)
        return found

    def _records(self, lines: TextLines) -> tuple[PlainRecords, list[int]]:
        indexes = np.concatenate([np.zeros(0, np.int64), *self._indexes])
        table = PlainColumns(self._reader.adapter, self._fields, len(indexes))
        columns = {name: column for name in self._reader.wanted if (column := table.column(name)) is not None}
        known = np.flatnonzero(table.plan >= 0)
        if len(known) < len(indexes):
            columns = {name: column.take(pa.array(known)) for name, column in columns.items()}
        places = indexes[known]
        others = np.ones(self._seen, np.bool_)
        others[places] = False
        records = PlainRecords(places, columns, self._reader, lines, table.plans, table.plan[known])
        return records, np.flatnonzero(others).tolist()
