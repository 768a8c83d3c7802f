"""Messages of any queue as blocks of arrivals: one record a message, or many lines of them, plain or gzip."""

# No `from __future__ import annotations`: Beam makes a coder of a NamedTuple from its types, which text is not.
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import apache_beam as beam
from apache_beam.coders import registry
from apache_beam.transforms.window import GlobalWindows, TimestampedValue
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from uncommon_im.pipeline.sources.files.decompressing import gunzipped
from uncommon_im.pipeline.sources.files.lines import BLOCK_LINES, MAX_LINE_BYTES, LineBlock, blocks_of
from uncommon_im.pipeline.sources.queues.arrivals import block_of_lost, block_of_places
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy

BLOCK_RECORDS: Final = BLOCK_LINES
"""Records of a block, at most: what Parse looks at together. Larger blocks leave a processor's cache."""
HELD_BYTES: Final = 1 << 23
"""Messages that wait for their block, at most, but for the last of them."""
MAX_MESSAGE_BYTES: Final = 1 << 28
"""What a message may be when it is decompressed; what goes beyond is one dead letter."""
SKIP: Final = BadFilePolicy("skip")
"""A stream goes on: what cannot be read of a message or an object is one dead letter."""
_GZIP: Final = b"\x1f\x8b"


class Message(NamedTuple):
    """A message of a queue.

    Args:
        data: one record, or lines of them, as text or gzip.
        arrival: when the queue took it (µs since 1970): the same whenever it is delivered again.
        source: what dead letters call it: the queue, and the message's id there.
    """

    data: bytes
    arrival: int
    source: str


registry.register_row(Message)


@dataclass
class MessagesToBlocks(beam.PTransform):
    """Messages -> blocks as `OpenArrivals` reads them.

    Every line of every message is in exactly one block, but for empty ones. What cannot be decoded (damaged gzip, or
    more than `MAX_MESSAGE_BYTES` of it, a line of more than `MAX_LINE_BYTES`) is a dead letter in one, so nothing fails
    and a message is acknowledged with its bundle. Messages are gathered within a bundle, in no order that counts. A
    block is stamped with the earliest arrival of its messages, in ms; none is held over the end of its bundle, so a
    watermark that follows arrivals does not pass them. A bundle that is tried again, or a message that is delivered
    again, makes the same records.
    """

    def expand(self, messages: beam.PCollection[Message]) -> beam.PCollection[bytes]:
        """One step."""
        return messages | "Gather" >> beam.ParDo(_Gather()).with_output_types(bytes)


class _Gather(beam.DoFn):
    def start_bundle(self) -> None:
        self._held: list[Message] = []
        self._bytes = 0

    def process(self, message: Message) -> Iterable[TimestampedValue]:
        self._held.append(message)
        self._bytes += len(message.data)
        if len(self._held) < BLOCK_RECORDS and self._bytes < HELD_BYTES:
            return ()
        return (TimestampedValue(block, stamp) for block, stamp in self._blocks())  # one at a time: they may be many

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for block, stamp in self._blocks():
            yield GlobalWindows.windowed_value(block, stamp)

    def _blocks(self) -> Iterator[tuple[bytes, Timestamp]]:
        held = self._held
        self._held, self._bytes = [], 0
        for block, arrival in blocks_of_messages(held):
            yield block, stamp_of(arrival)


def stamp_of(arrival: int) -> Timestamp:
    """An arrival (µs) cut to the ms that engines carry."""
    return Timestamp(micros=arrival // 1000 * 1000)


def blocks_of_messages(messages: Sequence[Message]) -> Iterator[tuple[bytes, int]]:
    """Blocks, each with the earliest arrival of its messages (µs).

    Messages of one line, which most are, go a short way.
    """
    alone: list[tuple[bytes, int, str]] = []
    others: list[Message] = []
    for message in messages:
        data, arrival, source = message
        if data.find(b"\n", 0, -1) < 0 and not data.startswith(_GZIP) and len(data) <= MAX_LINE_BYTES:
            alone.append((data.rstrip(b"\n"), arrival, source))
        else:
            others.append(message)
    if alone:
        lines, arrivals, sources = zip(*alone, strict=True)
        yield block_of_places(lines, arrivals, sources, [1] * len(lines)), min(arrivals)
    yield from _blocks_of_many(others)


def _blocks_of_many(messages: Iterable[Message]) -> Iterator[tuple[bytes, int]]:
    """The blocks of messages of many lines, each of which may fill several."""
    records = _Records()
    for message in messages:
        for block in line_blocks(message):
            for number, line in zip(block.numbers.tolist(), block.lines, strict=True):
                records.add(line, message, number)
                if records.full:
                    yield records.block()
            if block.lost:
                yield block_of_lost(block.lost, message.arrival), message.arrival
    if records.lines:
        yield records.block()


def line_blocks(message: Message) -> Iterator[LineBlock]:
    """The lines of a message, decompressed piece by piece."""
    return blocks_of(lambda: _open(message.data), message.source, SKIP, MAX_MESSAGE_BYTES)


def _open(data: bytes) -> io.BufferedReader:
    stream = io.BytesIO(data)
    return gunzipped(stream) if data.startswith(_GZIP) else io.BufferedReader(stream)


@dataclass
class _Records:
    """Lines that become a block."""

    lines: list[bytes] = field(default_factory=list)
    places: list[tuple[int, str, int]] = field(default_factory=list)
    size: int = 0

    def add(self, line: bytes, message: Message, number: int) -> None:
        self.lines.append(line)
        self.places.append((message.arrival, message.source, number))
        self.size += len(line)

    @property
    def full(self) -> bool:
        return len(self.lines) >= BLOCK_RECORDS or self.size >= HELD_BYTES

    def block(self) -> tuple[bytes, int]:
        """The block, and the earliest arrival in it; what comes next begins another."""
        arrivals, sources, numbers = zip(*self.places, strict=True)
        block = block_of_places(self.lines, arrivals, sources, numbers)
        self.lines, self.places, self.size = [], [], 0
        return block, min(arrivals)
