"""Messages for the stream's benchmarks: a lake's events as a queue would deliver them, and events that happen now."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apache_beam as beam
import msgspec
import pyarrow.ipc as ipc
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.transforms.core import RestrictionProvider, WatermarkEstimatorProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from tests.benchmarks.xdr_rows import event_batches, xdr_row
from uncommon_im.pipeline.sources.queues.arrivals import ARRIVAL, LINE
from uncommon_im.pipeline.sources.queues.messages import Message, stamp_of
from uncommon_im.pipeline.sources.replay.replay import BREATH_SECONDS, ReadArrivals
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.event import OF_PROCESS, SIGNATURE
from uncommon_im.transforms.rules.recognition.destination import Destinations

OTHER_STARTS: Final = 11
DAY_MS: Final = 86_400_000
LEFT_OUT: Final = {*OF_PROCESS, *SIGNATURE} - {"process_name", "process_path", "process_pid", "user_name", "os"}
"""What Elastic Defend does not say of a connection's process."""
PAUSE: Final = 0.2
"""Seconds of messages that are handed on together: engines differ in how long they let a source wait."""
TIME: Final = b'"event_time":0'
NUMBER: Final = b"{number}"
"""In lines of events that happen when they are sent: where the time goes, and the number of the message."""


def lines_of(lake: Path, form: str = "native") -> Iterator[bytes]:
    """The rows of a lake as JSON lines.

    Args:
        lake: a folder of Parquet files.
        form: `native`; `xdr`, as in Cortex XDR's exports; `elastic`, native, but with processes told when they start.
    """
    events = (event for path in sorted(lake.glob("*.parquet")) for batch in event_batches(path) for event in batch)
    for event in told_by_starts(events) if form == "elastic" else events:
        said = {name: value for name, value in event.items() if value is not None}
        yield msgspec.json.encode(xdr_row(event) if form == "xdr" else said)


def told_by_starts(events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Events without what Elastic Defend leaves out, and starts that say it.

    Each communication has a start, and one in `OTHER_STARTS` of the others: starts are 8 % of what comes out.
    """
    destinations = Destinations(load_catalogue(), operator_ranges=False)
    for number, event in enumerate(events):
        if event["event_type"] == "process" or event["event_time"] is None:
            yield event
            continue
        process = {name: event.get(name) for name in (*OF_PROCESS, *SIGNATURE, "host_id", "tenant_id", "host_name")}
        told = repr((event["host_id"], event["event_time"] // DAY_MS, sorted(map(str, process.values()))))
        pointer = {"process_guid": hashlib.blake2b(told.encode(), digest_size=18).hexdigest()}
        if number % OTHER_STARTS == 0 or destinations.match_host(event.get("remote_host") or ""):
            yield (
                process
                | {
                    "event_id": f"start-{number}",
                    "event_time": event["event_time"] - 1000,
                    "event_type": "process",
                }
                | pointer
            )
        yield {name: None if name in LEFT_OUT else value for name, value in event.items()} | pointer


@dataclass
class ReadMessages(beam.PTransform):  # type: ignore[misc]
    """A folder of spooled lines -> messages of one line, in the order of arrival."""

    folder: str

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, start: beam.pvalue.PBegin) -> beam.PCollection[Message]:
        blocks = start | "ReadArrivals" >> ReadArrivals(self.folder)
        return blocks | "ToMessages" >> beam.FlatMap(messages_of).with_output_types(Message)


def messages_of(block: bytes) -> Iterator[Message]:
    """The lines of a block, one message each."""
    table = ipc.open_stream(block).read_all()
    for line, arrival in zip(table.column(LINE).to_pylist(), table.column(ARRIVAL).to_pylist(), strict=True):
        yield Message(line, arrival, "benchmark")


def happening(lines: Sequence[bytes], number: int, millis: int) -> bytes:
    """The line of a message, the number of which decides, as one that happens at an instant (ms)."""
    line = lines[number % len(lines)]
    return line.replace(NUMBER, b"%d" % number).replace(TIME, b'"event_time":%d' % millis, 1)


@dataclass
class HappenNow(beam.PTransform):  # type: ignore[misc]
    """Lines of a file, over and over -> messages that arrive at a steady rate, each when its event happens.

    The watermark is the arrival of the next message. It ends after so many seconds.

    Args:
        lines: a file of native JSON lines that have `TIME` where their time goes, and `NUMBER` where they differ.
        rate: messages a second.
        seconds: for how long.
    """

    lines: str
    rate: int
    seconds: int

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, start: beam.pvalue.PBegin) -> beam.PCollection[Message]:
        begun = start | "Begin" >> beam.Create([self.rate * self.seconds], reshuffle=False) | "Now" >> beam.Map(_now)
        return begun | "Happen" >> beam.ParDo(_Happen(self.lines, self.rate)).with_output_types(Message)


def _now(messages: int) -> tuple[int, int]:
    return time.time_ns() // 1000, messages


class _Numbers(RestrictionProvider):  # type: ignore[misc]
    """The restriction: numbers of messages."""

    def initial_restriction(self, begun: tuple[int, int]) -> OffsetRange:
        return OffsetRange(0, begun[1])

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, begun: tuple[int, int], restriction: OffsetRange) -> int:
        return int(restriction.size())


class _FollowsNow(WatermarkEstimatorProvider):  # type: ignore[misc]
    """The watermark: set by hand."""

    def initial_estimator_state(self, begun: tuple[int, int], restriction: OffsetRange) -> Timestamp:
        return stamp_of(begun[0])

    def create_watermark_estimator(self, state: Timestamp) -> ManualWatermarkEstimator:
        return ManualWatermarkEstimator(state)


class _Happen(beam.DoFn):  # type: ignore[misc]
    def __init__(self, lines: str, rate: int) -> None:
        self._path, self._rate = lines, rate

    def setup(self) -> None:
        self._lines = Path(self._path).read_bytes().splitlines()

    @beam.DoFn.unbounded_per_element()  # type: ignore[untyped-decorator]
    def process(
        self,
        begun: tuple[int, int],
        tracker: Any = beam.DoFn.RestrictionParam(_Numbers()),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(_FollowsNow()),
    ) -> Iterator[TimestampedValue]:
        start, messages = begun
        number = tracker.current_restriction().start
        time.sleep(max(0.0, PAUSE - (time.time_ns() // 1000 - self._arrival(start, number)) / 1_000_000))
        due = min(messages, (time.time_ns() // 1000 - start) * self._rate // 1_000_000)
        while number < due and tracker.try_claim(number):
            arrival = self._arrival(start, number)
            yield TimestampedValue(
                Message(happening(self._lines, number, arrival // 1000), arrival, "benchmark"), stamp_of(arrival)
            )
            number += 1
        if number < messages:
            watermark.set_watermark(stamp_of(self._arrival(start, number)))
            tracker.defer_remainder(Duration(BREATH_SECONDS))

    def _arrival(self, start: int, number: int) -> int:
        return start + number * 1_000_000 // self._rate
