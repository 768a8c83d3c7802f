"""From a block of arrivals to what the stream follows of it (specification, sections 1, 2 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import numpy as np

from uncommon_im.transforms.rules.activities.hourly import activities_of
from uncommon_im.transforms.rules.activities.recognised import Recognised, counts_of, counts_of_lost, recognise
from uncommon_im.transforms.rules.activities.scan import ScanSettings, recogniser_of
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter, LostBatch
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.events.raw_batch import RawBatch
from uncommon_im.transforms.rules.events.tally import Tally
from uncommon_im.transforms.rules.instances.completing import described
from uncommon_im.transforms.rules.instances.event_rows import EventRows
from uncommon_im.transforms.rules.instances.packed import PackedRow, unpack_rows
from uncommon_im.transforms.rules.recognition.communications import Recogniser
from uncommon_im.transforms.rules.stream import contents
from uncommon_im.transforms.rules.stream.contents import HostArrival, HourSighting, Times
from uncommon_im.transforms.rules.stream.lateness import FUTURE_US, Lateness
from uncommon_im.transforms.rules.stream.messages import Completed, Covered, Output, host_of


@dataclass
class BlockContent:
    """What a block of arrivals holds.

    Args:
        hosts: what it says of each host.
        covered: days with telemetry.
        hours: services used in hours of the day.
        instances: "starts" of processes, and "unfinished" events, which wait for one.
        dead_letters: of records that are no events.
        counts: as in `summary.json`, and late ones.
        delays: arrival less event time of the valid events, in µs.
    """

    hosts: list[HostArrival] = field(default_factory=list)
    covered: list[Covered] = field(default_factory=list)
    hours: list[HourSighting] = field(default_factory=list)
    instances: list[Output] = field(default_factory=list)
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
        time = Times(events.time.values, arrival, self._lateness)
        found = recognise(self._recogniser, events, used, unfinished=self._settings.process_lookback > 0)
        arrived = self._content(events, found, time)
        arrived.dead_letters, arrived.delays = dead, (arrival - events.time.values)[used]
        arrived.covered = list(contents.covered(events, used, time))
        arrived.instances = [
            *contents.starts(events, found.starts, time.at(found.starts)),
            *contents.unfinished(events, found.unfinished, time.at(found.unfinished)),
        ]
        arrived.counts.update(counts_of(events, used, dead, len(lost)))
        arrived.counts[LATE] = int((time.late & used).sum())
        arrived.counts[TOO_LATE] = int((time.too_late & used).sum())
        return arrived

    def complete(self, completed: Sequence[tuple[str, Completed]]) -> BlockContent:
        """What events hold, each under the key of its host, that waited for their processes' starts.

        They have been counted as records and as telemetry when they came.
        """
        rows = [PackedRow(*host_of(key), e.event.guid, e.event.time, e.event.content) for key, e in completed]
        known = [(place, e.start) for place, (_, e) in enumerate(completed) if e.start is not None]
        starts = [PackedRow(*rows[place][:3], *start) for place, start in known]
        place = np.full(len(rows), -1, np.int64)
        place[[event for event, _ in known]] = np.arange(len(known))
        events = EventRows(described(unpack_rows(rows), unpack_rows(starts), place)).events(self._settings.tenant)
        arrival = np.array([e.event.arrival for _, e in completed], np.int64)
        at = np.array([e.at for _, e in completed], np.int64)
        found = recognise(self._recogniser, events, np.ones(len(rows), np.bool_), unfinished=False)
        return self._content(events, found, Times(events.time.values, arrival, self._lateness, at))

    def _content(self, events: Events, found: Recognised, time: Times) -> BlockContent:
        """What was recognised, as far as hosts and hours of the day are concerned."""
        rows = time.at(found.communications.rows)
        activities = activities_of(events, found.communications, self._settings.time_zone)
        malicious = found.communications.malicious
        teaching, taught = found.communications.teaching(activities), rows
        if malicious.any():
            taught = rows.at(np.flatnonzero(~malicious))
        shown = chain(contents.executions(events, found.executions, time), contents.sightings(teaching, taught))
        return BlockContent(
            hosts=list(contents.by_host(shown, activities, rows, malicious)),
            hours=list(contents.hours(teaching, taught)),
            counts=found.counts,
        )
