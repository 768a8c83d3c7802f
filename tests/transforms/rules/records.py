"""Small inputs for the tests of the rules: batches of records, tables of activities and sightings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from hypothesis import settings
from msgspec import structs

from uncommon_im.schemas.catalogue import Catalogue, load_catalogue
from uncommon_im.schemas.catalogue.load import parse_services
from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.transforms.rules.baseline.tables import ACTIVITY_SCHEMA, SIGHTING_SCHEMA
from uncommon_im.transforms.rules.columns.coerce import coerce_values
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.events.raw_batch import RawBatch

Record = dict[str, Any]
Sighting = tuple[str, str, str, int]

CATALOGUE = load_catalogue()
DAY = 20_000
"""A day number of 2024."""
DAY_US = 86_400_000_000
RECORD: Record = {
    "event_time": DAY * DAY_US // 1000,
    "host_id": "h1",
    "process_name": "a.exe",
    "remote_host": "api.telegram.org",
}
"""As little as a valid event needs, at the first moment of `DAY`."""

quick = settings(max_examples=60, deadline=None)


@dataclass(frozen=True, eq=False)
class Batch(RawBatch):
    """Columns as a source would hold them."""

    columns: dict[str, pa.Array]
    size: int
    problems: dict[int, str] = field(default_factory=dict)
    doubted: tuple[str, ...] = ()

    @property
    def num_rows(self) -> int:
        return self.size

    def column(self, name: str) -> pa.Array | None:
        return self.columns.get(name)

    def doubtful(self) -> Iterable[str]:
        return self.doubted

    def malformed(self) -> dict[int, str]:
        return self.problems

    def dead_letters(self, rejections: Sequence[Rejection]) -> list[DeadLetter]:
        return [DeadLetter(r.reason, r.detail, "test", r.row + 1, "") for r in rejections]


def events_of(*records: Record, tenant: str = "default") -> Events:
    """Native records as a batch of events."""
    columns: dict[str, pa.Array] = {}
    problems: dict[int, str] = {}
    for name in EVENT_COLUMNS:
        if any(name in record for record in records):
            columns[name], found = coerce_values(name, [record.get(name) for record in records])
            problems |= found
    return Events(Batch(columns, len(records), problems), tenant)


def activity(**changes: Any) -> Record:
    """A row of an activities table in the first hour of `DAY`."""
    row: Record = dict.fromkeys(ACTIVITY_SCHEMA.names)
    row |= {
        "tenant": "acme",
        "host": "h1",
        "program": "a.exe",
        "origin": "unknown:/opt",
        "script": "",
        "service": "telegram",
        "reasons": "",
        "excepted": False,
        "hour": DAY * 24,
        "reduced_script": "",
        "communication": "c",
        "event_time": DAY * DAY_US,
        "event_id": "e1",
        "attribution": "domain",
        "matched": "telegram.org",
        "events": 1,
    }
    return row | changes


def activities(*rows: Record) -> pa.Table:
    """Rows as a table of `ACTIVITY_SCHEMA`."""
    return pa.Table.from_pylist(list(rows), ACTIVITY_SCHEMA)


def sightings(rows: Iterable[Sighting]) -> pa.Table:
    """(tenant, subject, host, day) rows as a table of `SIGHTING_SCHEMA`."""
    listed = [dict(zip(SIGHTING_SCHEMA.names, row, strict=True)) for row in rows]
    return pa.Table.from_pylist(listed, SIGHTING_SCHEMA)


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """The rows of a table, sorted."""
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


def catalogue_of(*services: Record, exclusions: Sequence[str] = ()) -> Catalogue:
    """The shipped catalogue with other services and exclusions."""
    parsed, excluded = parse_services({"services": list(services), "exclusions": list(exclusions)}, "test.yaml")
    return structs.replace(CATALOGUE, services=parsed, exclusions=excluded)
