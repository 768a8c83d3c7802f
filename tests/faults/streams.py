"""The sinks of a stream on Beam's in-process engine: alerts, dead letters, and what is learned on two days."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import apache_beam as beam
import msgspec
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.window import TimestampedValue

from tests.oracle import Options
from tests.running import Record, configuration_of
from uncommon_im.pipeline.baselines.write_learned import WriteLearned, begin_learned
from uncommon_im.pipeline.sinks.files.stream_files import WriteAlertFiles, WriteBundleFiles
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.transforms.rules.columns.days import DAY_US, day_number
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import (
    MESSAGES,
    Covered,
    Message,
    SaidBefore,
    Sighting,
    Starts,
    key_of,
)

STREAM: Final = "stream"
LEARNED: Final = "learned"
"""Folders of the stream."""
TABLES: Final = ("sightings", "coverage", "said", "starts")
FIRST: Final = day_number(date(2026, 3, 1))
DAYS: Final = range(FIRST, FIRST + 2)
ALERTS: Final[list[Record]] = [{"alert_id": f"a{number}", "day": FIRST + number % 2} for number in range(4)]
DEAD: Final[list[Record]] = [{"reason": "malformed", "record": number} for number in range(3)]
_SUBJECT: Final = '["communication","odd","unknown:/tmp/[*]","","telegram"]'


def messages(table: str) -> list[tuple[int, str, Message]]:
    """(day, key, message) of what is learned."""
    made: list[tuple[int, str, Message]] = []
    for day in DAYS:
        if table == "sightings":
            made += [
                (day, key_of("default", _SUBJECT), Sighting("default", _SUBJECT, host, day, day)) for host in "abc"
            ]
        elif table == "coverage":
            made.append((day, key_of("default"), Covered("default", day, day, 7, 0)))
        elif table == "starts":
            content = msgspec.msgpack.encode([f"s{day}", "process", None, None, None, "linux", "odd"])
            start = Starts([f"g{day}"], [day * DAY_US], [day * DAY_US // 1000], [content])
            made.append((day, key_of("default", "a"), start))
        else:
            key = ["default", "a", "odd", "unknown:/tmp/[*]", "", "telegram"]
            made.append((day, key_of("default", "a"), SaidBefore(key, day * DAY_US, "Low", f"e{day}", f"a{day}")))
    return made


def write_stream() -> None:
    """A stream from its beginning to its end."""
    begin_learned(LEARNED, configuration_of(Options()).stream_metadata)
    with beam.Pipeline(FnApiRunner()) as pipeline:
        alerts = pipeline | "Alerts" >> beam.Create([_at(row["day"], row) for row in ALERTS]) | "At" >> beam.Map(_same)
        written = alerts | "WriteAlerts" >> WriteAlertFiles(STREAM)
        dead = pipeline | "Dead" >> beam.Create(DEAD, reshuffle=False)
        _ = dead | "WriteDeadLetters" >> WriteBundleFiles(STREAM, "dead_letter")
        learned = {table: pipeline | table >> _Learned(table) for table in TABLES}
        _ = learned | "WriteLearned" >> WriteLearned(LEARNED, Lateness(), 0, written, load_catalogue())


class _Learned(beam.PTransform):
    def __init__(self, table: str) -> None:
        super().__init__()
        self._rows = [_at(day, (key, MESSAGES.encode(message))) for day, key, message in messages(table)]

    def expand(self, start: beam.pvalue.PBegin) -> Any:
        return start | beam.Create(self._rows) | beam.Map(_same).with_output_types(tuple[str, bytes])


def _at(day: int, value: Any) -> TimestampedValue:
    """A value at noon of a day."""
    return TimestampedValue(value, (day * DAY_US + DAY_US // 2) // 1_000_000)


def _same(value: Any) -> Any:
    return value
