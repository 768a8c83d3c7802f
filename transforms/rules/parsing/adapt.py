"""Vendor records to native columns, as a mapping says (`schemas.mapping`).

Values stay raw: trimming, markers such as `-`, numbers in text and times are the normaliser's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw

from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.mapping import ANY, Event, Shape, VendorMapping
from uncommon_im.schemas.mapping_fields import Path
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.converters import CONVERTERS, Converter, whole_computer
from uncommon_im.transforms.rules.parsing.dotted import dotted_keys, unfold
from uncommon_im.transforms.rules.parsing.lookups import Record, Row, has_all, is_value, key_text, lookup, scalar_of
from uncommon_im.transforms.rules.parsing.plan import Plan
from uncommon_im.transforms.rules.parsing.shape_data import Names, data_of

__all__ = ["Adapted", "Adapter", "Nested", "Row", "adapter", "signs_of"]

MOST_NESTED: Final = 1000
"""Records in one line; an alert holds a few."""
MOST_BESIDE: Final = 1 << 24
"""Bytes that what is beside nested records may take, once for each of them."""

_ENCODE: Final[Callable[[object], bytes]] = msgspec.json.encode
_SHOWN: Final = 80


class Nested(NamedTuple):
    """A record that another holds: what it gives, and what would give just that on a line of its own."""

    found: Row | Rejection
    record: Record | Raw


Adapted = Row | Rejection | list[Nested]
"""What a record gives; a list if others are nested in it."""


@lru_cache(maxsize=64)
def adapter(mapping: VendorMapping, keep_domain: bool = False) -> Adapter:
    """The compiled mapping; with `keep_domain`, `host_id` keeps its domain.

    Raises:
        ConfigurationError: it names a converter that does not exist.
    """
    return Adapter(mapping, keep_domain)


class Adapter:
    """A mapping compiled to getters.

    Attributes:
        mapping: the mapping.
        shapes: its shapes, each with what may become of its records, by key: the first whose needs are met counts.
        fields: names at the top of records that it looks at, but for those that others are nested in.
        dotted: keys with dots that stand for what it looks at.
    """

    def __init__(self, mapping: VendorMapping, keep_domain: bool) -> None:
        converters = {**CONVERTERS, "computer": whole_computer} if keep_domain else CONVERTERS
        for place, _, column in mapping.all_columns():
            for name in (field.convert for field in column.all_fields if field.convert not in ("", *converters)):
                known = ", ".join(sorted(converters))
                raise ConfigurationError(f"{mapping.id}.yaml: {place}: unknown converter {name!r} (known: {known})")
        self.mapping = mapping
        self.shapes = [(shape, _choices(mapping, shape, converters)) for shape in mapping.shapes]
        self._names: dict[_Key, Names] = {
            key: _names(event) for event in mapping.events for key in product(*event.keys.values())
        }
        paths = _paths(mapping)
        self.fields = frozenset(path[0] for path in paths) - frozenset(mapping.nested)
        self.dotted = dotted_keys(paths)
        self._skips = [(skip.when, skip.missing, Rejection("not_endpoint", skip.detail)) for skip in mapping.skips]

    @cached_property
    def unknown(self) -> Rejection:
        """Why a record gives nothing that none of the shapes matches."""
        needed = ", or ".join(" and ".join(map(".".join, shape.match[0])) for shape in self.mapping.shapes)
        return Rejection("malformed", f"no record of {self.mapping.id}: expected {needed}")

    def read(self, record: Record) -> Adapted | None:
        """What a record gives that is left to nobody else; `None` if it is not the vendor's."""
        return self._rows(record, unfold(record, self.dotted), self.shapes)

    def recognise(self, record: Record, shapes: Sequence[Choices] = (), may_be_dotted: bool = True) -> Adapted | None:
        """What a record gives that may be the vendor's; `None` if it is not, or is left to others.

        Args:
            record: any.
            shapes: those that it may have if none of its keys is `dotted`.
            may_be_dotted: one of its keys may be.
        """
        unfolded = unfold(record, self.dotted) if may_be_dotted else record
        if self.mapping.yields and _matches(unfolded, self.mapping.yields):
            return None
        return self._rows(record, unfolded, self.shapes if may_be_dotted else shapes)

    def _rows(self, record: Record, unfolded: Record, shapes: Sequence[Choices]) -> Adapted | None:
        """What a record gives; `None` if it has none of the shapes, nor has any that is nested in it."""
        for name in self.mapping.nested:
            inner = record.get(name)
            if isinstance(inner, dict) and any(inner.get(deeper) for deeper in self.mapping.nested):
                whole = {**self._beside(record), **inner}
                return self._rows(whole, unfold(whole, self.dotted), self.shapes)
            if inner and isinstance(inner, (dict, list)) and (rows := self._nested(record, name, inner)) is not None:
                return rows
        for shape, choose in shapes:
            if _matches(unfolded, shape.match):
                return self._adapt(unfolded, shape, choose)
        return None

    def whole(self, record: Record) -> Record:
        """What a record says together with the one that it holds, if it holds one."""
        for name in self.mapping.nested:
            inner = record.get(name)
            if inner and isinstance(inner, dict):
                return _overlay(self._beside(record), inner) or record
        return record

    def _beside(self, record: Record) -> Row:
        """What a record says for those that it holds."""
        return {key: value for key, value in record.items() if value is not None and key in self.fields}

    def _nested(self, record: Record, name: str, inner: Any) -> list[Nested] | Rejection | None:
        """The rows of records in a field; fields beside it serve each of them. `None` if none is the vendor's."""
        items = inner if isinstance(inner, list) else [inner]
        beside = self._beside(record)
        overlaid = [_overlay(beside, item) for item in items[:MOST_NESTED]]
        wholes = [None if whole is None else unfold(whole, self.dotted) for whole in overlaid]
        shapes = [None if whole is None else self._shape(whole) for whole in wholes]
        if not any(shapes) and self._shape(record) is None:
            return None
        if len(items) > MOST_NESTED:
            return Rejection("malformed", f"{name} holds {len(items)} records, more than {MOST_NESTED}")
        if len(items) > 1 and len(items) * len(_ENCODE(beside)) > MOST_BESIDE:
            return Rejection("malformed", f"{name} holds {len(items)} records, and too much is beside them")
        rows: list[Nested] = []
        for number, (whole, found) in enumerate(zip(wholes, shapes, strict=True)):
            own: Record = record if len(items) == 1 else {**beside, name: [items[number]]}
            row: Row | Rejection = Rejection("malformed", f"{name}[{number}] is no object")
            if whole is not None:
                choice = found or self._shape(own)
                row = self.unknown if choice is None else self._adapt(whole, *choice)
                if isinstance(row, Rejection) and len(items) > 1:
                    row = Rejection(row.reason, f"{name}[{number}]: {row.detail}")
            rows.append(Nested(row, own))
        return rows

    def _shape(self, record: Record) -> Choices | None:
        return next((entry for entry in self.shapes if _matches(record, entry[0].match)), None)

    def _adapt(self, record: Record, shape: Shape, choose: Choose) -> Row | Rejection:
        key = tuple([key_text(record, paths) for paths in shape.key.values()])
        choices = choose(key)
        data = data_of(record, shape, self._names.get(key, {})) if shape.data else record
        if isinstance(data, Rejection):
            if any(isinstance(plan, Plan) for _, plan in choices):
                return data
            data = {}
        for when, missing, rejection in self._skips:
            if _holds(when, missing, data):
                return rejection
        for needs, plan in choices:
            if not needs or has_all(data, needs):
                return plan if isinstance(plan, Rejection) else plan.row(record, data)
        shown = zip(self.mapping.key, key, strict=True)
        names = ", ".join(f"{name} {text[:_SHOWN] or '(none)'}" for name, text in shown)
        return Rejection("not_endpoint", f"{self.mapping.id} does not read {names}")


_Key = tuple[str, ...]
_Choice = tuple[tuple[tuple[Path, ...], ...], Plan | Rejection]
Choose = Callable[[_Key], list[_Choice]]
Choices = tuple[Shape, Choose]


def _choices(mapping: VendorMapping, shape: Shape, converters: Mapping[str, Converter]) -> Choose:
    """What may become of records of a shape, by key. An event's columns stand in for the mapping's, those for the
    shape's."""
    choices: dict[_Key, list[_Choice]] = {}
    for event in mapping.events:
        columns = shape.columns | mapping.columns | event.columns
        columns = {name: column for name, column in columns.items() if name not in event.without}
        constants: Row = {**mapping.constants, **event.constants}
        plan = Rejection("not_endpoint", event.skip) if event.skip else Plan(constants, columns, converters)
        for key in product(*event.keys.values()):
            choices.setdefault(key, []).append((event.needs, plan))
    masks = {tuple(part == ANY for part in key) for key in choices}
    ordered = sorted(masks, key=lambda mask: (sum(mask), mask[::-1]))

    @lru_cache(maxsize=4096)
    def choose(key: _Key) -> list[_Choice]:
        for mask in ordered:
            found = choices.get(tuple(ANY if any_text else text for text, any_text in zip(key, mask, strict=True)))
            if found:
                return found
        return []

    return choose


def _names(event: Event) -> Names:
    """Names of the values of an event that are written without, by how many they are."""
    return {len(names): names for names in event.inserts}


def _paths(mapping: VendorMapping) -> frozenset[Path]:
    """Where the mapping looks, from the top of records."""
    columns = [column for owner in (mapping, *mapping.events) for column in owner.columns.values()]
    in_data = [path for skip in mapping.skips for path in (*skip.missing, *dict(skip.when))]
    in_data += [path for event in mapping.events for group in event.needs for path in group]
    in_data += [path for column in columns for pair in column.differs for path in pair]
    in_data += [path for column in columns for path, _ in column.unless]
    found: set[Path] = {path for group in mapping.yields for path in group}
    for shape in mapping.shapes:
        found.update(path for group in (*shape.match, *shape.key.values()) for path in group)
        found.update((*data, *path) for data in _places(shape) for path in in_data)
        for field in (field for column in (*shape.columns.values(), *columns) for field in column.all_fields):
            found.update([field.path] if field.from_record else [(*data, *field.path) for data in _places(shape)])
    return frozenset(found)


def _places(shape: Shape) -> list[Path]:
    """Where the fields of a shape may be."""
    return [shape.data, ()] if shape.beside else [shape.data]


def signs_of(mapping: VendorMapping) -> list[tuple[int, list[tuple[str, ...]]]]:
    """(place of a shape, alternative of what its records have at their top: a key for each, or the same with dots)."""
    shapes = list(enumerate(mapping.shapes))
    nested: list[list[tuple[str, ...]]] = [[(name,)] for name in mapping.nested]
    signs = [(place, keys) for place, _ in shapes for keys in nested]
    matches = [(place, paths) for place, shape in shapes for paths in shape.match]
    return signs + [(place, [_beginnings(path) for path in paths]) for place, paths in matches]


def _beginnings(path: Path) -> tuple[str, ...]:
    """Keys at the top of a record of which it has one if it has a value at the path, keys with dots among them."""
    return (path[0], ".".join(path)) if len(path) > 1 else (path[0],)


def _overlay(beside: Row, item: object) -> Row | None:
    """A nested record with the fields beside it where it has no value of its own; `None` if it is no record."""
    if not isinstance(item, dict):
        return None
    if not beside:
        return item
    own = {key: value for key, value in item.items() if value is not None and (key not in beside or _counts(value))}
    return {**beside, **own}


def _counts(value: object) -> bool:
    """True unless a value is none: a marker, or a list or an object that holds none."""
    scalar = scalar_of(value)
    return bool(value) if isinstance(value, dict) else scalar is not None and is_value(scalar)


def _matches(record: Record, alternatives: tuple[tuple[Path, ...], ...]) -> bool:
    """True if all paths of one of the alternatives lead to a value."""
    for paths in alternatives:
        for path in paths:
            value = record.get(path[0])
            if value is None or (len(path) > 1 and lookup(value, path[1:]) is None):
                break
        else:
            return True
    return False


def _holds(when: Sequence[tuple[Path, tuple[str, ...]]], missing: Sequence[Path], data: Record) -> bool:
    """True if each path of `when` leads to one of its texts, and none of `missing` to a value."""
    for path, texts in when:
        if key_text(data, (path,)) not in texts:
            return False
    return not any(key_text(data, (path,)) for path in missing)
