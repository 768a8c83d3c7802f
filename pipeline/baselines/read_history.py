"""A baseline snapshot as messages for the steps of the stream: a warm start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput

from uncommon_im.pipeline.baselines.read_snapshot import Snapshot
from uncommon_im.schemas.snapshot import TABLES
from uncommon_im.transforms.rules.baseline.history import days_of
from uncommon_im.transforms.rules.baseline.subjects import NO_HOST
from uncommon_im.transforms.rules.columns.days import day_number
from uncommon_im.transforms.rules.instances.keeping import kept_starts
from uncommon_im.transforms.rules.instances.packed import PackedRow, pack_rows
from uncommon_im.transforms.rules.stream.day_sets import DaySet
from uncommon_im.transforms.rules.stream.messages import (
    MESSAGES,
    TELEMETRY,
    HostHistory,
    Message,
    SaidBefore,
    Sighting,
    Starts,
    key_of,
)
from uncommon_im.transforms.rules.verdicts.judgement import DEDUPLICATION_KEY
from uncommon_im.transforms.stream.keyed_step import Keyed

OUTPUTS: Final = ("instances", "hosts", "baselines", "judge")
_LONG_AGO: Final = 0
"""The instant (ms) from which what a snapshot knows counts."""


@dataclass
class ReadHistory(beam.PTransform):
    """-> messages for "instances", "hosts", "baselines" and "judge": what a snapshot knows.

    Until all of it is read no watermark passes it: the steps that it is flattened into judge nothing before.

    Args:
        snapshot: `None`: nothing is read.
        starts: whether starts of processes are read.
    """

    snapshot: Snapshot | None
    starts: bool

    def expand(self, start: beam.pvalue.PBegin) -> Any:
        """A read per file; files are opened by a plain step, for local engines mix no other source into a stream."""
        files = self.snapshot.metadata.files if self.snapshot else {}
        tables = [table for table in TABLES if self.starts or table != "instances"]
        named = [(table, name) for table in tables for name in files.get(table, ())]
        read = beam.FlatMap(_read, self.snapshot)
        return (
            start
            | "ListFiles" >> beam.Create(named, reshuffle=False)
            | "ReadFiles" >> read.with_output_types(None, **dict.fromkeys(OUTPUTS, Keyed)).with_outputs(*OUTPUTS)
        )


def _read(named: tuple[str, str], snapshot: Snapshot) -> Iterator[TaggedOutput]:
    for to, key, message in messages_of(*named, snapshot):
        yield TaggedOutput(to, (key, MESSAGES.encode(message)))


def messages_of(table: str, name: str, snapshot: Snapshot) -> Iterator[tuple[str, str, Message]]:
    """(step, key, message) of the rows of a snapshot's file."""
    as_of = day_number(snapshot.metadata.as_of)
    for rows in snapshot.read(table, name):
        if table == "instances":
            yield from starts_of(rows)
            continue
        for row in rows.to_pylist():
            yield _message(table, row, as_of)


def starts_of(rows: pa.Table) -> Iterator[tuple[str, str, Message]]:
    """(step, key, message) of starts of processes, of `INSTANCE_SCHEMA`, those of a host in one."""
    of_hosts: defaultdict[str, list[PackedRow]] = defaultdict(list)
    for row in pack_rows(kept_starts(rows)):
        of_hosts[key_of(row.tenant, row.host)].append(row)
    for key, starts in of_hosts.items():
        _, _, guids, times, contents = map(list, zip(*starts, strict=True))
        yield "instances", key, Starts(guids, times, [_LONG_AGO] * len(starts), contents)


def _message(table: str, row: dict[str, Any], as_of: int) -> tuple[str, str, Message]:
    """(step, key, message) of a row of a snapshot."""
    tenant = row["tenant"]
    if table == "coverage":
        return "baselines", key_of(tenant, TELEMETRY), Sighting(tenant, TELEMETRY, NO_HOST, row["day"], row["day"])
    host = row["host"]
    if table == "sightings":
        sighting = Sighting(tenant, row["subject"], host, row["day"], row["day"])
        return "baselines", key_of(tenant, row["subject"]), sighting
    if table == "host_sightings":
        days = DaySet.of(days_of(row["days"], as_of))
        return "hosts", key_of(tenant, host), HostHistory(row["subject"], days.pack())
    said = SaidBefore(
        [row[part] for part in DEDUPLICATION_KEY], row["time"], row["severity"], row["event_id"], row["alert_id"]
    )
    return "judge", key_of(tenant, host), said
