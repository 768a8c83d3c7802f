"""From a block of arrivals to what the stream follows of it (specification, sections 1, 2 and 9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from uncommon_im.transforms.rules.activities.hourly import activities_of, merge_activities
from uncommon_im.transforms.rules.activities.recognised import counts_of, counts_of_lost, recognise
from uncommon_im.transforms.rules.activities.scan import ScanSettings, recogniser_of
from uncommon_im.transforms.rules.baseline import subjects
from uncommon_im.transforms.rules.baseline.subjects import NO_HOST, SHOWN_BY_COMMUNICATIONS
from uncommon_im.transforms.rules.columns.column import Codes, Longs, Mask, group_rows, run_starts, text_of
from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter, LostBatch
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.events.raw_batch import RawBatch
from uncommon_im.transforms.rules.events.tally import Tally
from uncommon_im.transforms.rules.recognition.communications import Recogniser
from uncommon_im.transforms.rules.stream.lateness import FUTURE_US, Lateness
from uncommon_im.transforms.rules.stream.messages import Communication, Covered, HostRecords, Shown, Sighting, key_of

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


@dataclass
class BlockContent:
    """What a block of arrivals holds.

    Args:
        hosts: what it says of each host.
        covered: days with telemetry.
        hours: services used in hours of the day.
        dead_letters: of records that are no events.
        counts: as in `summary.json`, and late ones.
        delays: arrival less event time of the valid events, in µs.
    """

    hosts: list[HostArrival] = field(default_factory=list)
    covered: list[Covered] = field(default_factory=list)
    hours: list[HourSighting] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    counts: Tally = field(default_factory=Tally)
    delays: Longs = field(default_factory=lambda: np.zeros(0, np.int64))


LATE: Final = ("late", "records")
TOO_LATE: Final = ("late", "too_late")


class Arrivals:
    """Reads blocks of arrivals; remembers nothing between them but what it has looked at."""

    def __init__(self, settings: ScanSettings, lateness: Lateness, recogniser: Recogniser | None = None) -> None:
        """Looks for what `settings` say."""
        self._settings, self._lateness = settings, lateness
        self._recogniser = recogniser or recogniser_of(settings)

    def read(self, batch: RawBatch, arrival: Longs) -> BlockContent:
        """What a batch holds.

        Args:
            batch: records.
            arrival: the arrival time of each (µs since 1970).
        """
        try:
            return self._read(batch, arrival)
        except LostBatch as lost:
            return BlockContent(dead_letters=[lost.letter], counts=counts_of_lost(lost.letter))

    def _read(self, batch: RawBatch, arrival: Longs) -> BlockContent:
        events = Events(batch, self._settings.tenant, latest=arrival + FUTURE_US)
        lost = batch.lost()
        dead = [*lost, *batch.dead_letters(events.rejections())]
        end = self._settings.range.end
        used = events.valid if end is None else events.valid & (events.time.values < end)
        time = _Times(events.time.values, arrival, self._lateness)
        found = recognise(self._recogniser, events, used, unfinished=False)
        rows = found.communications.rows
        executions = list(self._executions(events, found.executions, time))
        activities = activities_of(events, found.communications, self._settings.time_zone)
        arrived = BlockContent(dead_letters=dead, delays=(arrival - events.time.values)[used])
        arrived.hosts = list(_by_host(executions, activities, time.at(rows)))
        arrived.hours = list(_hours(activities, time.at(rows)))
        arrived.covered = list(_covered(events, used, time))
        arrived.counts = counts_of(events, used, dead, len(lost)) + found.counts
        arrived.counts[LATE] = int((time.late & used).sum())
        arrived.counts[TOO_LATE] = int((time.too_late & used).sum())
        return arrived

    def _executions(
        self, events: Events, found: tuple[Longs, Codes, list[str]], time: _Times
    ) -> Iterator[tuple[str, str, Shown]]:
        """(tenant, host, sighting) of executions, each once."""
        rows, codes, fingerprints = found
        tenant, host = events.tenant_id.take(rows), events.text_at("host_id", rows)
        first, groups = time.at(rows).distinct(tenant.codes, host.codes, codes)
        texts = [subjects.execution(fingerprint) for fingerprint in fingerprints]
        named = zip(tenant.at_rows(first), host.at_rows(first), codes[first].tolist(), groups, strict=True)
        for whose, who, code, when in named:
            yield whose or "", who or "", Shown(texts[code], *when[:3])


@dataclass(frozen=True, eq=False)
class _Times:
    """Event and arrival times of some rows, and what follows from them."""

    time: Longs
    arrival: Longs
    lateness: Lateness

    def at(self, rows: Longs) -> _Times:
        return _Times(self.time[rows], self.arrival[rows], self.lateness)

    def distinct(self, *codes: Codes) -> tuple[Longs, list[tuple[int, int, int, int]]]:
        """Rows that agree in codes, in day and in the day after which they count, each group once.

        Returns:
            (first row of each group, its (day, day after which it counts, smallest instant, number of rows)).
        """
        if not len(self.time):
            return np.zeros(0, np.int64), []
        day, counts_after = self.day, self.counts_after
        groups, first = group_rows([*codes, day, counts_after])
        order = np.argsort(groups, kind="stable")
        instants = np.minimum.reduceat(self.instant[order], run_starts(groups[order]))
        columns = (day[first], counts_after[first], instants, np.bincount(groups))
        return first, list(zip(*(column.tolist() for column in columns), strict=True))

    @property
    def day(self) -> Longs:
        return self.time // DAY_US

    @property
    def counts_after(self) -> Longs:
        return self.lateness.counts_after(self.time, self.arrival)

    @property
    def instant(self) -> Longs:
        return self.lateness.instants(self.time, self.arrival)

    @property
    def late(self) -> Mask:
        return self.lateness.late(self.time, self.arrival)

    @property
    def too_late(self) -> Mask:
        return self.lateness.too_late(self.time, self.arrival)


def _covered(events: Events, used: Mask, time: _Times) -> Iterator[Covered]:
    tenant = events.tenant_id
    codes = tenant.codes[used]
    first, groups = time.at(np.flatnonzero(used)).distinct(codes)
    for code, (day, counts_after, instant, number) in zip(codes[first].tolist(), groups, strict=True):
        yield Covered(tenant.values[code], day, counts_after, number, instant)


def _hours(activities: pa.Table, time: _Times) -> Iterator[HourSighting]:
    """Sightings of hours of the day, each once."""
    tenant, subject = text_of(activities.column("tenant")), text_of(activities.column("hour_of_day"))
    first, groups = time.distinct(tenant.codes, subject.codes)
    named = zip(tenant.at_rows(first), subject.at_rows(first), groups, strict=True)
    for whose, what, (day, counts_after, instant, _) in named:
        sighting = Sighting(whose or "", what or "", NO_HOST, day, counts_after)
        yield HourSighting(key_of(sighting.tenant, sighting.subject), sighting, instant)


def _by_host(executions: Sequence[tuple[str, str, Shown]], activities: pa.Table, time: _Times) -> Iterator[HostArrival]:
    """What a block says of each host: sightings, each once, and communications, those of an activity in one."""
    shown: defaultdict[tuple[str, str], dict[tuple[str, int, int], Shown]] = defaultdict(dict)
    found: defaultdict[tuple[str, str], list[Communication]] = defaultdict(list)
    for tenant, host, sighting in (*executions, *_sightings(activities, time)):
        same = shown[tenant, host]
        key = (sighting.subject, sighting.day, sighting.known)
        same[key] = min(same.get(key, sighting), sighting, key=lambda item: item.instant)
    for communication in _communications(activities, time):
        found[communication.row["tenant"], communication.row["host"]].append(communication)
    for tenant, host in shown.keys() | found.keys():
        sightings, communications = list(shown[tenant, host].values()), found[tenant, host]
        instant = min([item.instant for item in sightings] + [item.instant for item in communications])
        yield HostArrival(key_of(tenant, host), HostRecords(tenant, host, sightings, communications), instant)


def _sightings(activities: pa.Table, time: _Times) -> Iterator[tuple[str, str, Shown]]:
    """(tenant, host, sighting) of what communications show, before any are merged."""
    tenant, host = text_of(activities.column("tenant")), text_of(activities.column("host"))
    for kind in SHOWN_BY_COMMUNICATIONS:
        subject = text_of(activities.column(kind))
        first, groups = time.distinct(tenant.codes, host.codes, subject.codes)
        named = zip(tenant.at_rows(first), host.at_rows(first), subject.at_rows(first), groups, strict=True)
        for whose, who, what, when in named:
            if what is not None:
                yield whose or "", who or "", Shown(what, *when[:3])


def _communications(activities: pa.Table, time: _Times) -> Iterator[Communication]:
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
