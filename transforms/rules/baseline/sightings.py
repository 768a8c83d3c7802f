"""Sightings: which host showed which subject on which day (specification, sections 1 and 5).

Sightings are sets: merging is union, which is commutative, associative and idempotent, also where only so many hosts
of a (subject, day) are kept.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uncommon_im.transforms.rules.baseline import subjects
from uncommon_im.transforms.rules.baseline.subjects import NO_HOST, SHOWN_BY_COMMUNICATIONS
from uncommon_im.transforms.rules.baseline.tables import SIGHTING_SCHEMA, coded
from uncommon_im.transforms.rules.columns.column import Codes, Longs, Text, column_codes, constant, group_rows, text_of
from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.columns.text import memoise
from uncommon_im.transforms.rules.events.normalise import Events

_HOURS_A_DAY: Final = 24
_FEW_DAYS: Final = 8
"""So many days are counted one by one."""

Coverage = dict[tuple[str, int], int]
"""(tenant, day) with telemetry -> its events, counted as often as they were delivered."""


def sightings_of_activities(activities: pa.Table) -> pa.Table:
    """Sightings of communication, parentage, binary and service subjects, of `SIGHTING_SCHEMA`.

    Args:
        activities: one row per communication (before merging: an activity keeps its first event's parent only).
    """
    day = _days(activities.column("hour"))
    return distinct(
        pa.concat_tables([sightings(activities, activities.column(kind), day) for kind in SHOWN_BY_COMMUNICATIONS])
    )


def sightings_of_hours(activities: pa.Table) -> pa.Table:
    """Sightings of hours of the day with `NO_HOST`, of `SIGHTING_SCHEMA`: one per (tenant, service, hour, day).

    Args:
        activities: one row per communication (an activity keeps its first event's hour of the day only).
    """
    day, subject = _days(activities.column("hour")), activities.column("hour_of_day")
    _, first = group_rows([*column_codes(activities, ("tenant", "hour_of_day")), day.to_numpy()])
    rows = pa.array(first)
    no_host = constant(NO_HOST, len(first)).arrow()
    columns = [activities.column("tenant").take(rows), subject.take(rows), no_host, day.take(rows)]
    return pa.table(columns, schema=coded(SIGHTING_SCHEMA))


def sightings_of_executions(events: Events, rows: Longs, codes: Codes, fingerprints: list[str]) -> pa.Table:
    """Sightings of execution subjects, of `SIGHTING_SCHEMA`.

    Args:
        rows: rows of the batch that have an execution.
        codes: the code of each one's fingerprint.
        fingerprints: the fingerprints.
    """
    if not len(rows):
        return coded(SIGHTING_SCHEMA).empty_table()
    tenant, host = events.tenant_id.take(rows), events.text_at("host_id", rows)
    day = (events.time.values[rows] // DAY_US).astype(np.int32)
    _, first = group_rows([tenant.codes, codes, host.codes, day])
    texts = pa.array([subjects.execution(fingerprint) for fingerprint in fingerprints], pa.string())
    subject = pa.DictionaryArray.from_arrays(pa.array(codes[first]), texts)
    columns = [tenant.take(first).arrow(), subject, host.take(first).arrow(), pa.array(day[first])]
    return pa.table(columns, schema=coded(SIGHTING_SCHEMA))


def sightings(table: pa.Table, subject: pa.ChunkedArray, day: pa.Array) -> pa.Table:
    """Sightings of one subject column beside a table with `tenant` and `host`; rows without subject give none."""
    shown = pa.table([table.column("tenant"), subject, table.column("host"), day], SIGHTING_SCHEMA.names)
    return shown.filter(shown.column("subject").is_valid())


def distinct(table: pa.Table) -> pa.Table:
    """The rows of a sightings table, each once."""
    if table.num_rows < 2:
        return table
    _, first = group_rows(column_codes(table, SIGHTING_SCHEMA.names))
    return table.take(pa.array(first))


def cap(table: pa.Table, hosts_kept: int, *, repeats: bool = True) -> pa.Table:
    """Distinct sightings with at most `hosts_kept` hosts per (tenant, subject, day): the smallest by hash.

    Capping before merging, after it, or both gives the same. Without `repeats` the sightings are distinct already.
    """
    table = distinct(table) if repeats else table
    if not table.num_rows:
        return table
    groups, _ = group_rows(column_codes(table, ("tenant", "subject", "day")))
    crowded = np.flatnonzero(np.bincount(groups)[groups] > hosts_kept)  # others keep all their hosts
    if not len(crowded):
        return table
    host = text_of(table.column("host"))
    codes = host.codes[crowded]
    order = np.lexsort((codes, _ranks(host, codes), groups[crowded]))
    ordered = groups[crowded][order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    place = np.arange(len(ordered)) - np.repeat(starts, np.diff(starts, append=len(ordered)))
    kept = np.ones(table.num_rows, np.bool_)
    kept[crowded[order[place >= hosts_kept]]] = False
    return table.take(pa.array(np.flatnonzero(kept)))


def _ranks(host: Text, codes: Codes) -> npt.NDArray[np.uint64]:
    """The rank of the host of each code; of no other host, for each takes a microsecond."""
    used = np.unique(codes)
    ranks = np.zeros(len(host.dictionary), np.uint64)
    ranks[used] = np.array(list(map(host_rank, host.dictionary.take(pa.array(used)).to_pylist())), np.uint64)
    return ranks[codes]


@partial(memoise, entries=1 << 18)
def host_rank(host: str) -> int:
    """64 bits of a host's hash: the order in which hosts are kept."""
    return int.from_bytes(hashlib.blake2b(host.encode(), digest_size=8).digest())


def coverage_of(events: Events, used: npt.NDArray[np.bool_]) -> Coverage:
    """The days of the events among the `used` rows."""
    time, tenant = events.time.values[used], events.tenant_id
    if not len(time):
        return {}
    low = int(time.min()) // DAY_US
    span = int(time.max()) // DAY_US - low + 1
    if len(tenant.dictionary) == 1 and span <= _FEW_DAYS:
        return {(tenant.values[0], low + day): count for day, count in enumerate(_a_day(time, low, span)) if count}
    keys = tenant.codes[used].astype(np.int64) * span + (time // DAY_US - low)
    if len(tenant.dictionary) * span <= len(keys):
        counts = np.bincount(keys)
        found = np.flatnonzero(counts)
        counts = counts[found]
    else:
        found, counts = np.unique(keys, return_counts=True)
    coverage: Counter[tuple[str, int]] = Counter()
    for key, count in zip(found.tolist(), counts.tolist(), strict=True):
        coverage[tenant.values[key // span], key % span + low] += count
    return dict(coverage)


def _a_day(time: Longs, low: int, span: int) -> list[int]:
    """How many times lie on each of `span` days from day `low` on: to compare is far cheaper than to divide."""
    before = [int((time < (low + day) * DAY_US).sum()) for day in range(1, span)]
    return [after - earlier for earlier, after in itertools.pairwise([0, *before, len(time)])]


def _days(hours: pa.ChunkedArray) -> pa.Array:
    return pa.array((hours.to_numpy() // _HOURS_A_DAY).astype(np.int32))
