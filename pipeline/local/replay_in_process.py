"""History through the stream in this process, without an engine: the same steps, sources and sinks."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence

from uncommon_im.pipeline.baselines.read_history import OUTPUTS, messages_of
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.local.stream_writer import StreamWriter
from uncommon_im.pipeline.sinks import Sinks
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals
from uncommon_im.pipeline.sources.replay.spool import BLOCK_RECORDS, BlockPlace, index_of, read_block
from uncommon_im.schemas.snapshot import TABLES
from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.stream.arrivals import Arrivals
from uncommon_im.transforms.rules.stream.baselines import Baselines
from uncommon_im.transforms.rules.stream.delays import Delays
from uncommon_im.transforms.rules.stream.driver import END, Driver, Steps
from uncommon_im.transforms.rules.stream.flood import Flood
from uncommon_im.transforms.rules.stream.hosts import Hosts
from uncommon_im.transforms.rules.stream.instances import Instances
from uncommon_im.transforms.rules.stream.judging import Judging, JudgingRules
from uncommon_im.transforms.rules.stream.lateness import MILLISECOND_US, Lateness

log = logging.getLogger(__name__)


def replay_in_process(
    folder: str,
    reading: JsonOptions,
    configuration: Configuration,
    lateness: Lateness,
    sinks: Sinks,
    rate: int | None = None,
) -> Mapping[str, int]:
    """Judges blocks of arrivals in their order; what was counted, by names of metrics.

    Args:
        folder: where `spool` has put the blocks.
        reading: how records are read.
        configuration: what to compute, and from which snapshot.
        lateness: how long to wait for records.
        sinks: of a stream.
        rate: records per second; `None`: as fast as it can.
    """
    writer = StreamWriter(sinks, configuration, lateness)
    try:
        driver = Driver(steps_of(configuration, lateness), Arrivals(configuration.scan, lateness), writer)
        remember(driver, configuration)
        replay(driver, writer, folder, OpenArrivals(reading), Delays(lateness), rate)
        writer.flush()
    finally:
        writer.close()
    return driver.counts


def steps_of(configuration: Configuration, lateness: Lateness) -> Steps:
    """The rules of the stream's steps."""
    limits, judge = configuration.detector.limits, configuration.judge
    return Steps(
        Instances(lateness, configuration.scan.process_lookback),
        Hosts(lateness, configuration.range.start),
        Baselines(lateness, limits),
        Judging(JudgingRules(judge.writer, lateness, judge.learning_since)),
        Flood(lateness, limits.max_alerts_per_group),
    )


def remember(driver: Driver, configuration: Configuration) -> None:
    """Gives the steps what the configuration's snapshot knows."""
    snapshot, lookback = configuration.baseline, configuration.scan.process_lookback
    if snapshot is None:
        return
    for table in TABLES:
        if table == "instances" and not lookback:
            continue
        for name in snapshot.metadata.files.get(table, ()):
            for to, key, message in messages_of(table, name, snapshot):
                assert to in OUTPUTS, to
                driver.remember(to, key, message)


def replay(
    driver: Driver, writer: StreamWriter, folder: str, open_block: OpenArrivals, delays: Delays, rate: int | None
) -> None:
    """Gives the driver block after block; the watermark after each is the arrival of the next."""
    begun, records = time.monotonic(), 0
    for places, following in _steps(index_of(folder), together=1 if rate else BLOCK_RECORDS):
        for batch, arrival in open_block.together(read_block(folder, place) for place in places):
            delays.add(driver.read(batch, arrival))
        advice = delays.advice()
        if advice:
            log.info("%s", advice)
        watermark = END if following is None else following.arrival // MILLISECOND_US
        driver.advance(watermark)
        writer.advance(watermark)
        records += sum(place.records for place in places)
        if rate is not None:
            time.sleep(max(0.0, begun + records / rate - time.monotonic()))


def _steps(index: Sequence[BlockPlace], together: int) -> Iterator[tuple[list[BlockPlace], BlockPlace | None]]:
    """Blocks of a day of at most so many records, or one block; and the block that comes next."""
    places: list[BlockPlace] = []
    for place in index:
        records = sum(each.records for each in places) + place.records
        if places and (records > together or place.arrival // DAY_US > places[0].arrival // DAY_US):
            yield places, place
            places = []
        places.append(place)
    if places:
        yield places, None
