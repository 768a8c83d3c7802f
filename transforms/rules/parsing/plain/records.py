"""The plain records among lines: columns that not every event is asked for are made of the records that are."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa

from uncommon_im.schemas.event import ARROW_TYPES, EVENT_COLUMNS
from uncommon_im.transforms.rules.columns.coerce import coerce_column
from uncommon_im.transforms.rules.columns.column import Codes, Longs, run_starts
from uncommon_im.transforms.rules.columns.text_lines import TextBlock, TextLines
from uncommon_im.transforms.rules.parsing.plain.columns import PlainColumns, PlanChoice
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
    text: TextLines
    plans: list[Plan]
    plan: Codes

    def __post_init__(self) -> None:
        reader, text, lines = self.reader, self.text, self.lines  # to refer to itself would keep it alive for long
        self._record = lru_cache(None)(lambda index: reader.record(text[int(lines[index])]))
        self._glimpse = lru_cache(None)(lambda index: reader.glimpse(text[int(lines[index])]))
        self._wholes, self._glimpses = _Tables.of_none(len(lines)), _Tables.of_none(len(lines))

    def column_at(self, name: str, indexes: Longs) -> pa.Array | None:
        """A native column of some of the records; `None` if none of them has a value, null where one does not fit."""
        if not len(indexes):
            return None
        glimpsed = self.reader.glimpsed
        if name in glimpsed and not self._wholes.has(indexes):
            tables = self._read_together(self._glimpses, indexes, glimpsed)
        else:
            tables = self._read_together(self._wholes, indexes, None)
        if tables.has(indexes):
            return tables.column(name, indexes)
        return coerce_column(name, self.values(name, indexes.tolist()))[0]

    def values(self, name: str, indexes: Sequence[int]) -> list[object]:
        """A native column of some of the records, record by record, as values of any type."""
        read = self._glimpse if name in self.reader.glimpsed else self._record
        getters = [plan.getter(name) for plan in self.plans]
        records = map(read, indexes)
        plans = self.plan[np.array(indexes, np.int64)].tolist()
        return [getters[plan](record, record) for plan, record in zip(plans, records, strict=True)]

    def _read_together(self, into: _Tables, indexes: Longs, names: Set[str] | None) -> _Tables:
        """Reads some columns of records together, if it pays and none of these can only be read by itself.

        Args:
            into: takes them in, and is returned.
            indexes: of the records.
            names: of the columns; `None`: all.
        """
        unread = into.unread(indexes)
        if not len(unread) or len(indexes) == len(unread) < _MANY:
            return into
        numbers = self.plan[unread]
        plans = {self.plans[number]: np.flatnonzero(numbers == number) for number in np.unique(numbers).tolist()}
        if not all(plan.is_plain(names) for plan in plans):
            return into
        reader = self.reader.together(plans, names)
        fields = Fields(reader.fields, reader.fields)
        for first in range(0, len(unread), _LINES_AT_ONCE):
            lines = self.text.take(self.lines[unread[first : first + _LINES_AT_ONCE]])
            places, columns = reader.read(lines)
            if len(places) < len(lines):
                into.refuse(unread)
                return into
            fields.add(columns)
        into.add(unread, PlainColumns(fields, plans, len(unread)))
        return into


@dataclass(frozen=True, eq=False)
class _Tables:
    """What was read of some records, many together each time.

    Args:
        tables: what each reading gave.
        table: of each record its place among these.
        row: of each record its row there.
    """

    tables: list[PlainColumns]
    table: Codes
    row: Longs

    @classmethod
    def of_none(cls, size: int) -> _Tables:
        return cls([], np.full(size, _UNREAD, np.int32), np.zeros(size, np.int64))

    def unread(self, indexes: Longs) -> Longs:
        """Those of some records that nobody tried to read."""
        return indexes[self.table[indexes] == _UNREAD]

    def add(self, indexes: Longs, table: PlainColumns) -> None:
        self.table[indexes], self.row[indexes] = len(self.tables), np.arange(len(indexes))
        self.tables.append(table)

    def refuse(self, indexes: Longs) -> None:
        self.table[indexes] = _SINGLE

    def has(self, indexes: Longs) -> bool:
        """True if all of some records were read."""
        return bool((self.table[indexes] >= 0).all())

    def column(self, name: str, indexes: Longs) -> pa.Array | None:
        """A column of some records, at least one, all of which were read; `None` if it is empty."""
        order = np.argsort(self.table[indexes], kind="stable")
        parts: list[pa.Array] = []
        for part in np.split(indexes[order], run_starts(self.table[indexes[order]])[1:]):
            column = self.tables[self.table[part[0]]].column(name)
            parts.append(pa.nulls(len(part)) if column is None else column.take(pa.array(self.row[part])))
        if len(parts) == 1:
            return None if pa.types.is_null(parts[0].type) else parts[0]
        kind = ARROW_TYPES[EVENT_COLUMNS[name]]
        return pa.concat_arrays([part.cast(kind) for part in parts]).take(pa.array(np.argsort(order)))


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
        plans = PlanChoice(self._reader.adapter, self._fields, len(indexes)).plans()
        table = PlainColumns(self._fields, plans, len(indexes))
        columns = {name: column for name in self._reader.wanted if (column := table.column(name)) is not None}
        plan = np.full(len(indexes), -1, np.int32)
        for number, rows in enumerate(plans.values()):
            plan[rows] = number
        known = np.flatnonzero(plan >= 0)
        if len(known) < len(indexes):
            columns = {name: column.take(pa.array(known)) for name, column in columns.items()}
        places = indexes[known]
        others = np.ones(self._seen, np.bool_)
        others[places] = False
        records = PlainRecords(places, columns, self._reader, lines, list(plans), plan[known])
        return records, np.flatnonzero(others).tolist()
