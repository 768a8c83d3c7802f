"""Vendor mappings as data: how a vendor's records are recognised and which fields become native columns.

A mapping file (`schemas/mappings/*.yaml`) says:

- `key`: names of what tells one kind of record from another, for example channel and event id
- `shapes`: how each way of writing the records is recognised, where its key and its data are, and the columns that
  depend on the shape (time, host)
- `events`: the kinds of records by key, with constants and columns, or with `skip`: why they are not read. A part of
  a key may be `*`, any text, or empty, where records have nothing; the more exact key counts, and of two the one that
  says the later part. Of several events of one key the first counts of whose `needs` each group has a field with a
  value
- `constants`, `columns`: what all kinds share
- `skip`: records that are no endpoint's by design
- `nested`: fields that may hold the records themselves, an object or a list of them; fields beside serve each of them
- `yields`: as `match` of a shape; where the format is not given, records with one of these are left to other mappings

A column is written as a field, a list of fields (the first with a value counts), or
`{from: FIELD or list, convert: NAME, values: {TEXT: VALUE}, otherwise: keep, differs: PAIRS}`; a field as text or as
`{field: FIELD, convert: NAME}`. Converters are looked up by name in `transforms.rules.parsing.converters`. With
`differs` the column counts only if the first of the pairs of fields that both have a value differ. `null` is no
column. A field below the top of a record may as well be written as one key with dots
(`transforms.rules.parsing.dotted`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType, field

from uncommon_im.schemas.decoding import Entry, NonEmpty, Scalar, Text, decode
from uncommon_im.schemas.documents import packaged_yaml
from uncommon_im.schemas.event import EVENT_COLUMNS, EVENT_TYPES, FAILED

PACKAGE: Final = "uncommon_im.schemas.mappings"
ANY: Final = "*"
"""In a part of an event's key: whatever the record has there."""

Path = tuple[str, ...]
"""Keys from the top of an object down to a value."""


@dataclass(frozen=True)
class Field:
    """Where a value may be: `path` in the shape's data, or in the whole record; `convert` names a converter."""

    path: Path
    from_record: bool = False
    convert: str | None = None


@dataclass(frozen=True)
class Column:
    """A native column and its fields, first to last choice; `values` translates lower-case text if it is given."""

    name: str
    fields: tuple[Field, ...]
    values: tuple[tuple[str, str], ...] | None = None
    keep_other: bool = False
    differs: tuple[tuple[Path, ...], ...] = ()
    where: str = ""

    @property
    def is_plain(self) -> bool:
        """True if it depends on fields at the top of the data only, and on nothing else."""
        return not self.differs and all(len(field.path) == 1 and not field.from_record for field in self.fields)


Constants = tuple[tuple[str, str | bool], ...]


@dataclass(frozen=True)
class Shape:
    """One way of writing the records: recognised if all paths of one alternative of `match` have a value."""

    id: str
    match: tuple[tuple[Path, ...], ...]
    key: tuple[tuple[Path, ...], ...]
    data: Path
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Event:
    """A kind of record: it is read, or `skip` says why not.

    `keys` holds, a part, the lower-case texts that it may have; of each group of `needs` one field has a value.
    """

    keys: tuple[tuple[str, ...], ...]
    constants: Constants
    columns: tuple[Column, ...]
    needs: tuple[tuple[Path, ...], ...] = ()
    skip: str = ""


@dataclass(frozen=True)
class Skip:
    """Records that name no process by design: all of `when` hold and all of `missing` are without a value."""

    detail: str
    when: tuple[tuple[Path, tuple[str, ...]], ...]
    missing: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class VendorMapping:
    """A vendor's mapping; two loads of the same file are two mappings (compared by identity)."""

    id: str
    file: str
    key: tuple[str, ...]
    shapes: tuple[Shape, ...]
    events: tuple[Event, ...]
    skips: tuple[Skip, ...] = ()
    constants: Constants = ()
    columns: tuple[Column, ...] = ()
    nested: tuple[str, ...] = ()
    yields: tuple[tuple[Path, ...], ...] = ()


@cache
def load_mappings() -> tuple[VendorMapping, ...]:
    """All mappings that ship with the package, by file name; the order in which records are recognised."""
    files = sorted(entry.name for entry in resources.files(PACKAGE).iterdir() if entry.name.endswith(".yaml"))
    return tuple(parse_mapping(packaged_yaml(PACKAGE, name), name) for name in files)


def parse_mapping(document: object, file: str) -> VendorMapping:
    """The mapping that a YAML document holds.

    Raises:
        ConfigurationError: one line that names `file`, the key and what is expected there.
    """
    return decode(document, _Mapping, file).mapping(file)


if TYPE_CHECKING:
    _ColumnName = str
else:
    _ColumnName = Literal[(*EVENT_COLUMNS, FAILED)]
_Dotted = Annotated[
    str, Meta(pattern=r"\A(?=.*\S)[^.]+(\.[^.]+)*\Z", description="a text: a path of keys with dots between them")
]
_Groups = NonEmpty[NonEmpty[_Dotted]]
_Pair = Annotated[tuple[_Dotted, _Dotted], Meta(description="a list of two fields")]
_Key = dict[str, NonEmpty[Scalar]]
_Constants = dict[_ColumnName, str | bool]


class _Field(Entry, frozen=True):
    field: _Dotted
    convert: Text = ""

    def model(self, convert: str) -> Field:
        path = _path(self.field.removeprefix("$."))
        return Field(path, self.field.startswith("$."), self.convert or convert or None)


class _Column(Entry, frozen=True):
    source: _Dotted | NonEmpty[_Dotted | _Field] = field(name="from")
    convert: Text = ""
    values: dict[Scalar, Text] | UnsetType = UNSET
    otherwise: Literal["keep"] | UnsetType = UNSET
    differs: NonEmpty[_Pair] = ()

    def __post_init__(self) -> None:
        if self.otherwise and self.values is UNSET:
            raise ValueError("`otherwise: keep` stands beside `values`")

    def column(self, name: str, where: str) -> Column:
        sources = (self.source,) if isinstance(self.source, str) else self.source
        fields = [_Field(source) if isinstance(source, str) else source for source in sources]
        return Column(
            name=name,
            fields=tuple(each.model(self.convert) for each in fields),
            values=None if self.values is UNSET else tuple((_folded(k), text) for k, text in self.values.items()),
            keep_other=self.otherwise is not UNSET,
            differs=_groups(self.differs),
            where=where,
        )


_Columns = dict[_ColumnName, _Dotted | NonEmpty[_Dotted | _Field] | _Column | None]


class _Shape(Entry, frozen=True):
    id: Text
    match: _Groups
    key: dict[str, NonEmpty[_Dotted]]
    data: _Dotted = ""
    columns: _Columns = field(default_factory=dict)

    def model(self, parts: tuple[str, ...], where: str) -> Shape:
        key = tuple(tuple(map(_path, self.key[part])) for part in parts)
        data = _path(self.data) if self.data else ()
        return Shape(self.id, _groups(self.match), key, data, _columns(self.columns, where))


class _Event(Entry, frozen=True):
    key: _Key
    columns: _Columns | UnsetType = UNSET
    constants: _Constants = field(default_factory=dict)
    needs: _Groups = ()
    skip: Text = ""

    def __post_init__(self) -> None:
        if (self.columns is UNSET) == (not self.skip):
            raise ValueError("expected one of `columns`, `skip`")
        _check(self.constants)

    def model(self, parts: tuple[str, ...], where: str) -> Event:
        keys = tuple(tuple(map(_folded, self.key[part])) for part in parts)
        columns = _columns(self.columns or {}, where)
        return Event(keys, tuple(self.constants.items()), columns, _groups(self.needs), self.skip)


class _Skip(Entry, frozen=True):
    detail: Text
    when: dict[_Dotted, NonEmpty[Scalar]] = field(default_factory=dict)
    missing: tuple[_Dotted, ...] = ()

    def __post_init__(self) -> None:
        if not (self.when or self.missing):
            raise ValueError("needs `when` or `missing`")

    def model(self) -> Skip:
        when = tuple((_path(path), tuple(map(_folded, texts))) for path, texts in self.when.items())
        return Skip(self.detail, when, tuple(map(_path, self.missing)))


class _Mapping(Entry, frozen=True):
    """The form of a mapping file."""

    format: Literal[1]
    id: Text
    key: NonEmpty[Text]
    shapes: NonEmpty[_Shape]
    events: NonEmpty[_Event]
    constants: _Constants = field(default_factory=dict)
    columns: _Columns = field(default_factory=dict)
    skip: tuple[_Skip, ...] = ()
    nested: NonEmpty[Text] = ()
    yields: _Groups = ()

    def __post_init__(self) -> None:
        _check(self.constants)
        keys = {f"shapes[{n}]": set(shape.key) for n, shape in enumerate(self.shapes)}
        keys |= {f"events[{n}]": set(event.key) for n, event in enumerate(self.events)}
        for place, parts in keys.items():
            if parts != set(self.key):
                raise ValueError(f"{place}.key: expected exactly the parts of `key`: {', '.join(self.key)}")

    def mapping(self, file: str) -> VendorMapping:
        """The mapping of a file of this name."""
        return VendorMapping(
            id=self.id,
            file=file,
            key=self.key,
            shapes=tuple(shape.model(self.key, f"{file}: shapes[{n}].columns") for n, shape in enumerate(self.shapes)),
            events=tuple(event.model(self.key, f"{file}: events[{n}].columns") for n, event in enumerate(self.events)),
            skips=tuple(skip.model() for skip in self.skip),
            constants=tuple(self.constants.items()),
            columns=_columns(self.columns, f"{file}: columns"),
            nested=self.nested,
            yields=_groups(self.yields),
        )


def _check(constants: _Constants) -> None:
    for name, value in constants.items():
        if isinstance(value, bool) != (name == FAILED):
            raise ValueError(f"constants.{name}: expected {'true or false' if name == FAILED else 'a text'}")
        if name == "event_type" and value not in EVENT_TYPES:
            raise ValueError(f"constants.event_type: is {value!r:.60}, expected one of {', '.join(EVENT_TYPES)}")


def _columns(written: _Columns, where: str) -> tuple[Column, ...]:
    """Columns by name; `null` is none."""
    return tuple(
        (spec if isinstance(spec, _Column) else _Column(spec)).column(name, f"{where}.{name}")
        for name, spec in written.items()
        if spec is not None
    )


def _path(dotted: str) -> Path:
    return tuple(dotted.split("."))


def _groups(groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[Path, ...], ...]:
    return tuple(tuple(map(_path, group)) for group in groups)


def _folded(scalar: Scalar) -> str:
    return str(scalar).strip().lower()
