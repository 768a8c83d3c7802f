"""Plain vendor records, many at a time: JSON lines to columns, without an object a record.

A record is plain if those of its fields that decide are texts or whole numbers, at its top or at the top of the one
object that it holds, and if nothing speaks for another format. A plain record gives what `adapt`
makes of it: some columns here, the others record by record when asked for. Fields that nobody has looked at so far
are not read; when somebody does, all lines are read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Any, Final, TypedDict

import msgspec

from uncommon_im.schemas.mapping import VendorMapping
from uncommon_im.schemas.mapping_fields import Path
from uncommon_im.transforms.rules.columns.json_lines import parse_line
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.adapt import Adapter, signs_of
from uncommon_im.transforms.rules.parsing.lookups import Record
from uncommon_im.transforms.rules.parsing.plain.fields import FieldReader
from uncommon_im.transforms.rules.parsing.plan import Plan

_OTHER_FORMATS: Final = ("raw", "event_time", "host_id")
"""Keys of our own dead letters and of native records."""


class PlainReader:
    """How the plain records of a mapping are found among JSON lines.

    Attributes:
        adapter: of the mapping.
        wanted: native columns that are made of all plain records.
        deciding: keys of the fields that these and the question whether a record is plain may depend on.
        every_field: reads all of these.
        usual_fields: reads those that were looked at so far, all at first: later choices are seldom needed.
        glimpsed: native columns for which `glimpse` is enough.
    """

    def __init__(
        self, adapter: Adapter, others: Sequence[VendorMapping], wanted: Sequence[str], often: Sequence[str]
    ) -> None:
        """What to read.

        Args:
            adapter: of the mapping.
            others: mappings that recognise records before this one does.
            wanted: native columns that every record is asked for.
            often: those that many are asked for.

        Raises:
            ValueError: the adapter's mapping has no plain records (`has_plain_records`).
        """
        mapping = adapter.mapping
        if not has_plain_records(mapping, wanted):
            raise ValueError(f"{mapping.id} has no plain records")
        self.adapter = adapter
        self.wanted = wanted
        firsts = [keys[0] for other in others for _, keys in signs_of(other)]  # each record that they recognise has one
        signs = {*_OTHER_FORMATS, *(key for keys in firsts for key in keys)} - adapter.fields
        self.deciding = tuple(sorted(_deciding(mapping, wanted)))
        self._absent = tuple(sorted(signs))
        self.every_field = self._reader_of(self.deciding)
        self.usual_fields = self.every_field
        self._usual: frozenset[str] = frozenset()
        self.glimpsed = frozenset(often) - {name for _, name, column in mapping.all_columns() if not column.is_plain}
        needed = dict.fromkeys([*_fields(mapping, self.glimpsed), *mapping.nested], Any)
        glimpse = TypedDict("Glimpse", needed, total=False)  # type: ignore[misc]
        self._together: dict[frozenset[str], FieldReader] = {}
        self._glimpse = msgspec.json.Decoder(glimpse, float_hook=float)

    def together(self, plans: Iterable[Plan], names: Set[str] | None) -> FieldReader:
        """What reads fields of many records that are known to be plain.

        Args:
            plans: of the records.
            names: of the native columns that are made of the fields, all of which are plain; `None`: all columns.
        """
        wanted = [plan.fields[name] for plan in plans for name in plan.fields if names is None or name in names]
        keys = frozenset(key for choices in wanted for key, _ in choices)
        if keys not in self._together:
            self._together[keys] = self._reader_of(sorted(keys))
        return self._together[keys]

    def looked_at(self, keys: Iterable[str]) -> None:
        """Learns what the fields are that some records were asked for."""
        if not self._usual.issuperset(keys):
            self._usual = self._usual.union(keys)
            self.usual_fields = self._reader_of(key for key in self.deciding if key in self._usual)

    def _reader_of(self, keys: Iterable[str]) -> FieldReader:
        return FieldReader(tuple(keys), self.adapter.mapping.nested, self._absent)

    def record(self, line: bytes) -> Record:
        """The whole of a plain record."""
        record = parse_line(line)
        if isinstance(record, Rejection):
            raise ValueError(f"a plain record is none: {record.detail}")
        return self.adapter.whole(record)

    def glimpse(self, line: bytes) -> Record:
        """What the glimpsed columns depend on: a third of the work."""
        try:
            return self.adapter.whole(self._glimpse.decode(line))
        except msgspec.ValidationError:
            return self.record(line)


def has_plain_records(mapping: VendorMapping, wanted: Sequence[str]) -> bool:
    """True if the mapping reads the top of records only, and those written in one way."""
    paths: list[Path] = [
        path for shape in mapping.shapes for group in (*shape.match, *shape.key.values()) for path in group
    ]
    paths += [field.path for _, _, column in mapping.all_columns() for field in column.all_fields]
    return (
        len(mapping.shapes) == 1
        and not mapping.shapes[0].data
        and all(len(path) == 1 for path in paths)
        and all(column.is_plain for _, name, column in mapping.all_columns() if name in wanted)
    )


def _fields(mapping: VendorMapping, names: Iterable[str]) -> set[str]:
    """Fields that some columns are made of."""
    wanted = set(names)
    return {of.path[0] for _, name, column in mapping.all_columns() if name in wanted for of in column.all_fields}


def _deciding(mapping: VendorMapping, wanted: Sequence[str]) -> set[str]:
    """Fields that decide what becomes of a record, and those of the wanted columns."""
    [shape] = mapping.shapes
    paths: list[Path] = [path for group in (*shape.match, *shape.key.values()) for path in group]
    paths += [path for skip in mapping.skips for path in (*skip.missing, *dict(skip.when))]
    paths += [path for event in mapping.events for group in event.needs for path in group]
    return ({path[0] for path in paths} | _fields(mapping, wanted)) - set(mapping.nested)
