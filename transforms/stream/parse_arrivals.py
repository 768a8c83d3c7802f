"""Blocks of arrivals -> what the stream follows of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows

from uncommon_im.transforms.rules.activities.scan import ScanSettings
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.events.raw_batch import RawBatch
from uncommon_im.transforms.rules.stream.arrivals import Arrivals, BlockContent
from uncommon_im.transforms.rules.stream.delays import Delays
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import MESSAGES, Covered
from uncommon_im.transforms.stream.keyed_step import NAMESPACE, Keyed, Row, Tallied, timestamp

log = logging.getLogger(__name__)


class OpenBlock(Protocol):
    """Knows the form of a source's blocks; must be picklable."""

    def __call__(self, block: bytes) -> Iterable[tuple[RawBatch, Longs]]:
        """The records of a block in batches, each with the arrival time of each of its records (µs since 1970)."""


@dataclass
class ParseArrivals(beam.PTransform):
    """Blocks -> "hosts", "starts", "unfinished" by (tenant, host), "hours" by (tenant, subject), "coverage" by tenant.

    Records that are no events leave as "dead_letters".

    Each record is counted once, as valid or as a dead letter. A block may hold any records, in any order: what leaves
    is stamped with the instant from which it counts, `max(event time + lateness, arrival)`, which no watermark passes
    that follows arrivals. So an engine itself guarantees that what lies within the lateness is there in time.

    Args:
        open_block: how blocks are read.
        settings: what is looked for.
        lateness: of the stream.
    """

    open_block: OpenBlock
    settings: ScanSettings
    lateness: Lateness

    def expand(self, blocks: beam.PCollection[bytes]) -> Any:
        """One pass over the blocks."""
        parse = beam.ParDo(_Parse(self.open_block, self.settings, self.lateness))
        keyed = dict.fromkeys(("hosts", "starts", "unfinished", "hours", "coverage"), Keyed)
        types = keyed | {"dead_letters": Row, "tallies": Tallied}
        return blocks | "Parse" >> parse.with_output_types(None, **types).with_outputs(*types)


@dataclass
class SeeTelemetry(beam.PTransform):
    """Coverage by tenant -> sightings of the subject that every event shows, by (tenant, subject)."""

    def expand(self, coverage: beam.PCollection[tuple[str, bytes]]) -> beam.PCollection[tuple[str, bytes]]:
        """One sighting each."""
        return coverage | "ToSightings" >> beam.Map(_sighting).with_output_types(Keyed)


def _sighting(coverage: tuple[str, bytes]) -> tuple[str, bytes]:
    covered = MESSAGES.decode(coverage[1])
    assert isinstance(covered, Covered), covered
    return covered.key, MESSAGES.encode(covered.sighting)


class _Parse(beam.DoFn):
    def __init__(self, open_block: OpenBlock, settings: ScanSettings, lateness: Lateness) -> None:
        self._open_block, self._settings, self._lateness = open_block, settings, lateness
        self._arrivals: Arrivals | None = None
        self._delays: Delays | None = None
        self._delay = Metrics.distribution(NAMESPACE, "arrival_delay_ms")

    def setup(self) -> None:
        self._arrivals = Arrivals(self._settings, self._lateness)
        self._delays = Delays(self._lateness)

    def process(self, block: bytes) -> Iterator[TaggedOutput]:
        assert self._arrivals is not None, "setup() comes first"
        for batch, arrival in self._open_block(block):
            content = self._arrivals.read(batch, arrival)
            yield from outputs_of(content)
            self._watch(content.delays)

    def _watch(self, delays: Longs) -> None:
        """Measures how late records arrive, and says what lateness that suggests."""
        assert self._delays is not None, "setup() comes first"
        for bound, number in self._delays.add(delays).items():
            Metrics.counter(NAMESPACE, f"arrival_delay.within_{bound}_s").inc(number)
        for delay in self._delays.spread(delays):
            self._delay.update(delay)
        advice = self._delays.advice()
        if advice:
            log.info("%s", advice)


def outputs_of(content: BlockContent) -> Iterator[TaggedOutput]:
    """What a block holds as outputs of Beam, each stamped with the instant from which it counts; metrics of it."""
    for found in content.hosts:
        yield _stamped("hosts", found.key, MESSAGES.encode(found.records), found.instant)
    for seen in content.hours:
        yield _stamped("hours", seen.key, MESSAGES.encode(seen.sighting), seen.instant)
    for instance in content.instances:
        yield _stamped(instance.to, instance.key, MESSAGES.encode(instance.message), instance.instant)
    for covered in content.covered:
        yield _stamped("coverage", covered.tenant, MESSAGES.encode(covered), covered.instant)
    for letter in content.dead_letters:
        yield TaggedOutput("dead_letters", letter.row())
    for path, number in content.counts.items():
        Metrics.counter(NAMESPACE, ".".join(path)).inc(number)
        tallied = (".".join(path), number)
        yield TaggedOutput("tallies", GlobalWindows.windowed_value_at_end_of_window(tallied))


def _stamped(to: str, key: str, message: bytes, instant: int) -> TaggedOutput:
    return TaggedOutput(to, GlobalWindows.windowed_value((key, message), timestamp(instant)))
