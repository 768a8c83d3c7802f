"""Which records are exported: a condition that each dialect writes in its own words.

A condition looks at fields of a record in the vendor's form. `holds` says what it means. A dialect has to mean the same
or more: a record too many costs a little, and changes no alert.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

from uncommon_im.transforms.rules.exports import patterns

BETWEEN: Final = "  "
"""What stands between fields that are looked at as one text; no pattern reaches over it."""


@dataclass(frozen=True)
class Is:
    """A field has one of these texts, whatever their case."""

    field: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Peers:
    """One of these fields names a messenger's server.

    Args:
        fields: names of the peer, in them maybe a URL, a port, an address.
        addresses: of these fields alone an address may tell, beside those of `fields`.
        hosts: names that cover all that is below them, too.
        exact: names that cover themselves.
        excluded: names that are none, whatever the others say; `*.x` covers what is below x and x.
        networks: address ranges in CIDR notation.
    """

    fields: tuple[str, ...]
    addresses: tuple[str, ...]
    hosts: tuple[str, ...]
    exact: tuple[str, ...]
    excluded: tuple[str, ...]
    networks: tuple[str, ...]

    @cached_property
    def named(self) -> str:
        """Regular expression of texts that name a server."""
        return "|".join(patterns.named(self.hosts, self.exact))

    @cached_property
    def out(self) -> str:
        """Regular expression of excluded names in the fields as one text; what it finds is cut out. May be empty."""
        whole = patterns.excluded(self.excluded)
        return f"(^| ){whole}( |$)" if whole else ""

    @cached_property
    def ranged(self) -> str:
        """Regular expression of texts with an address in the ranges. May be empty."""
        return "|".join(patterns.ranged(self.networks))

    @property
    def all_addresses(self) -> tuple[str, ...]:
        """Fields that may have an address."""
        return (*self.addresses, *(field for field in self.fields if field not in self.addresses))


@dataclass(frozen=True)
class Ran:
    """One of these fields is the name or the path of a scripting engine."""

    fields: tuple[str, ...]
    engines: tuple[str, ...]

    @cached_property
    def pattern(self) -> str:
        """Regular expression of texts that end with an engine's name."""
        return patterns.engine(self.engines)


@dataclass(frozen=True)
class All:
    """All of these hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """One of these holds."""

    parts: tuple[Condition, ...]


Condition = Is | Peers | Ran | All | AnyOf


def holds(condition: Condition, record: Mapping[str, Any]) -> bool:
    """Whether a record is exported. Fields are keys of the record, or dots go down to them."""
    match condition:
        case Is(field, texts):
            known = {text.lower() for text in texts}
            return any(text.lower() in known for text in _texts(record, field))
        case Ran(fields):
            return _found(condition.pattern, _joined(record, fields))
        case Peers(fields):
            peers = _joined(record, fields)
            left = _compiled(condition.out).sub(BETWEEN, peers) if condition.out else peers
            return _found(condition.named, left) or _found(condition.ranged, _joined(record, condition.all_addresses))
        case All(parts):
            return all(holds(part, record) for part in parts)
        case AnyOf(parts):
            return any(holds(part, record) for part in parts)


def fields_of(condition: Condition) -> set[str]:
    """The fields that a condition looks at."""
    match condition:
        case Is(field):
            return {field}
        case Ran(fields):
            return set(fields)
        case Peers():
            return set(condition.all_addresses)
        case All(parts) | AnyOf(parts):
            return set().union(*map(fields_of, parts))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _found(pattern: str, text: str) -> bool:
    return bool(pattern) and _compiled(pattern).search(text) is not None


def _joined(record: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    return BETWEEN.join(text for field in fields for text in _texts(record, field)).lower()


def _texts(record: Mapping[str, Any], field: str) -> Iterator[str]:
    value: Any = record.get(field)
    if value is None:
        value = record
        for key in field.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
    for each in value if isinstance(value, list) else [value]:
        if each is not None:
            yield json.dumps(each, ensure_ascii=False) if isinstance(each, Mapping) else str(each)
