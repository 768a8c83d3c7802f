"""What a block of events says of hosts, tenants and hours of the day, each thing once (sections 1 and 9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from uncommon_im.transforms.rules.activities.hourly import merge_activities
from uncommon_im.transforms.rules.baseline import subjects
from uncommon_im.transforms.rules.baseline.subjects import NO_HOST, SHOWN_BY_COMMUNICATIONS
from uncommon_im.transforms.rules.columns.column import Codes, Longs, Mask, group_rows, run_starts, text_of
from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.instances.event_rows import event_rows
from uncommon_im.transforms.rules.instances.packed import pack_rows
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import (
    Communication,
    Covered,
    HostRecords,
    Output,
    Shown,
    Sighting,
    Starts,
    Unfinished,
    key_of,
)

_NEVER: Final = 2**62


class HostArrival(NamedTuple):
    """The records of one host under their key; the earliest of them counts from `instant` (ms) on."""

    key: str
    records: HostRecords
    instant: int


class HourSighting(NamedTuple):
    """A sighting of an hour of the day under its subject's key, and the instant (ms) from which it counts."""

    key: str
    sighting: Sighting
    instant: int


@dataclass(frozen=True, eq=False)
class Times:
    """Event and arrival times of some rows, and what follows from them.

    Args:
        time: of the events, in µs.
        arrival: in µs.
        lateness: of the stream.
        completed: when they were completed, in ms; `None`: they are as they came.
    """

    time: Longs
    arrival: Longs
    lateness: Lateness
    completed: Longs | None = None

    def at(self, rows: Longs) -> Times:
        """Those of some of the rows."""
        completed = None if self.completed is None else self.completed[rows]
        return Times(self.time[rows], self.arrival[rows], self.lateness, completed)

    def distinct(self, *codes: Codes) -> tuple[Longs, list[tuple[int, int, int, int]]]:
        """Rows that agree in codes, in day and in the day after which they count, each group once.

        Returns:
            (first row of each group, its (day, day after which it counts, smallest stamp, number of rows)).
        """
        if not len(self.time):
            return np.zeros(0, np.int64), []
        day, counts_after = self.day, self.counts_after
        groups, first = group_rows([*codes, day, counts_after])
        order = np.argsort(groups, kind="stable")
        stamps = np.minimum.reduceat(self.stamp[order], run_starts(groups[order]))
        columns = (day[first], counts_after[first], stamps, np.bincount(groups))
        return first, list(zip(*(column.tolist() for column in columns), strict=True))

    @property
    def day(self) -> Longs:
        """Of the events."""
        return self.time // DAY_US

    @property
    def counts_after(self) -> Longs:
        """The last day whose baseline does not yet see them."""
        return self.lateness.counts_after(self.time, self.arrival)

    @property
    def instant(self) -> Longs:
        """From which they count, in ms."""
        return self.lateness.instants(self.time, self.arrival)

    @property
    def stamp(self) -> Longs:
        """Before which nothing that follows from them leaves, in ms."""
        return self.instant if self.completed is None else self.completed

    @property
    def late(self) -> Mask:
        """Whether they took longer than allowed."""
        return self.lateness.late(self.time, self.arrival)

    @property
    def too_late(self) -> Mask:
        """Whether they only teach."""
        return self.lateness.too_late(self.time, self.arrival)


def covered(events: Events, used: Mask, time: Times) -> Iterator[Covered]:
    """Days on which the `used` rows of a block are telemetry; `time` is that of all rows."""
    tenant = events.tenant_id
    codes = tenant.codes[used]
    first, groups = time.at(np.flatnonzero(used)).distinct(codes)
    for code, (day, counts_after, instant, number) in zip(codes[first].tolist(), groups, strict=True):
        yield Covered(tenant.values[code], day, counts_after, number, instant)


def hours(activities: pa.Table, time: Times) -> Iterator[HourSighting]:
    """Sightings of hours of the day, each once."""
    tenant, subject = text_of(activities.column("tenant")), text_of(activities.column("hour_of_day"))
    first, groups = time.distinct(tenant.codes, subject.codes)
    named = zip(tenant.at_rows(first), subject.at_rows(first), groups, strict=True)
    for whose, what, (day, counts_after, instant, _) in named:
        sighting = Sighting(whose or "", what or "", NO_HOST, day, counts_after)
        yield HourSighting(key_of(sighting.tenant, sighting.subject), sighting, instant)


def by_host(
    sightings: Iterable[tuple[str, str, Shown]], activities: pa.Table, time: Times, malicious: Mask
) -> Iterator[HostArrival]:
    """What a block says of each host: sightings, each once, and communications, those of an activity in one.

    Args:
        sightings: (tenant, host, sighting), of executions and of communications.
        activities: one row per communication.
        time: of these.
        malicious: which of these are no sightings.
    """
    shown: defaultdict[tuple[str, str], dict[tuple[str, int, int], Shown]] = defaultdict(dict)
    found: defaultdict[tuple[str, str], list[Communication]] = defaultdict(list)
    silent = np.flatnonzero(malicious)
    instants = _instants(activities.take(pa.array(silent)), time.at(silent))
    for tenant, host, sighting in sightings:
        same = shown[tenant, host]
        key = (sighting.subject, sighting.day, sighting.known)
        same[key] = min(same.get(key, sighting), sighting, key=lambda item: item.instant)
    for communication in _communications(activities, time):
        found[communication.row["tenant"], communication.row["host"]].append(communication)
    for tenant, host in shown.keys() | found.keys():
        of_host, communications = list(shown[tenant, host].values()), found[tenant, host]
        # every communication shows something, or is malicious
        instant = min([item.instant for item in of_host], default=_NEVER)
        instant = min(instant, instants.get((tenant, host), _NEVER))
        yield HostArrival(key_of(tenant, host), HostRecords(tenant, host, of_host, communications), instant)


def _instants(activities: pa.Table, time: Times) -> dict[tuple[str, str], int]:
    """(tenant, host) -> the instant before which nothing that follows from its communications leaves."""
    tenant, host = text_of(activities.column("tenant")), text_of(activities.column("host"))
    first, groups = time.distinct(tenant.codes, host.codes)
    earliest: dict[tuple[str, str], int] = {}
    for whose, who, (_, _, instant, _) in zip(tenant.at_rows(first), host.at_rows(first), groups, strict=True):
        key = whose or "", who or ""
        earliest[key] = min(instant, earliest.get(key, instant))
    return earliest


def sightings(activities: pa.Table, time: Times) -> Iterator[tuple[str, str, Shown]]:
    """(tenant, host, sighting) of what communications show, before any are merged."""
    tenant, host = text_of(activities.column("tenant")), text_of(activities.column("host"))
    for kind in SHOWN_BY_COMMUNICATIONS:
        subject = text_of(activities.column(kind))
        first, groups = time.distinct(tenant.codes, host.codes, subject.codes)
        named = zip(tenant.at_rows(first), host.at_rows(first), subject.at_rows(first), groups, strict=True)
        for whose, who, what, when in named:
            if what is not None:
                yield whose or "", who or "", Shown(what, *when[:3])


def _communications(activities: pa.Table, time: Times) -> Iterator[Communication]:
    """Communications: of each activity those within the allowed lateness in one, late ones singly."""
    late = time.late
    on_time = merge_activities(activities.filter(pa.array(~late)))
    instants = time.lateness.instants(_longs(on_time, "event_time"), np.full(on_time.num_rows, -_NEVER))
    for row, instant in zip(on_time.to_pylist(), instants.tolist(), strict=True):
        yield Communication(_given(row), instant)
    rows = np.flatnonzero(late)
    for place, row in zip(rows.tolist(), activities.take(pa.array(rows)).to_pylist(), strict=True):
        arrival_day = int(time.arrival[place] // DAY_US) if time.too_late[place] else None
        yield Communication(_given(row), int(time.instant[place]), True, arrival_day)


def _given(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _longs(table: pa.Table, name: str) -> Longs:
    return table.column(name).to_numpy().astype(np.int64, copy=False)


def executions(events: Events, found: tuple[Longs, Codes, list[str]], time: Times) -> Iterator[tuple[str, str, Shown]]:
    """(tenant, host, sighting) of executions, each once."""
    rows, codes, fingerprints = found
    tenant, host = events.tenant_id.take(rows), events.text_at("host_id", rows)
    first, groups = time.at(rows).distinct(tenant.codes, host.codes, codes)
    texts = [subjects.execution(fingerprint) for fingerprint in fingerprints]
    named = zip(tenant.at_rows(first), host.at_rows(first), codes[first].tolist(), groups, strict=True)
    for whose, who, code, when in named:
        yield whose or "", who or "", Shown(texts[code], *when[:3])


def starts(events: Events, rows: Longs, time: Times) -> Iterator[Output]:
    """Starts of processes: those of a host that count from the same day on in one message."""
    found: defaultdict[tuple[str, int], list[tuple[str, int, int, bytes]]] = defaultdict(list)
    known, instants = time.counts_after.tolist(), time.instant.tolist()
    for row, day, instant in zip(pack_rows(event_rows(events, rows)), known, instants, strict=True):
        found[key_of(row.tenant, row.host), day].append((row.guid, row.time, instant, row.content))
    for (key, _), items in found.items():
        guids, times, since, contents = map(list, zip(*items, strict=True))
        yield Output("starts", key, Starts(guids, times, since, contents), min(since))


def unfinished(events: Events, rows: Longs, time: Times) -> Iterator[Output]:
    """Events that lack their process, each by itself."""
    arrivals, instants = time.arrival.tolist(), time.instant.tolist()
    for row, arrival, instant in zip(pack_rows(event_rows(events, rows)), arrivals, instants, strict=True):
        event = Unfinished(row.guid, row.time, arrival, instant, row.content)
        yield Output("unfinished", key_of(row.tenant, row.host), event, instant)
