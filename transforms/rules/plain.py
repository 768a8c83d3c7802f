"""Plain vendor records, many at a time: JSON lines to the columns that every event is asked for.

A record is plain if those of its fields that decide are texts or whole numbers, at its top or at the top of the one
object that it holds, and if nothing speaks for another format. Whether it is depends on the record alone, and a plain
record gives what `transforms.rules.adapt` makes of it: some columns here, the others record by record when asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from schemas.mapping import VendorMapping
from transforms.rules.adapt import Adapter
from transforms.rules.columns import Codes, Longs
from transforms.rules.converters import Scalar
from transforms.rules.json_line import Rejected, parse_line
from transforms.rules.plain_columns import PlainColumns
from transforms.rules.plan import Plan, Record
from transforms.rules.scalars import Scalars

_OTHER_FORMATS: Final = ("raw", "event_time", "host_id")
"""Keys of our own dead letters and of native records."""
_SCALAR: Final = str | int | None
_NO_PLAIN_RECORD: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, eq=False)
class PlainRecords:
    """Some plain records of one mapping.

    Attributes:
        lines: the index of each one's line.
        columns: those native columns that every event is asked for, but for empty ones.
    """

    lines: Longs
    columns: dict[str, pa.Array]
    _plans: list[Plan]
    _plan: Codes
    _record: Callable[[int], Record]

    def values(self, name: str, indexes: Iterable[int]) -> list[object]:
        """A native column of some of the records, as values of any type."""
        return [self._value(name, index) for index in indexes]

    def _value(self, name: str, index: int) -> object:
        record = self._record(index)
        return self._plans[self._plan[index]].value(name, record, record)


class PlainReader:
    """Finds the plain records of a mapping among JSON lines."""

    def __init__(self, adapter: Adapter, others: Sequence[VendorMapping], wanted: Sequence[str]) -> None:
        """`others` are mappings that recognise records before this one does; `wanted` are native columns.

        Raises:
            ValueError: the adapter's mapping has no plain records (`has_plain_records`).
        """
        if not has_plain_records(adapter.mapping, wanted):
            raise ValueError(f"{adapter.mapping.id} has no plain records")
        self.adapter = adapter
        self.wanted = wanted
        self.deciding = tuple(sorted(_deciding(adapter, wanted)))
        self._holders = tuple(map(_attribute, adapter.mapping.nested))
        signs = {*_OTHER_FORMATS, *(key for other in others for key in _signs(other))} - adapter.fields
        self._decode = _decoder(self.deciding, adapter.mapping.nested, signs)
        self._values = attrgetter(*map(_attribute, self.deciding), *self._holders)

    def decode(self, lines: Sequence[bytes]) -> tuple[Sequence[int], list[tuple[Scalar, ...]]]:
        """(indexes of lines that may be plain records, columns of the deciding fields)."""
        indexes, records = self._decoded(lines)
        columns = self._columns(records)
        if any(held.count(None) < len(held) for held in columns[len(self.deciding) :]):
            unfolded = [self._unfolded(record) for record in records]
            indexes = [index for index, record in zip(indexes, unfolded, strict=True) if record is not None]
            columns = self._columns([record for record in unfolded if record is not None])
        return indexes, columns[: len(self.deciding)]

    def record(self, line: bytes) -> Record:
        """The whole of a plain record."""
        record = parse_line(line)
        if isinstance(record, Rejected):
            raise ValueError(f"a plain record is none: {record.detail}")
        return self.adapter.whole(record)

    def _decoded(self, lines: Sequence[bytes]) -> tuple[Sequence[int], list[Any]]:
        try:
            indexes: Sequence[int] = range(len(lines))
            records = list(map(self._decode, lines))
        except _NO_PLAIN_RECORD:
            indexes, records = self._decoded_singly(lines)
        if all(map(bytes.isascii, lines)):
            return indexes, records
        kept = [place for place, index in enumerate(indexes) if _is_utf8(lines[index])]  # what is skipped may not be
        return [indexes[place] for place in kept], [records[place] for place in kept]

    def _decoded_singly(self, lines: Sequence[bytes]) -> tuple[list[int], list[Any]]:
        indexes: list[int] = []
        records: list[Any] = []
        for index, line in enumerate(lines):
            try:
                record = self._decode(line)
            except _NO_PLAIN_RECORD:
                continue
            indexes.append(index)
            records.append(record)
        return indexes, records

    def _columns(self, records: list[Any]) -> list[tuple[Any, ...]]:
        """Columns of the deciding fields, and of those that hold other records."""
        if not records:
            return [()] * (len(self.deciding) + len(self._holders))
        return list(zip(*map(self._values, records), strict=True))

    def _unfolded(self, record: Any) -> Any:
        """The record that a record holds, or itself; `None` if what decides is beside one too, and would serve both."""
        held = [inner for holder in self._holders if (inner := getattr(record, holder)) is not None]
        if not held:
            return record
        beside = self._values(record).count(None) < len(self.deciding) + len(self._holders) - 1
        return None if beside else held[0]


class PlainTable:
    """The plain records among the lines that were added."""

    def __init__(self, reader: PlainReader) -> None:
        """A table that has seen no lines."""
        self._reader = reader
        self._seen = 0
        self._indexes: list[int] = []
        self._fields = {name: Scalars() for name in reader.deciding}

    def add(self, lines: Sequence[bytes]) -> None:
        """Decodes further lines; best as many at a time as a processor's cache holds."""
        indexes, columns = self._reader.decode(lines)
        for field, column in zip(self._fields.values(), columns, strict=True):
            field.add(column)
        self._indexes += [self._seen + index for index in indexes]
        self._seen += len(lines)

    def records(self, lines: Sequence[bytes]) -> tuple[PlainRecords, list[int]]:
        """The plain records of all lines that were added, and the indexes of the other lines."""
        table = PlainColumns(self._reader.adapter, self._fields, len(self._indexes))
        columns = {name: column for name in self._reader.wanted if (column := table.column(name)) is not None}
        known = np.flatnonzero(table.plan >= 0)
        if len(known) < len(self._indexes):
            columns = {name: column.take(pa.array(known)) for name, column in columns.items()}
        places = np.array(self._indexes, np.int64)[known]

        @lru_cache(None)
        def record(index: int) -> Record:
            return self._reader.record(lines[places[index]])

        others = np.ones(self._seen, np.bool_)
        others[places] = False
        return PlainRecords(places, columns, table.plans, table.plan[known], record), np.flatnonzero(others).tolist()


def has_plain_records(mapping: VendorMapping, wanted: Sequence[str]) -> bool:
    """True if the mapping reads the top of records only, and those written in one way."""
    columns = [*mapping.columns, *(c for shape in mapping.shapes for c in shape.columns)]
    columns += [column for event in mapping.events for column in event.columns]
    paths = [path for shape in mapping.shapes for group in (*shape.match, *shape.key) for path in group]
    paths += [field.path for column in columns for field in column.fields]
    return (
        len(mapping.shapes) == 1
        and not mapping.shapes[0].data
        and all(len(path) == 1 for path in paths)
        and all(column.is_plain for column in columns if column.name in wanted)
    )


def _deciding(adapter: Adapter, wanted: Sequence[str]) -> set[str]:
    """Fields that decide what becomes of a record, and those of the wanted columns."""
    mapping, (shape, _) = adapter.mapping, adapter.shapes[0]
    paths = [path for group in (*shape.match, *shape.key) for path in group]
    paths += [path for skip in mapping.skips for path in (*skip.missing, *dict(skip.when))]
    paths += [path for event in mapping.events for group in event.needs for path in group]
    columns = [*shape.columns, *mapping.columns, *(column for event in mapping.events for column in event.columns)]
    paths += [field.path for column in columns if column.name in wanted for field in column.fields]
    return {path[0] for path in paths} - set(mapping.nested)


def _signs(mapping: VendorMapping) -> Iterable[str]:
    """Names at the top of records of which one is in every record that a mapping recognises."""
    yield from mapping.nested
    yield from (paths[0][0] for shape in mapping.shapes for paths in shape.match)


def _decoder(deciding: Sequence[str], holders: Sequence[str], signs: Iterable[str]) -> Callable[[bytes], Any]:
    """Decodes a line to an object with an attribute a field; fails where a record is not plain."""
    held = _record_type("Held", {**dict.fromkeys(deciding, _SCALAR), **dict.fromkeys(holders)})
    types = {**dict.fromkeys(deciding, _SCALAR), **dict.fromkeys(holders, held | None), **dict.fromkeys(signs)}
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(_record_type("Plain", types)).decode
    return decode


def _record_type(name: str, types: dict[str, Any]) -> type[msgspec.Struct]:
    fields = [(_attribute(key), of, None) for key, of in types.items()]
    return msgspec.defstruct(name, fields, rename={_attribute(key): key for key in types}, gc=False)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _attribute(key: str) -> str:
    """A name that Python can have for any key of a record."""
    return f"key_{key.encode().hex()}"
