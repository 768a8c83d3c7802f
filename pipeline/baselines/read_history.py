"""A baseline snapshot as messages for the steps of the stream: a warm start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from uncommon_im.pipeline.baselines.read_snapshot import Snapshot
from uncommon_im.schemas.snapshot import TABLES
from uncommon_im.transforms.rules.baseline.history import days_of
from uncommon_im.transforms.rules.baseline.subjects import NO_HOST
from uncommon_im.transforms.rules.columns.days import day_number
from uncommon_im.transforms.rules.stream.day_sets import DaySet
from uncommon_im.transforms.rules.stream.messages import (
    MESSAGES,
    TELEMETRY,
    HostHistory,
    Message,
    SaidBefore,
    Sighting,
    key_of,
)
from uncommon_im.transforms.rules.verdicts.judgement import DEDUPLICATION_KEY
from uncommon_im.transforms.stream.keyed_step import Keyed

OUTPUTS: Final = ("hosts", "baselines", "judge")


@dataclass
class ReadHistory(beam.PTransform):
    """-> messages for "hosts", "baselines" and "judge": what a snapshot knows.

    Until all of it is read no watermark passes it: the steps that it is flattened into judge nothing before.

    Args:
        snapshot: `None`: nothing is read.
    """

    snapshot: Snapshot | None

    def expand(self, start: beam.pvalue.PBegin) -> Any:
        """A read per file; files are opened by a plain step, for local engines mix no other source into a stream."""
        files = self.snapshot.metadata.files if self.snapshot else {}
        named = [(table, name) for table in TABLES for name in files.get(table, ())]
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
    for rows in snapshot.folder.read(name):
        for row in rows.to_pylist():
            yield _message(table, row, as_of)


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
