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

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from uncommon_im.schemas.documents import packaged_yaml
from uncommon_im.schemas.event import EVENT_COLUMNS, EVENT_TYPES, FAILED
from uncommon_im.schemas.nodes import Nodes, Path

PACKAGE: Final = "uncommon_im.schemas.mappings"
ANY: Final = "*"
"""In a part of an event's key: whatever the record has there."""


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
    return _Parser(file).mapping(document)


class _Parser(Nodes):
    """Turns the document into dataclasses."""

    def mapping(self, document: object) -> VendorMapping:
        top = self.node(document, "document", "format id key shapes events", "constants columns skip nested yields")
        if top["format"] != 1:
            raise self.fail("format", f"is {top['format']!r:.60}, this version reads format 1")
        key = tuple(self.text(name, f"key[{n}]") for n, name in enumerate(self.items(top["key"], "key")))
        shapes = self.items(top["shapes"], "shapes")
        events = self.items(top["events"], "events")
        nested = self.items(top["nested"], "nested") if "nested" in top else []
        return VendorMapping(
            id=self.text(top["id"], "id"),
            file=self.file,
            key=key,
            shapes=tuple(self.shape(item, f"shapes[{n}]", key) for n, item in enumerate(shapes)),
            events=tuple(self.event(item, f"events[{n}]", key) for n, item in enumerate(events)),
            skips=tuple(self.skip(item, f"skip[{n}]") for n, item in enumerate(top.get("skip", ()))),
            constants=self.constants(top.get("constants", {}), "constants"),
            columns=self.columns(top.get("columns", {}), "columns"),
            nested=tuple(self.text(item, f"nested[{n}]") for n, item in enumerate(nested)),
            yields=self.groups(top["yields"], "yields") if "yields" in top else (),
        )

    def shape(self, value: object, where: str, key: tuple[str, ...]) -> Shape:
        node = self.node(value, where, "id match key", "data columns")
        parts = self.key_parts(node["key"], f"{where}.key", key)
        return Shape(
            id=self.text(node["id"], f"{where}.id"),
            match=self.groups(node["match"], f"{where}.match"),
            key=tuple(self.paths(part, f"{where}.key.{name}") for name, part in parts),
            data=self.path(node["data"], f"{where}.data") if "data" in node else (),
            columns=self.columns(node.get("columns", {}), f"{where}.columns"),
        )

    def key_parts(self, value: object, where: str, key: tuple[str, ...]) -> Iterable[tuple[str, object]]:
        """(name, content) of each part of the key, in the key's order."""
        node = self.node(value, where)
        if set(node) != set(key):
            raise self.fail(where, f"expected exactly the parts of `key`: {', '.join(key)}")
        return [(name, node[name]) for name in key]

    def event(self, value: object, where: str, key: tuple[str, ...]) -> Event:
        node = self.node(value, where, "key", "columns constants needs skip")
        if ("columns" in node) == ("skip" in node):
            raise self.fail(where, "expected one of `columns`, `skip`")
        parts = self.key_parts(node["key"], f"{where}.key", key)
        event = Event(
            keys=tuple(self.key_texts(part, f"{where}.key.{name}") for name, part in parts),
            constants=self.constants(node.get("constants", {}), f"{where}.constants"),
            columns=self.columns(node.get("columns", {}), f"{where}.columns"),
            needs=self.groups(node["needs"], f"{where}.needs") if "needs" in node else (),
            skip=self.text(node["skip"], f"{where}.skip") if "skip" in node else "",
        )
        kind = dict(event.constants).get("event_type", EVENT_TYPES[0])
        if kind not in EVENT_TYPES:
            known = ", ".join(EVENT_TYPES)
            raise self.fail(f"{where}.constants.event_type", f"is {kind!r}, expected one of {known}")
        return event

    def key_texts(self, value: object, where: str) -> tuple[str, ...]:
        return tuple(str(item).strip().lower() for item in self.items(value, where))

    def skip(self, value: object, where: str) -> Skip:
        node = self.node(value, where, "detail", "when missing")
        if not (node.get("when") or node.get("missing")):
            raise self.fail(where, "needs `when` or `missing`")
        when = self.node(node.get("when", {}), f"{where}.when")
        return Skip(
            detail=self.text(node["detail"], f"{where}.detail"),
            when=tuple((self.path(k, where), self.key_texts(v, f"{where}.{k}")) for k, v in when.items()),
            missing=self.paths(node["missing"], f"{where}.missing") if "missing" in node else (),
        )

    def constants(self, value: object, where: str) -> Constants:
        node = self.node(value, where)
        for name, constant in node.items():
            self.column_name(name, f"{where}.{name}")
            kind, called = (bool, "truth value") if name == FAILED else (str, "text")
            if not isinstance(constant, kind):
                raise self.fail(f"{where}.{name}", f"expected a {called}, not {constant!r:.60}")
        return tuple(node.items())

    def columns(self, value: object, where: str) -> tuple[Column, ...]:
        node = self.node(value, where)
        return tuple(self.column(k, v, f"{where}.{k}") for k, v in node.items() if v is not None)

    def column_name(self, name: str, where: str) -> str:
        if name not in EVENT_COLUMNS and name != FAILED:
            raise self.fail(where, "is no native column")
        return name

    def column(self, name: str, value: object, where: str) -> Column:
        self.column_name(name, where)
        node = value if isinstance(value, dict) else {"from": value}
        self.node(node, where, "from", "convert values otherwise differs")
        convert = self.text(node["convert"], f"{where}.convert") if "convert" in node else None
        written = node["from"]
        items = self.items(written, where) if isinstance(written, list) else [written]
        if "otherwise" in node and (node["otherwise"] != "keep" or "values" not in node):
            raise self.fail(f"{where}.otherwise", "expected `keep`, beside `values`")
        return Column(
            name=name,
            fields=tuple(self.field(item, where, convert) for item in items),
            values=self.values(node["values"], f"{where}.values") if "values" in node else None,
            keep_other="otherwise" in node,
            differs=self.pairs(node["differs"], f"{where}.differs") if "differs" in node else (),
            where=f"{self.file}: {where}",
        )

    def pairs(self, value: object, where: str) -> tuple[tuple[Path, ...], ...]:
        pairs = self.groups(value, where)
        for n, pair in enumerate(pairs):
            if len(pair) != 2:
                raise self.fail(f"{where}[{n}]", "expected two fields")
        return pairs

    def values(self, value: object, where: str) -> tuple[tuple[str, str], ...]:
        node = self.node(value, where)
        return tuple((str(k).strip().lower(), self.text(v, f"{where}.{k}")) for k, v in node.items())

    def field(self, value: object, where: str, convert: str | None) -> Field:
        if isinstance(value, dict):
            node = self.node(value, where, "field", "convert")
            value = node["field"]
            convert = self.text(node["convert"], f"{where}.convert") if "convert" in node else convert
        written = self.text(value, where)
        return Field(self.path(written.removeprefix("$."), where), written.startswith("$."), convert)
