"""Vendor records to native columns, as a mapping says (`schemas.mapping`).

Values stay raw: trimming, markers such as `-`, numbers in text and times are the normaliser's. A value that is no
text, number or null becomes one: of a list the first that is one, true and false as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address
from itertools import product
from typing import Final, Literal

from schemas.documents import ConfigurationError
from schemas.mapping import Column, Path, Shape, Skip, VendorMapping
from transforms.rules.text import MISSING, base_name, is_address

Scalar = str | int | float | None
Converter = Callable[[Scalar], Scalar]
"""One raw value that is not null in, one out; `None` says that it is no value."""
Record = Mapping[str, object]
Getter = Callable[[Record, Record], Scalar]
"""A column's value, from (record, data of the record)."""
Row = dict[str, object]
"""Native columns with raw values, and `failed: True` for a connection that did not come about."""

_SHOWN: Final = 80
_remembered: Final = lru_cache(maxsize=8192, typed=True)  # hosts, images, channels come again and again
_FLAGS: Final = re.ASCII | re.IGNORECASE
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:[.,]\d+)?) ?(?:(Z)|([+-]\d\d)(?::?(\d\d))?)?", _FLAGS
)
_VOLUME: Final = re.compile(r"\\device\\harddiskvolume\d+\\", _FLAGS)
_SHA256: Final = re.compile(r"(?<![a-z0-9])SHA256=([0-9a-f]{64})(?![0-9a-f])", _FLAGS)
_WIDENED: Final = re.compile(r"([0-9a-f]{1,4}):([0-9a-f]{1,4})(?::3[0-9]00){6}", _FLAGS)
_UNKNOWN_IMAGE: Final = frozenset(("-", "<unknown process>", "&lt;unknown process&gt;"))


@dataclass(frozen=True)
class Rejected:
    """Why a record is no row: `malformed` (not a record of the vendor) or `not_endpoint` (no process by design)."""

    reason: Literal["malformed", "not_endpoint"]
    detail: str


def adapt(record: Record, mapping: VendorMapping, keep_domain: bool = False) -> Row | Rejected:
    """The row of a vendor record, without columns that have no value; `keep_domain`: `host_id` keeps its domain."""
    return adapter(mapping, keep_domain).adapt(record)


@lru_cache(maxsize=64)
def adapter(mapping: VendorMapping, keep_domain: bool = False) -> Adapter:
    """The compiled mapping; raises `ConfigurationError` if it names a converter that does not exist."""
    return Adapter(mapping, keep_domain)


def _rfc3339(value: Scalar, default_zone: str = "") -> Scalar:
    """A text of date, time and perhaps zone as RFC 3339.

    `None` for other texts, for numbers, and where there is no zone and no default: nobody knows a local time's zone.
    """
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    day, time, utc, hours, minutes = found.groups()
    zone = "Z" if utc else f"{hours}:{minutes or '00'}" if hours else default_zone
    return f"{day}T{time.replace(',', '.')}{zone}" if zone else None


def _whole_computer(value: Scalar) -> Scalar:
    """A computer's whole name as `host_id`: lower case, without the dot that may end it."""
    return str(value).strip().lower().rstrip(".")


@_remembered
def _computer(value: Scalar) -> Scalar:
    """The first label of a computer's name, lower case; an address has no labels and is kept whole."""
    name = str(_whole_computer(value))
    return name if is_address(name) else name.partition(".")[0] or name


@_remembered
def _image(value: Scalar) -> str | None:
    """A process's image; `None` for `-` and `<unknown process>`, XML-escaped or not (Sysmon 3, 22)."""
    text = str(value).strip()
    return None if text.lower() in _UNKNOWN_IMAGE else text


@_remembered
def _device_path(value: Scalar) -> Scalar:
    """A path of Security 5156 as programs write it. The event does not say a volume's letter: it is taken for C."""
    return _VOLUME.sub(r"C:\\", str(value).strip(), count=1)


def _sysmon_address(value: Scalar) -> Scalar:
    """An address; an IPv4 one that Sysmon 9.01 widened to IPv6 is narrowed again.

    It wrote four bytes and left UTF-16 digits behind them: `a00:203:3000:3000:3000:3000:3000:3300` is 10.0.2.3.
    """
    widened = _WIDENED.fullmatch(value.strip()) if isinstance(value, str) else None
    return str(IPv4Address(int(widened[1], 16) << 16 | int(widened[2], 16))) if widened else value


def _sha256(value: Scalar) -> Scalar:
    """The SHA256 of Sysmon's `Hashes` (`SHA1=...,SHA256=...`), lower case; `None` if it is not among them."""
    found = _SHA256.search(str(value))
    return found[1].lower() if found else None


CONVERTERS: Final[dict[str, Converter]] = {
    "utc_time": lambda value: _rfc3339(value, "Z") or value,  # Sysmon's `UtcTime` does not say that it is UTC
    "zoned_time": _rfc3339,
    "computer": _computer,
    "image": _image,
    "image_name": lambda value: base_name(_image(value) or "") or None,
    "device_path": _device_path,
    "sysmon_address": _sysmon_address,
    "sha256": _sha256,
    "only_text": lambda value: value if isinstance(value, str) else None,
}


class Adapter:
    """A mapping compiled to getters; `adapt` rejects a record that it does not recognise."""

    def __init__(self, mapping: VendorMapping, keep_domain: bool) -> None:
        converters = {**CONVERTERS, "computer": _whole_computer} if keep_domain else CONVERTERS
        self.mapping = mapping
        self._shapes = [(shape, _plans(mapping, shape, converters)) for shape in mapping.shapes]

    def adapt(self, record: Record) -> Row | Rejected:
        row = self.recognise(record)
        if row is not None:
            return row
        needed = ", or ".join(" and ".join(map(".".join, shape.match[0])) for shape in self.mapping.shapes)
        return Rejected("malformed", f"not a {self.mapping.id} record: expected {needed}")

    def recognise(self, record: Record) -> Row | Rejected | None:
        """The row of a record, or why it is none; `None` if it has none of the vendor's shapes."""
        for shape, plans in self._shapes:
            if _matches(record, shape):
                return self._adapt(record, shape, plans)
        return None

    def _adapt(self, record: Record, shape: Shape, plans: _Plans) -> Row | Rejected:
        data = _lookup(record, shape.data) if shape.data else record
        if data is None:
            data = {}
        elif not isinstance(data, dict):
            return Rejected("malformed", f"{'.'.join(shape.data)} is no object")
        for skip in self.mapping.skips:
            if _skipped(skip, data):
                return Rejected("not_endpoint", skip.detail)
        key = tuple([_key_text(record, paths) for paths in shape.key])
        plan = plans.get(key)
        if plan is None:
            shown = zip(self.mapping.key, key, strict=True)
            names = ", ".join(f"{name} {text[:_SHOWN] or '(none)'}" for name, text in shown)
            return Rejected("not_endpoint", f"{self.mapping.id} does not read {names}")
        return plan.row(record, data)


class _Plan:
    """How one kind of record in one shape becomes a row: plain keys of the data are looked up without a call."""

    def __init__(self, constants: Row, columns: list[Column], converters: Mapping[str, Converter]) -> None:
        self._constants = constants
        self._plain: list[tuple[str, str, Converter | None]] = []
        self._other: list[tuple[str, Getter]] = []
        for column in columns:
            first = column.fields[0]
            if len(column.fields) == 1 and len(first.path) == 1 and not first.from_record:
                self._plain.append(
                    (column.name, first.path[0], _converter(column, first.convert, converters))
                )
            else:
                self._other.append((column.name, _getter(column, converters)))

    def row(self, record: Record, data: Record) -> Row:
        row = self._constants.copy()
        for name, key, convert in self._plain:
            value = data.get(key)
            scalar = value if value is None or type(value) is str else _scalar(value)
            if scalar is not None and (convert is None or (scalar := convert(scalar)) is not None):
                row[name] = scalar
        for name, get in self._other:
            found = get(record, data)
            if found is not None:
                row[name] = found
        return row


_Plans = dict[tuple[str, ...], _Plan]


def _plans(mapping: VendorMapping, shape: Shape, converters: Mapping[str, Converter]) -> _Plans:
    """The plans of a shape. An event's columns stand in for the mapping's, those for the shape's."""
    plans: _Plans = {}
    for event in mapping.events:
        columns = {column.name: column for column in (*shape.columns, *mapping.columns, *event.columns)}
        plan = _Plan(dict((*mapping.constants, *event.constants)), list(columns.values()), converters)
        plans.update(dict.fromkeys(product(*event.keys), plan))
    return plans


def _converter(column: Column, name: str | None, converters: Mapping[str, Converter]) -> Converter | None:
    """The named converter, followed by the column's table of values."""
    if name is not None and name not in converters:
        known = ", ".join(sorted(converters))
        raise ConfigurationError(f"{column.where}: unknown converter {name!r} (known: {known})")
    convert = None if name is None else converters[name]
    if column.values is None:
        return convert
    table, keep = dict(column.values), column.keep_other

    def translate(value: Scalar) -> Scalar:
        converted = value if convert is None else convert(value)
        return table.get(str(converted).strip().lower(), converted if keep else None)

    return translate


def _getter(column: Column, converters: Mapping[str, Converter]) -> Getter:
    """The first field with a value; if all hold but markers (`-`, `N/A`), the first of these, for the normaliser."""
    fields = [
        (field.from_record, field.path[0], field.path[1:], _converter(column, field.convert, converters))
        for field in column.fields
    ]

    def get(record: Record, data: Record) -> Scalar:
        marker: Scalar = None
        for from_record, first, rest, convert in fields:
            value = (record if from_record else data).get(first)
            if rest:
                value = _lookup(value, rest)
            scalar = value if value is None or type(value) is str else _scalar(value)
            if type(scalar) is str and scalar.strip().lower() in MISSING:
                marker = scalar if marker is None else marker
            elif scalar is not None and (convert is None or (scalar := convert(scalar)) is not None):
                return scalar
        return marker

    return get


def _matches(record: Record, shape: Shape) -> bool:
    """True if all paths of one of the shape's alternatives lead to a value."""
    for paths in shape.match:
        for path in paths:
            value = record.get(path[0])
            if value is None or (len(path) > 1 and _lookup(value, path[1:]) is None):
                break
        else:
            return True
    return False


def _skipped(skip: Skip, data: Record) -> bool:
    held = all(_key_text(data, (path,)) in texts for path, texts in skip.when)
    return held and not any(_key_text(data, (path,)) for path in skip.missing)


def _key_text(record: Record, paths: tuple[Path, ...]) -> str:
    """The first value of the paths as text of a key; empty if there is none."""
    for path in paths:
        value = record.get(path[0]) if len(path) == 1 else _lookup(record, path)
        text = _folded(value if type(value) is str else _scalar(value))
        if text:
            return text
    return ""


@_remembered
def _folded(value: Scalar) -> str:
    """A value as trimmed lower-case text, `3.0` as `3`; empty for `None` and markers."""
    text = "" if value is None else str(value).strip().lower().removesuffix(".0")
    return "" if text in MISSING else text


def _lookup(value: object, path: Path) -> object:
    """What is at the end of a path down from a value, `None` if there is nothing."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _scalar(value: object) -> Scalar:
    """A value as text, number or `None`; of a list its first such value (lists in lists are not followed)."""
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, str | int | float)), None)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (str, int, float)) else None
