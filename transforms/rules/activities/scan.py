"""One pass over batches of records: what later steps need of them, and nothing else.

A scan adds up what it has seen and lets go of it as blocks; blocks of different scans merge in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.transforms.rules.activities.hourly import activities_of, merge_activities
from uncommon_im.transforms.rules.activities.recognised import Recognised, counts_of, counts_of_lost, recognise
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.sightings import (
    cap,
    coverage_of,
    distinct,
    sightings_of_activities,
    sightings_of_executions,
    sightings_of_hours,
)
from uncommon_im.transforms.rules.baseline.subjects import KINDS
from uncommon_im.transforms.rules.baseline.tables import QUESTION_SCHEMA, coded
from uncommon_im.transforms.rules.columns.column import Codes, group_rows, text_of
from uncommon_im.transforms.rules.columns.local_time import UTC_ZONE
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter, LostBatch
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.events.raw_batch import DividedBatch, RawBatch
from uncommon_im.transforms.rules.events.tally import Tally
from uncommon_im.transforms.rules.instances.event_rows import EVENT_ROW_SCHEMA, event_rows
from uncommon_im.transforms.rules.recognition.communications import Recogniser
from uncommon_im.transforms.rules.recognition.destination import Destinations
from uncommon_im.transforms.rules.recognition.exceptions import Exceptions
from uncommon_im.transforms.rules.recognition.identity import Identities

Block = Literal["activities", "own_sightings", "sightings", "questions", "unfinished", "starts"]
_NONE: Final = coded(EVENT_ROW_SCHEMA).empty_table()
_FLUSH_ROWS: Final = 1 << 17
"""Rows of activities or sightings that wait to leave as blocks: bounds memory, not results."""


@dataclass(frozen=True)
class ScanRange:
    """The days that count, in µs since 1970.

    Args:
        start: earlier events only train. `None`: none does.
        end: events from here on are out of range. `None`: none is.
    """

    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class ScanSettings:
    """What a scan looks for.

    Args:
        catalogue: services, processes, engines.
        operator_ranges: match ranges that carry the owner's other products too.
        exceptions: the user's.
        tenant: of records that name none.
        range: the days that count.
        shards: into how many shards of hosts and of subjects the work is cut.
        hosts_kept: hosts kept per (subject, day).
        time_zone: in which hours of the day are counted.
        process_lookback: how much older than an event the start of its process may be, in µs; 0: none is looked for.
        malicious: what is no sighting.
    """

    catalogue: Catalogue
    operator_ranges: bool
    exceptions: tuple[ExceptionEntry, ...]
    tenant: str
    range: ScanRange
    shards: int
    hosts_kept: int
    time_zone: str = UTC_ZONE
    process_lookback: int = 0
    malicious: tuple[ExceptionEntry, ...] = ()


def recogniser_of(settings: ScanSettings) -> Recogniser:
    """Finds what a scan looks for; worth keeping from scan to scan, for it remembers."""
    destinations = Destinations(settings.catalogue, settings.operator_ranges)
    exceptions, malicious = Exceptions(settings.exceptions), Exceptions(settings.malicious)
    return Recogniser(destinations, Identities(settings.catalogue), exceptions, malicious)


class Scan:
    """What some batches held."""

    def __init__(
        self,
        settings: ScanSettings,
        recogniser: Recogniser | None = None,
        travels: bool = True,
    ) -> None:
        """A scan that has seen nothing.

        Args:
            settings: what it looks for.
            recogniser: one of these settings.
            travels: its blocks go to other machines, and are small; else they stay on this one, and are made quickly.
        """
        self.settings = settings
        self.recogniser = recogniser or recogniser_of(settings)
        self.tally: Tally = Tally()
        self.coverage: Counter[tuple[str, int]] = Counter()
        self._activities: list[pa.Table] = []
        self._sightings: list[pa.Table] = []
        self._hours: list[pa.Table] = []
        self._unfinished: list[pa.Table] = []
        self._starts: list[pa.Table] = []
        self._rows = 0
        self._travels = travels

    def add(self, batch: RawBatch) -> list[DeadLetter]:
        """Takes a batch in, as a whole or not at all.

        Returns:
            the records of it that are no events.
        """
        try:
            return self._add(batch)
        except DividedBatch as divided:
            return [letter for part in divided.parts for letter in self.add(part)]
        except LostBatch as lost:
            self.tally.update(counts_of_lost(lost.letter))
            return [lost.letter]

    def _add(self, batch: RawBatch) -> list[DeadLetter]:
        events = Events(batch, self.settings.tenant)
        valid = events.valid
        lost = batch.lost()
        dead = [*lost, *batch.dead_letters(events.rejections())]
        end = self.settings.range.end
        in_range = valid if end is None else valid & (events.time.values < end)
        found = recognise(self.recogniser, events, in_range, unfinished=self.settings.process_lookback > 0)
        activities, shown = self._made_of(events, found)
        unfinished, starts = event_rows(events, found.unfinished), event_rows(events, found.starts)
        # every column has been read: from here on nothing fails
        self._keep(activities, shown, found)
        self._unfinished.append(unfinished)
        self._starts.append(starts)
        self._rows += unfinished.num_rows + starts.num_rows
        self.tally.update(counts_of(events, in_range, dead, len(lost)))
        self.coverage.update(coverage_of(events, in_range))
        return dead

    def add_completed(self, events: Events) -> None:
        """Takes events in that were read before, and are now as complete as they can be."""
        found = recognise(self.recogniser, events, np.ones(events.num_rows, np.bool_), unfinished=False)
        self._keep(*self._made_of(events, found), found)

    def _made_of(self, events: Events, found: Recognised) -> tuple[pa.Table, pa.Table]:
        """(activities, sightings of executions) of what was recognised."""
        activities = activities_of(events, found.communications, self.settings.time_zone)
        return activities, sightings_of_executions(events, *found.executions)

    def _keep(self, activities: pa.Table, shown: pa.Table, found: Recognised) -> None:
        self.tally.update(found.counts)
        teaching = found.communications.teaching(activities)
        self._sightings += [shown, sightings_of_activities(teaching)]
        self._hours.append(sightings_of_hours(teaching))
        self._activities.append(activities)
        self._rows += shown.num_rows + activities.num_rows

    @property
    def full(self) -> bool:
        """True when it is time to let go of blocks."""
        return self._rows >= _FLUSH_ROWS

    def blocks(self) -> Iterator[tuple[Block, int | None, bytes | pa.Buffer]]:
        """(kind, shard, block) of all that was added since the last call; forgets it.

        A block whose shard is `None` is for all of them: of the starts on this machine few are asked for, and to sort
        them by shard takes longer than to look through them in each.
        """
        if not self._activities:
            return
        activities = merge_activities(pa.concat_tables(self._activities))
        sightings = distinct(pa.concat_tables(self._sightings))
        hours = distinct(pa.concat_tables(self._hours))
        unfinished, starts = pa.concat_tables([_NONE, *self._unfinished]), self._starts
        self._activities, self._sightings, self._hours, self._rows = [], [], [], 0
        self._unfinished, self._starts = [], []
        shard = blocks.host_shards(activities, self.settings.shards)
        questions = self._questions(activities, shard)
        shared = pa.concat_tables([cap(sightings, self.settings.hosts_kept, repeats=False), hours])
        outgoing: tuple[tuple[Block, pa.Table, Codes], ...] = (
            ("activities", activities, shard),
            ("own_sightings", sightings, blocks.host_shards(sightings, self.settings.shards)),
            ("sightings", shared, blocks.subject_shards(shared, self.settings.shards)),
            ("questions", questions, blocks.subject_shards(questions, self.settings.shards)),
            ("unfinished", unfinished, blocks.host_shards(unfinished, self.settings.shards)),
        )
        for kind, table, shards in outgoing:
            for number, block in blocks.cut(table, shards, "zstd" if self._travels else "lz4"):
                yield kind, number, block
        yield from self._blocks_of_starts([table for table in starts if table.num_rows])

    def _blocks_of_starts(self, starts: list[pa.Table]) -> Iterator[tuple[Block, int | None, bytes | pa.Buffer]]:
        if not starts:
            return
        if not self._travels:
            yield "starts", None, blocks.encode_as_held(starts)
            return
        together = pa.concat_tables(starts)
        for number, block in blocks.cut(together, blocks.host_shards(together, self.settings.shards)):
            yield "starts", number, block

    def totals(self) -> Iterator[tuple[str, Any]]:
        """(name, value) of what is not in blocks: coverage and tally of all that was added."""
        yield "coverage", dict(self.coverage)
        yield "tallies", self.tally

    def _questions(self, activities: pa.Table, shard: Codes) -> pa.Table:
        """What the shards of hosts want to know, each (shard, subject, day) once."""
        if self.settings.range.start is not None:
            judged = activities.column("event_time").to_numpy() >= self.settings.range.start
            activities, shard = activities.filter(pa.array(judged)), shard[judged]
        tables = [coded(QUESTION_SCHEMA).empty_table()]
        day = (activities.column("hour").to_numpy() // 24).astype(np.int32)
        tenant = text_of(activities.column("tenant"))
        for kind in KINDS if len(day) else ():
            subject = text_of(activities.column(kind))
            _, first = group_rows([tenant.codes, subject.codes, day, shard])
            first = first[subject.codes[first] >= 0]
            columns = [tenant.take(first).arrow(), subject.take(first).arrow(), day[first], shard[first]]
            tables.append(pa.table(columns, schema=coded(QUESTION_SCHEMA)))
        return pa.concat_tables(tables)
