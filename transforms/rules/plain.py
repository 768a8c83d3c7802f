"""Plain vendor records, many at a time: JSON lines to the columns that every event is asked for.

A record is plain if those of its fields that decide are texts or whole numbers, at its top or at the top of the one
object that it holds, and if nothing speaks for another format. Whether it is depends on the record alone, and a plain
record gives what `transforms.rules.adapt` makes of it: some columns here, the others record by record when asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from schemas.mapping import VendorMapping
from transforms.rules.adapt import Adapter
from transforms.rules.columns import Longs
from transforms.rules.converters import Scalar
from transforms.rules.json_line import Rejected, parse_line
from transforms.rules.plain_columns import PlainColumns
from transforms.rules.plan import Row
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
    _texts: Sequence[bytes]
    _row: Callable[[bytes], Row]

    def rows(self, indexes: Iterable[int]) -> list[Row]:
        """Whole rows of some of the records."""
        return [self._row(self._texts[self.lines[index]]) for index in indexes]


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
        self._values = attrgetter(*map(_attribute, self.deciding))

    def decode(self, lines: Sequence[bytes]) -> tuple[list[int], list[tuple[Scalar, ...]]]:
        """(indexes of lines that may be plain records, values of the deciding fields of each)."""
        indexes: list[int] = []
        records: list[Any] = []
        decode = self._decode
        for index, line in enumerate(lines):
            try:
                record = decode(line)
                if not line.isascii():
                    line.decode()  # what is skipped was not looked at
            except _NO_PLAIN_RECORD:
                continue
            indexes.append(index)
            records.append(record)
        for holder in self._holders:
            held = [getattr(record, holder, None) for record in records]
            if held.count(None) < len(held):
                kept = [place for place, inner in enumerate(held) if inner is None or self._is_bare(records[place])]
                records = [records[place] if held[place] is None else held[place] for place in kept]
                indexes = [indexes[place] for place in kept]
        return indexes, list(map(self._values, records))

    def row(self, line: bytes) -> Row:
        """The whole row of a plain record."""
        record = parse_line(line)
        found = None if isinstance(record, Rejected) else self.adapter.adapt(record)
        row = found[0].found if isinstance(found, list) else found
        if not isinstance(row, dict):
            raise ValueError(f"a plain record gives no row: {row}")
        return row

    def _is_bare(self, record: Any) -> bool:
        """True for a record that holds one other and has no value that decides beside it: that would serve both."""
        held = [getattr(record, holder, None) for holder in self._holders]
        return held.count(None) == len(held) - 1 and not any(value is not None for value in self._values(record))


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
        indexes, values = self._reader.decode(lines)
        for name, column in zip(self._fields, zip(*values, strict=True), strict=False):
            self._fields[name].add(column)
        self._indexes += [self._seen + index for index in indexes]
        self._seen += len(lines)

    def records(self, lines: Sequence[bytes]) -> tuple[PlainRecords, list[int]]:
        """The plain records of all lines that were added, and the indexes of the other lines."""
        table = PlainColumns(self._reader.adapter, self._fields, len(self._indexes))
        known = np.flatnonzero(table.known)
        columns = {name: column for name in self._reader.wanted if (column := table.column(name)) is not None}
        if len(known) < len(self._indexes):
            columns = {name: column.take(pa.array(known)) for name, column in columns.items()}
        plain = PlainRecords(np.array(self._indexes, np.int64)[known], columns, lines, self._reader.row)
        others = np.ones(self._seen, np.bool_)
        others[plain.lines] = False
        return plain, np.flatnonzero(others).tolist()


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
    held = _record_type("Held", dict.fromkeys(deciding, _SCALAR))
    types = {**dict.fromkeys(deciding, _SCALAR), **dict.fromkeys(holders, held | None), **dict.fromkeys(signs)}
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(_record_type("Plain", types)).decode
    return decode


def _record_type(name: str, types: dict[str, Any]) -> type[msgspec.Struct]:
    fields = [(_attribute(key), of, None) for key, of in types.items()]
    return msgspec.defstruct(name, fields, rename={_attribute(key): key for key in types}, gc=False)


def _attribute(key: str) -> str:
    """A name that Python can have for any key of a record."""
    return f"key_{key.encode().hex()}"
