"""Some fields of many JSON lines at a time: texts and whole numbers at the top of records, or of what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from uncommon_im.transforms.rules.columns.coerce import Scalar
from uncommon_im.transforms.rules.columns.json_lines import parse_line
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.columns.text_lines import TextBlock

PATIENCE: Final = 20
"""Lines of a block that are tried although none of them has a field."""
_SCALAR: Final = str | int | None
_NOT_PLAIN: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class FieldReader:
    """Reads some fields of the lines that have nothing else in them than texts and whole numbers."""

    def __init__(self, fields: Sequence[str], holders: Sequence[str], absent: Iterable[str] = ()) -> None:
        """What to read.

        Args:
            fields: keys at the top of a record, or of the one record that it holds.
            holders: keys that may hold a record.
            absent: keys that must have no value.
        """
        self.fields = tuple(fields)
        self._holders = tuple(holders)
        self._absent = tuple(absent)
        self._arranged = False

    def read(self, lines: TextBlock) -> tuple[Sequence[int], list[tuple[Scalar, ...]]]:
        """(indexes of the lines that could be read, columns of the fields)."""
        if not len(lines):
            return [], [()] * len(self.fields)
        if not self._arranged:
            self._arrange(_keys(lines[0], self._holders))
        if not self._may_have_some(lines):
            return [], [()] * len(self.fields)
        indexes, records = self._decoded(lines)
        columns = self._columns(records)
        if any(column.count(None) < len(column) for column in columns[len(self.fields) :][: len(self._holders)]):
            flat = [self._inner(record) for record in records]
            indexes = [index for index, record in zip(indexes, flat, strict=True) if record is not None]
            columns = self._columns([record for record in flat if record is not None])
        return indexes, [columns[place] for place in self._places]

    def _arrange(self, keys: Sequence[str]) -> None:
        """Expects fields in the order of a record's keys: the decoder looks for each key where the last one was."""
        order = [*dict.fromkeys(key for key in keys if key in self.fields)]
        order += [field for field in self.fields if field not in order]
        self._places = [order.index(field) for field in self.fields]
        self._decoder = _decoder(order, self._holders, self._absent)
        self._arranged = True

    def _may_have_some(self, lines: TextBlock) -> bool:
        """False if they are of another format, it seems: whoever reads those reads all of these, too."""
        for index in range(min(PATIENCE, len(lines))):
            try:
                values = astuple(self._decoder.decode(lines[index]))
            except _NOT_PLAIN:
                continue
            if values.count(None) < len(values):
                return True
        return False

    def _decoded(self, lines: TextBlock) -> tuple[Sequence[int], list[Any]]:
        indexes, records = self._decoded_at_once(lines) or self._decoded_singly(lines)
        if lines.text.isascii() or _is_utf8(lines.text):
            return indexes, records
        kept = [place for place, index in enumerate(indexes) if _is_utf8(lines[index])]  # what is skipped may not be
        return [indexes[place] for place in kept], [records[place] for place in kept]

    def _decoded_at_once(self, lines: TextBlock) -> tuple[Sequence[int], list[Any]] | None:
        """All lines, if each of them can be read."""
        if not lines.may_be_objects:
            return None
        try:
            records = self._decoder.decode_lines(lines.text)
        except _NOT_PLAIN:
            return None
        return (range(len(lines)), records) if len(records) == len(lines) else None

    def _decoded_singly(self, lines: TextBlock) -> tuple[list[int], list[Any]]:
        indexes: list[int] = []
        records: list[Any] = []
        for index, line in enumerate(lines):
            try:
                record = self._decoder.decode(line)
            except _NOT_PLAIN:
                continue
            indexes.append(index)
            records.append(record)
        return indexes, records

    def _columns(self, records: list[Any]) -> list[tuple[Any, ...]]:
        """Columns of the fields, and of those that hold other records."""
        if not records:
            return [()] * (len(self.fields) + len(self._holders))
        rows = map(astuple, records)
        return list(zip(*rows, strict=False))  # records inside others have fewer fields, and these first

    def _inner(self, record: Any) -> Any:
        """The record that a record holds, or itself; `None` if a field is beside one too, and would serve both."""
        records = [inner for holder in self._holders if (inner := getattr(record, _attribute(holder))) is not None]
        if not records:
            return record
        values = astuple(record)
        return records[0] if values.count(None) == len(values) - 1 else None


def _decoder(fields: Sequence[str], holders: Sequence[str], absent: Iterable[str]) -> msgspec.json.Decoder[Any]:
    """Decodes a line to an object with an attribute per field; fails where a record is not plain."""
    inner = _record_type("Held", {**dict.fromkeys(fields, _SCALAR), **dict.fromkeys(holders)})
    types = {**dict.fromkeys(fields, _SCALAR), **dict.fromkeys(holders, inner | None), **dict.fromkeys(absent)}
    return msgspec.json.Decoder(_record_type("Plain", types))


def _record_type(name: str, types: dict[str, Any]) -> type[msgspec.Struct]:
    attributes = [(_attribute(key), of, None) for key, of in types.items()]
    return msgspec.defstruct(name, attributes, rename={_attribute(key): key for key in types}, gc=False)


def _keys(line: bytes, holders: Sequence[str]) -> list[str]:
    """The keys of a record, or of the one that it holds; none if the line is no record."""
    record = parse_line(line)
    if isinstance(record, Rejection):
        return []
    records = [inner for holder in holders if isinstance(inner := record.get(holder), dict)]
    return [*(records[0] if records else record)]


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _attribute(key: str) -> str:
    """A name that Python can have for any key of a record."""
    return f"key_{key.encode().hex()}"
