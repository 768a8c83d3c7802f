"""Vendor mappings as data: how a vendor's records are recognised and which fields become native columns.

A mapping file (`schemas/mappings/*.yaml`) says:

- `key`: names of what tells one kind of record from another, for example channel and event id
- `shapes`: how each way of writing the records is recognised, where its key and its data are, and the columns that
  depend on the shape (time, host). Data may be an object, text that holds one (JSON, XML), or a list of names and
  values. With `beside` the fields at the top of the record count as well, where data has none of the name; `inserts`
  may hold values without names instead of data; `escaped` data has names that begin with a small letter, and
  backslashes and quotes behind a backslash
- `events`: the kinds of records by key, with constants and columns, or with `skip`: why they are not read. A part of
  a key may be `*`, any text, or empty, where records have nothing; the more exact key counts, and of two the one that
  says the later part. Of several events of one key the first counts of whose `needs` each group has a field with a
  value. `inserts`: names of values that are written without, in their order, a list for each number of them
- `constants`, `columns`: what all kinds share
- `skip`: records that are no endpoint's by design
- `nested`: fields that may hold the records themselves, an object or a list of them; fields beside serve each of them
- `rank`: mappings of a lower one are tried earlier, those of the same in the order of their names. 0 is for a vendor
  whose fields have names that nobody else uses, and whose records are many: telling them asks for nothing else then
- `yields`: as `match` of a shape; where the format is not given, records with one of these are left to other mappings

A column is written as a field, a list of fields (the first with a value counts), or an object of `from: FIELD or
list`, `join: FIELDS`, `convert: NAME`, `values: {TEXT: VALUE}`, `otherwise: keep`, `differs: PAIRS`,
`unless: {FIELD: TEXTS}`; a field as text or as `{field: FIELD, convert: NAME}`. Converters are looked up by name in
`transforms.rules.parsing.converters`. Where no field of `from` has a value, the values of all fields of `join` are it,
with @ between them; if one has none, there is none. With `differs` the column counts only if the first of the pairs of
fields that both have a value differ; with `unless` only if none of its fields has one of its texts. `null` is no
column, whatever the mapping and the shape say. A field below the top of a record may as well be written as one key
with dots (`transforms.rules.parsing.dotted`); of a list of objects on the way there the first counts.
"""

from __future__ import annotations

from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING, Final, Literal, cast

from msgspec import UNSET, UnsetType, field
from msgspec.structs import force_setattr, replace

from uncommon_im.schemas.decoding import Entry, NonEmpty, Text, decode
from uncommon_im.schemas.documents import packaged_yaml
from uncommon_im.schemas.event import EVENT_COLUMNS, EVENT_TYPES, FAILED
from uncommon_im.schemas.mapping_fields import Column, Conditions, Dotted, DottedText, Field, Folded, Groups

PACKAGE: Final = "uncommon_im.schemas.mappings"
ANY: Final = "*"
"""In a part of an event's key: whatever the record has there."""

if TYPE_CHECKING:
    _ColumnName = str
else:
    _ColumnName = Literal[(*EVENT_COLUMNS,)]
Constants = dict[_ColumnName, str | bool]

_ColumnEntry = DottedText | NonEmpty[DottedText | Field] | Column | None


class WithColumns(Entry, frozen=True, kw_only=True, dict=True):
    """Base of what has columns; `column_entries` is how the file has them."""

    column_entries: dict[_ColumnName, _ColumnEntry] | UnsetType = field(name="columns", default=UNSET)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns by name."""
        entries = {name: entry for name, entry in (self.column_entries or {}).items() if entry is not None}
        return {name: entry if isinstance(entry, Column) else Column(entry) for name, entry in entries.items()}

    @property
    def without(self) -> frozenset[str]:
        """Names of columns that have no value here, whatever else the mapping says."""
        return frozenset(name for name, entry in (self.column_entries or {}).items() if entry is None)


class Shape(WithColumns, frozen=True):
    """One way of writing the records: recognised if all paths of one alternative of `match` have a value.

    `data` is where the fields are; at the top if it is empty. `inserts` holds their values if nothing is there.
    """

    id: Text
    match: Groups
    key: dict[str, NonEmpty[Dotted]]
    data: Dotted = cast("Dotted", ())
    beside: bool = False
    inserts: Dotted = cast("Dotted", ())
    escaped: bool = False


class Event(WithColumns, frozen=True):
    """A kind of record: it is read, or `skip` says why not.

    `keys` holds the texts that each part of the key may have; of each group of `needs` one field has a value.
    `inserts` are the names of values that are written without them, a list for each number of values.
    """

    keys: dict[str, NonEmpty[Folded]] = field(name="key")
    constants: Constants = field(default_factory=dict)
    needs: Groups = ()
    skip: Text = ""
    inserts: NonEmpty[NonEmpty[Text]] = ()

    def __post_init__(self) -> None:
        if (self.column_entries is UNSET) == (not self.skip):
            raise ValueError("expected one of `columns`, `skip`")
        _check(self.constants)


class Skip(Entry, frozen=True, dict=True):
    """Records that name no process by design: all of `when` hold and all of `missing` are without a value."""

    detail: Text
    conditions: dict[DottedText, NonEmpty[Folded]] = field(name="when", default_factory=dict)
    missing: tuple[Dotted, ...] = ()

    def __post_init__(self) -> None:
        if not (self.conditions or self.missing):
            raise ValueError("needs `when` or `missing`")

    @cached_property
    def when(self) -> Conditions:
        """(path, the texts of which one is there)."""
        return tuple((Dotted.decode(path), tuple(map(str, texts))) for path, texts in self.conditions.items())


class VendorMapping(WithColumns, frozen=True, eq=False):
    """A vendor's mapping; two loads of the same file are two mappings (compared by identity)."""

    format: Literal[1]
    id: Text
    key: NonEmpty[Text]
    shapes: NonEmpty[Shape]
    events: NonEmpty[Event]
    constants: Constants = field(default_factory=dict)
    skips: tuple[Skip, ...] = field(name="skip", default=())
    nested: NonEmpty[Text] = ()
    yields: Groups = ()
    rank: int = 1

    def __post_init__(self) -> None:
        """Raises `ValueError`: a constant is wrong, or a key has other parts. Puts the parts in the order of `key`."""
        _check(self.constants)
        keys = {f"shapes[{n}]": set(shape.key) for n, shape in enumerate(self.shapes)}
        keys |= {f"events[{n}]": set(event.keys) for n, event in enumerate(self.events)}
        for place, parts in keys.items():
            if parts != set(self.key):
                raise ValueError(f"{place}.key: expected exactly the parts of `key`: {', '.join(self.key)}")
        shapes = (replace(shape, key={part: shape.key[part] for part in self.key}) for shape in self.shapes)
        events = (replace(event, keys={part: event.keys[part] for part in self.key}) for event in self.events)
        force_setattr(self, "shapes", tuple(shapes))
        force_setattr(self, "events", tuple(events))

    def all_columns(self) -> list[tuple[str, str, Column]]:
        """(place in the file, name, column) of the mapping's columns, and those of its shapes and events."""
        owners: dict[str, WithColumns] = {"": self}
        owners |= {f"shapes[{n}].": shape for n, shape in enumerate(self.shapes)}
        owners |= {f"events[{n}].": event for n, event in enumerate(self.events)}
        return [
            (f"{place}columns.{name}", name, column)
            for place, owner in owners.items()
            for name, column in owner.columns.items()
        ]


@cache
def load_mappings() -> tuple[VendorMapping, ...]:
    """All mappings that ship with the package, by rank and file name; the order in which records are recognised."""
    files = sorted(entry.name for entry in resources.files(PACKAGE).iterdir() if entry.name.endswith(".yaml"))
    mappings = [parse_mapping(packaged_yaml(PACKAGE, name), name) for name in files]
    return tuple(sorted(mappings, key=lambda mapping: mapping.rank))


def parse_mapping(document: object, file: str) -> VendorMapping:
    """The mapping that a YAML document holds.

    Raises:
        ConfigurationError: one line that names `file`, the key and what is expected there.
    """
    return decode(document, VendorMapping, file)


def _check(constants: Constants) -> None:
    for name, value in constants.items():
        if isinstance(value, bool) != (name == FAILED):
            raise ValueError(f"constants.{name}: expected {'true or false' if name == FAILED else 'a text'}")
        if name == "event_type" and value not in EVENT_TYPES:
            raise ValueError(f"constants.event_type: is {value!r:.60}, expected one of {', '.join(EVENT_TYPES)}")
