"""Envelopes are taken off records that no format recognises, whatever the format inside (`schemas.envelopes`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw, UnsetType

from uncommon_im.schemas.envelopes import Envelope, load_envelopes
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.dotted import dotted_keys, unfold
from uncommon_im.transforms.rules.parsing.embedded import decoded, objects_in
from uncommon_im.transforms.rules.parsing.lookups import Record, lookup

MOST_RECORDS: Final = 1 << 17
"""Records that one envelope may hold."""


class Held(NamedTuple):
    """What an envelope holds: a record, or why there is none; and what would give just that on a line of its own."""

    content: Record | Rejection
    own: Record | Raw


class Envelopes:
    """Takes envelopes off."""

    def __init__(self, envelopes: Sequence[Envelope]) -> None:
        """The envelopes that are known; of several that a record may be, the first counts."""
        self._envelopes = envelopes
        self._dotted = dotted_keys({path for each in envelopes for group in each.match for path in group})
        self._keys = frozenset(path[0] for each in envelopes for group in each.match for path in group)

    def opened(self, record: Record) -> tuple[str, list[Held] | Rejection] | None:
        """What a record holds if it is an envelope.

        Returns:
            (the envelope's id, what it holds or why that cannot be read); `None` if it is no envelope.
        """
        record = unfold(record, self._dotted)
        if self._keys.isdisjoint(record):
            return None
        for envelope in self._envelopes:
            if any(all(lookup(record, path) is not None for path in paths) for paths in envelope.match):
                found = _opened(envelope, record)
                if found is not None:
                    return envelope.id, found
        return None


def held_by_text(text: str) -> list[Held] | None:
    """The records in a line that is no record: a list of JSON, or an event's XML or JSON in a line of syslog."""
    values = objects_in(text)
    if not isinstance(values, list) or len(values) > MOST_RECORDS:
        return None
    return _records([_held(f"record {number} of the line", each) for number, each in enumerate(values, 1)])


@cache
def known_envelopes() -> Envelopes:
    """All envelopes that ship with the package."""
    return Envelopes(load_envelopes())


def _opened(envelope: Envelope, record: Record) -> list[Held] | Rejection | None:
    where = ".".join(envelope.path)
    found = lookup(record, envelope.path)
    if isinstance(found, str):
        text = found if isinstance(envelope.encoding, UnsetType) else decoded(found)
        found = text if isinstance(text, Rejection) else objects_in(text)
        if isinstance(found, Rejection):
            return Rejection(found.reason, f"{where}: {found.detail}")
    elif isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        return None
    if not isinstance(envelope.columns, UnsetType):
        found = _named(found, lookup(record, tuple(envelope.columns)))
        if found is None:
            return None
    if found == []:
        return Rejection("not_endpoint", f"{where} holds no records")
    if len(found) > MOST_RECORDS:
        return Rejection("malformed", f"{where} holds {len(found):,} records, more than {MOST_RECORDS:,}")
    return _records(list(_all_held(where, found)))


def _all_held(where: str, values: Sequence[object]) -> Iterator[Held]:
    """What each of the values is; one that is text may hold several."""
    for number, value in enumerate(values):
        inner = objects_in(value) if isinstance(value, str) else [value]
        if not isinstance(inner, list):
            inner = [value]
        for each in inner:
            yield _held(f"{where}[{number}]", each)


def _held(name: str, value: object) -> Held:
    if isinstance(value, dict):
        return Held(value, value)
    return Held(Rejection("malformed", f"{name} is no object"), Raw(msgspec.json.encode(value)))


def _records(held: list[Held]) -> list[Held] | None:
    """What is held, if a record is among it."""
    return held if any(not isinstance(each.content, Rejection) for each in held) else None


def _named(rows: Sequence[object], columns: object) -> list[object] | None:
    """Rows of values as objects; `None` if the columns have no names."""
    if not isinstance(columns, list):
        return None
    names = [column.get("name") if isinstance(column, dict) else column for column in columns]
    if not names or not all(isinstance(name, str) for name in names):
        return None
    return [dict(zip(names, row, strict=False)) if isinstance(row, list) else row for row in rows]
