"""How one kind of vendor record becomes a row: a mapping's columns compiled to look-ups (`schemas.mapping`).

Fields are looked up with as few calls as there can be: this is most of what reading JSON of vendors costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from functools import cached_property
from typing import Any, Final

from msgspec import UnsetType

from uncommon_im.schemas.mapping_fields import Column, Conditions, Field, Path
from uncommon_im.transforms.rules.columns.coerce import Scalar
from uncommon_im.transforms.rules.columns.text import UNMARKED, is_marker
from uncommon_im.transforms.rules.parsing.converters import TAKE_LISTS, Converter, memoise
from uncommon_im.transforms.rules.parsing.lookups import Record, Row, is_value, key_text, lookup, scalar_of

Getter = Callable[[Record, Record], Scalar]
"""A column's value, from (record, data of the record)."""

_Choice = tuple[str, Path, Converter | None]
"""Key at the top of the data, the steps down from there, what converts the value."""

JOINT: Final = "@"
"""Between the values of fields that are joined."""
_ODD: Final[Any] = ()
"""No value of JSON: stands for one on whose way there is a list."""
_MANY: Final = 20
_MOST_NARROWED: Final = 256
"""Kinds of records, by their keys, that a plan is cut down for: bounds memory, not results."""


class Plan:
    """The columns of one kind of record in one shape: plain keys of the data are looked up without a call.

    Attributes:
        constants: columns with the same value in every record, unless a field has one.
        fields: (key, converter) of each field, first to last choice, of the columns that are plain.
    """

    def __init__(self, constants: Row, columns: Mapping[str, Column], converters: Mapping[str, Converter]) -> None:
        self.constants = constants
        self.fields: dict[str, tuple[tuple[str, Converter | None], ...]] = {}
        self._plain: list[tuple[str, str, Converter | None]] = []
        self._several: list[tuple[str, tuple[_Choice, ...], Conditions, Getter]] = []
        self._other: list[tuple[str, Getter]] = []
        self._getters: dict[str, Getter] = {}
        self._columns, self._converters = columns, converters
        self._narrow: dict[tuple[str, ...], Plan] = {}
        for name, column in columns.items():
            conversions = [_converter(column, field.convert, converters) for field in column.fields]
            if column.is_plain and TAKE_LISTS.isdisjoint(conversions):
                keys = [field.path[0] for field in column.fields]
                self.fields[name] = tuple(zip(keys, conversions, strict=True))
            get = _getter(column, conversions, converters)
            if column.differs or column.joined or any(field.from_record for field in column.fields):
                self._other.append((name, get))
            elif len(self.fields.get(name, ())) == 1:
                [(key, convert)] = self.fields[name]
                get = _single(key, convert)
                self._plain.append((name, key, convert))
            else:
                choices = zip(column.fields, conversions, strict=True)
                usual = tuple([(field.path[0], field.path[1:], convert) for field, convert in choices])
                self._several.append((name, usual, column.unless, get))
            self._getters[name] = get

    def is_plain(self, names: Set[str] | None) -> bool:
        """True if the named columns (`None`: all) are made of fields at the top of the data, as `fields` has them."""
        columns = self._columns.keys()
        return (columns if names is None else columns & names) <= self.fields.keys()

    @cached_property
    def _tops(self) -> frozenset[str]:
        """Keys at the top of the data that columns depend on, if so many lie deeper that it pays to know them."""
        columns = self._columns.values()
        paths = [field.path for column in columns for field in column.fields if not field.from_record]
        if sum(len(path) > 1 for path in paths) < _MANY:
            return frozenset()
        paths += [path for column in columns for path, _ in column.unless]
        return frozenset(path[0] for path in paths)

    def _narrowed(self, data: Record) -> Plan:
        """The plan without fields that data with these keys cannot have: choices among vendors' fields are many."""
        keys = tuple([key for key in data if key in self._tops])
        found = self._narrow.get(keys)
        if found is None:
            if len(self._narrow) >= _MOST_NARROWED:
                return self
            columns = ((name, column.narrowed(keys)) for name, column in self._columns.items())
            left = {name: column for name, column in columns if column is not None}
            found = self._narrow[keys] = Plan(self.constants, left, self._converters)
        return found

    def row(self, record: Record, data: Record) -> Row:
        """The row of a record, without columns that have no value."""
        plan = self._narrowed(data) if self._tops else self
        return plan._row(record, data)

    def _row(self, record: Record, data: Mapping[str, Any]) -> Row:
        row = self.constants.copy()
        for name, key, convert in self._plain:
            value = data.get(key)
            if value is None:
                continue
            scalar = value if type(value) is str or type(value) is int else scalar_of(value)
            if scalar is not None and (convert is None or (scalar := convert(scalar)) is not None):
                row[name] = scalar
        for name, choices, unless, get in self._several:
            marker: Scalar = None
            found: Scalar = None
            for key, rest, convert in choices:
                value = data.get(key)
                for step in rest:
                    if type(value) is not dict:
                        value = _ODD if type(value) is list else None
                        break
                    value = value.get(step)
                if value is None:
                    continue
                kind = type(value)
                if kind is str:
                    if value[:1] not in UNMARKED and is_marker(value):
                        marker = value if marker is None else marker
                        continue
                elif kind is not int and (kind is not list or convert not in TAKE_LISTS):
                    found = get(record, data)
                    break
                found = value if convert is None else convert(value)
                if found is not None:
                    break
            else:
                found = marker
            if found is not None and not (unless and _holds_any(data, unless)):
                row[name] = found
        for name, get in self._other:
            found = get(record, data)
            if found is not None:
                row[name] = found
        return row

    def getter(self, name: str) -> Callable[[Record, Record], object]:
        """What gives one column of the row."""
        get, constant = self._getters.get(name), self.constants.get(name)
        if get is None:
            return lambda record, data: constant
        if constant is None:
            return get

        def or_constant(record: Record, data: Record) -> object:
            found = get(record, data)
            return constant if found is None else found

        return or_constant


def _converter(column: Column, name: str, converters: Mapping[str, Converter]) -> Converter | None:
    """The named converter, followed by the column's table of values."""
    convert = converters[name] if name else None
    if isinstance(column.values, UnsetType):
        return convert
    table = {str(text).strip().lower(): value for text, value in column.values.items()}
    keep = column.otherwise == "keep"

    @memoise
    def translate(value: Scalar) -> Scalar:
        converted = value if convert is None else convert(value)
        return table.get(str(converted).strip().lower(), converted if keep else None)

    return translate


def _single(key: str, convert: Converter | None) -> Getter:
    """The value of a field, markers as any other text."""

    def get(record: Record, data: Record) -> Scalar:
        scalar = scalar_of(data.get(key))
        return scalar if scalar is None or convert is None else convert(scalar)

    return get


def _getter(column: Column, conversions: Iterable[Converter | None], converters: Mapping[str, Converter]) -> Getter:
    """The first field with a value; if all hold but markers (`-`, `N/A`), the first of these, for the normaliser."""
    choices = list(zip(column.fields, conversions, strict=True))
    get = _first(choices)
    if len(choices) == 1:
        get = _usually(*choices[0], get)
    if column.joined:
        get = _or_joined(get, column, converters)
    pairs, unless = column.differs, column.unless
    if not pairs and not unless:
        return get

    def get_if(record: Record, data: Record) -> Scalar:
        found = get(record, data)
        if found is None or (pairs and not _differ(data, pairs)):
            return None
        return None if unless and _holds_any(data, unless) else found

    return get_if


def _holds_any(data: Record, conditions: Conditions) -> bool:
    """True if one of the fields has one of its texts."""
    return any(key_text(data, (path,)) in texts for path, texts in conditions)


def _first(choices: Iterable[tuple[Field, Converter | None]]) -> Getter:
    fields = [(field.path[0], field.from_record, field.path[1:], convert) for field, convert in choices]

    def get(record: Record, data: Record) -> Scalar:
        marker: Scalar = None
        for first, from_record, rest, convert in fields:
            value = (record if from_record else data).get(first)
            for key in rest:
                if value is None:
                    break
                value = value.get(key) if type(value) is dict else lookup(value, (key,))
            if value is None:
                continue
            scalar: Any = value
            if type(value) is not str and type(value) is not int and convert not in TAKE_LISTS:
                scalar = scalar_of(value)
            if type(scalar) is str and scalar[:1] not in UNMARKED and is_marker(scalar):
                marker = scalar if marker is None else marker
                continue
            if scalar is not None and (convert is None or (scalar := convert(scalar)) is not None):
                return scalar
        return marker

    return get


def _usually(field: Field, convert: Converter | None, otherwise: Getter) -> Getter:
    """A text or number at the top or one step below, as most are; `otherwise` reads what is not."""
    first, *rest = field.path
    if field.from_record or len(rest) > 1:
        return otherwise
    below = rest[0] if rest else None

    def get(record: Record, data: Record) -> Scalar:
        value: Any = data.get(first)
        if below is not None and type(value) is dict:
            value = value.get(below)
        elif below is not None:
            return None if value is None else otherwise(record, data)
        if type(value) is int or (type(value) is str and value[:1] in UNMARKED):
            return value if convert is None else convert(value)
        return None if value is None else otherwise(record, data)

    return get


def _or_joined(get: Getter, column: Column, converters: Mapping[str, Converter]) -> Getter:
    conversions = [(field, converters[field.convert] if field.convert else None) for field in column.joined]
    parts = [_usually(field, convert, _first([(field, convert)])) for field, convert in conversions]

    def get_or_join(record: Record, data: Record) -> Scalar:
        found = get(record, data) if column.fields else None
        if found is not None and is_value(found):
            return found
        values: list[str] = []
        for part in parts:
            value = part(record, data)
            if value is None or not is_value(value):
                return found
            values.append(str(value))
        return JOINT.join(values)

    return get_or_join


def _differ(data: Record, pairs: tuple[tuple[Path, ...], ...]) -> bool:
    """True if the first of the pairs of which both have a value differ."""
    for one, other in pairs:
        value = lookup(data, one)
        if type(value) is str and value == lookup(data, other) and not is_marker(value):
            return False
        first, second = key_text(data, (one,)), key_text(data, (other,))
        if first and second:
            return first != second
    return False
