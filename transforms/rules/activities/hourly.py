"""Activities: communications of one hour, represented by their first event (specification, sections 1 and 7).

Merging is commutative, associative and, but for the numbers of events and bytes, idempotent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uncommon_im.transforms.rules.baseline import subjects
from uncommon_im.transforms.rules.baseline.tables import ACTIVITY_KEY, ACTIVITY_SCHEMA, DETAILS, coded
from uncommon_im.transforms.rules.columns.column import (
    Codes,
    Longs,
    column_codes,
    group_rows,
    numbers_of,
    one_chunk,
    run_starts,
)
from uncommon_im.transforms.rules.columns.days import HOUR_US
from uncommon_im.transforms.rules.columns.local_time import local_hours
from uncommon_im.transforms.rules.events.event_id import details_order, row_details
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.recognition.communications import Communications

TOTALS: Final = ("events", "total_sent", "total_received")


def activities_of(events: Events, found: Communications, time_zone: str) -> pa.Table:
    """Communications in the form of activities, not merged yet: of `ACTIVITY_SCHEMA`, one row per communication.

    Args:
        events: the batch.
        found: its communications.
        time_zone: in which hours of the day are counted.
    """
    rows = found.rows
    identity = _spread(found.identities, found.identity)
    match = _spread(found.matches, found.match)
    service = match(lambda m: m.service_id)
    time = events.time.values[rows]
    hashes = events.text_at("process_sha256", rows)
    sent, received = events.numbers_at("bytes_sent", rows), events.numbers_at("bytes_received", rows)
    columns: dict[str, pa.Array] = {
        "tenant": events.tenant_id.take(rows).arrow(),
        "host": events.text_at("host_id", rows).arrow(),
        "program": identity(lambda i: i.name),
        "origin": identity(lambda i: i.origin),
        "script": identity(lambda i: i.script),
        "service": service,
        "reasons": identity(lambda i: ",".join(i.reasons)),
        "fingerprint": identity(lambda i: i.fingerprint),
        "excepted": pa.array(found.excepted),
        "hour": pa.array(time // HOUR_US),
        "reduced_script": identity(lambda i: i.reduced_script),
        "communication": _communications(found),
        "execution": identity(lambda i: i.fingerprint and subjects.execution(i.fingerprint)),
        "parentage": identity(lambda i: i.parent and subjects.parentage(i.parent, i)),
        "binary": hashes.translate(subjects.binary).arrow(),
        "service_use": match(lambda m: subjects.service_use(m.service_id)),
        "hour_of_day": _hours_of_day(found, local_hours(time, time_zone)),
        "event_time": pa.array(time),
        "event_id": events.text_at("event_id", rows).arrow(),
        "attribution": match(lambda m: m.attribution),
        "matched": match(lambda m: m.matched),
        "events": pa.array(np.ones(len(rows), np.int64)),
        "total_sent": sent.arrow(),
        "total_received": received.arrow(),
    }
    for name in ("start_event_id", "start_time"):
        columns[name] = events.completed_at(name, rows)
    for name in DETAILS:
        if name not in columns:
            columns[name] = events.column_at(name, rows).arrow()
    return pa.table([columns[name] for name in ACTIVITY_SCHEMA.names], schema=coded(ACTIVITY_SCHEMA))


def merge_activities(table: pa.Table, details: Callable[[Longs], pa.Table] | None = None) -> pa.Table:
    """One row per activity: its first event, its totals.

    The first event is the smallest (event_time, event_id); events that share both are told apart by their content.

    Args:
        table: the columns of `ACTIVITY_KEY`, `event_time`, `TOTALS`, and any others.
        details: rows of the table with all columns, where the table itself has not all: asked for if times are equal.
    """
    if table.num_rows < 2:
        return table
    table = pa.table([one_chunk(column) for column in table.columns], schema=table.schema)
    groups, _ = group_rows(column_codes(table, ACTIVITY_KEY))
    time = table.column("event_time").to_numpy()
    order = np.lexsort((time, groups))
    ordered, ordered_time = groups[order], time[order]
    starts = run_starts(ordered)
    rivals = np.add.reduceat((ordered_time == ordered_time[starts][ordered]).astype(np.int64), starts)
    first = order[starts]
    tied_groups = np.flatnonzero(rivals > 1)
    if len(tied_groups):
        ties = [order[starts[group] : starts[group] + rivals[group]] for group in tied_groups]
        rows = np.concatenate(ties)
        known = (details or (lambda wanted: table.take(pa.array(wanted))))(rows)
        orders = (details_order(row_details(known, row)) for row in range(len(rows)))
        ranks = dict(zip(rows.tolist(), orders, strict=True))
        first[tied_groups] = [min(tie.tolist(), key=ranks.__getitem__) for tie in ties]
    merged = table.take(pa.array(first))
    for name in TOTALS:
        merged = merged.set_column(
            merged.schema.get_field_index(name), ACTIVITY_SCHEMA.field(name), _sums(table, name, order, starts)
        )
    return merged


def _sums(table: pa.Table, name: str, order: Longs, starts: Longs) -> pa.Array:
    numbers = numbers_of(table.column(name))
    sums = np.add.reduceat(numbers.values[order], starts)
    counts = np.add.reduceat(numbers.present[order].astype(np.int64), starts)
    return pa.array(sums, mask=counts == 0)


def _communications(found: Communications) -> pa.Array:
    """The communication subject of each row."""

    def subject(row: int) -> str:
        return subjects.communication(found.identities[found.identity[row]], found.matches[found.match[row]].service_id)

    return _written_once([found.identity, found.match], subject)


def _hours_of_day(found: Communications, hours: Longs) -> pa.Array:
    """The subject of each row that tells when its service is used."""

    def subject(row: int) -> str:
        return subjects.hour_of_day(found.matches[found.match[row]].service_id, int(hours[row]))

    return _written_once([found.match, hours], subject)


def _written_once(keys: list[npt.NDArray[np.integer[Any]]], subject: Callable[[int], str]) -> pa.Array:
    """A column of `subject(row)`, which is asked once for rows that agree in the keys."""
    groups, first = group_rows(keys) if len(keys[0]) else (keys[0], keys[0])
    texts = pa.array([subject(row) for row in first.tolist()], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(groups.astype(np.int32)), texts)


def _spread(items: list[Any], codes: Codes) -> Callable[[Callable[[Any], str | None]], pa.Array]:
    """A function that makes a column of a property of each row's item."""
    indices = pa.array(codes)

    def column(of: Callable[[Any], str | None]) -> pa.Array:
        return pa.array([of(item) for item in items], pa.string()).dictionary_encode().take(indices)

    return column
