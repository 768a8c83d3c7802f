"""Running the stream in tests, on an engine that the caller names."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from tests.oracle.stream import Arrival
from tests.running import Found, read_rows
from tests.transforms.rules.stream.driving import time_of
from uncommon_im.pipeline import stream
from uncommon_im.pipeline.cli.commands.replay import TOTAL, engine_options, is_prism
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.local.replay_in_process import replay_in_process
from uncommon_im.pipeline.sinks.files.stream_total import WriteTotal, read_total, write_counted
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals, block_of_lines
from uncommon_im.pipeline.sources.replay.replay import ReadArrivals
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes, spool
from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.stream.lateness import Lateness, end_of_second
from uncommon_im.transforms.stream.keyed_step import NAMESPACE

WHOLE_STEPS = 40 * 86_400_000_000
"""Arrival time between two checkpoints of the source: large, for small organisations are slow step by step."""


def on_prism(
    patterns: Sequence[str],
    configuration: Configuration,
    lateness: Lateness,
    times: ArrivalTimes,
    step: int = WHOLE_STEPS,
    sightings_out: str | None = None,
) -> Found:
    """The stream over files, on Prism: `make runners` installs it."""
    assert (Path(sys.prefix) / "bin" / "prism").exists(), "Prism is not installed: make runners"
    engine = engine_options(["--runner=PrismRunner"], verbose=False)
    return on_engine(engine, patterns, configuration, lateness, times, step, sightings_out)


def in_process(
    patterns: Sequence[str],
    configuration: Configuration,
    lateness: Lateness,
    times: ArrivalTimes,
    sightings_out: str | None = None,
) -> Found:
    """The stream over files, without an engine."""
    with tempfile.TemporaryDirectory() as output, tempfile.TemporaryDirectory() as folder:
        spool(match_files(list(patterns)), JsonOptions(), times, Path(folder))
        sinks = stream.Sinks(output, None, sightings_out)
        counted = replay_in_process(folder, JsonOptions(), configuration, lateness, sinks)
        return Found(
            alerts=read_rows(output, "alerts"),
            verdicts=read_rows(output, "verdicts"),
            dead_letters=read_rows(output, "dead_letter"),
            summary=write_counted(output, counted),
        )


def on_engine(
    engine: PipelineOptions,
    patterns: Sequence[str],
    configuration: Configuration,
    lateness: Lateness,
    times: ArrivalTimes,
    step: int = WHOLE_STEPS,
    sightings_out: str | None = None,
    rate: int | None = None,
) -> Found:
    """The stream over files, on the engine that Beam's options name."""
    with tempfile.TemporaryDirectory() as output, tempfile.TemporaryDirectory() as folder:
        spool(match_files(list(patterns)), JsonOptions(), times, Path(folder))
        pipeline = beam.Pipeline(options=engine)
        blocks = pipeline | "ReadArrivals" >> ReadArrivals(folder, rate, step, early_end=is_prism(engine))
        found = stream.detect(blocks, OpenArrivals(JsonOptions()), configuration, lateness)
        stream.write(found, stream.Sinks(output, None, sightings_out), configuration, lateness)
        _ = found.tallies | "WriteTotal" >> WriteTotal(f"{folder}/{TOTAL}")
        assert pipeline.run().wait_until_finish() == "DONE"
        return Found(
            alerts=read_rows(output, "alerts"),
            verdicts=read_rows(output, "verdicts"),
            dead_letters=read_rows(output, "dead_letter"),
            summary=write_counted(output, read_total(f"{folder}/{TOTAL}")),
        )


FOUND: dict[str, list[dict[str, Any]]] = {}
"""What the last run on `TestStream` found, by kind: its engine runs in this process."""


def on_test_stream(arrivals: Sequence[Arrival], configuration: Configuration, lateness: Lateness) -> Found:
    """The stream over a few arrivals on Beam's TestStream (`BundleBasedDirectRunner`).

    That engine does not hold a watermark for the timers of a step before, so it is led through every instant at which
    anything is due.
    """
    FOUND.clear()
    options = PipelineOptions(["--streaming"])
    pipeline = beam.Pipeline("BundleBasedDirectRunner", options=options)
    blocks = pipeline | "Arrivals" >> _script(arrivals, lateness)
    found = stream.detect(blocks, OpenArrivals(JsonOptions()), configuration, lateness)
    for kind, rows in (("alert", found.alerts), ("verdict", found.verdicts), ("dead", found.dead_letters)):
        _ = rows | f"Keep_{kind}" >> beam.Map(_keep, kind)
    pipeline.run().wait_until_finish()
    alerts, verdicts, dead = (FOUND.get(kind, []) for kind in ("alert", "verdict", "dead"))
    return Found(alerts, verdicts, dead, {})


def _block(arrivals: Sequence[Arrival]) -> bytes:
    lines = [json.dumps(record).encode() for record, _ in arrivals]
    return block_of_lines(lines, [at for _, at in arrivals], "test")


def metrics_in_process(arrivals: Sequence[Arrival], configuration: Configuration, lateness: Lateness) -> dict[str, Any]:
    """The metrics of the stream over arrivals that come all at once, on the in-process engine (`FnApiRunner`)."""
    pipeline = beam.Pipeline(FnApiRunner())
    blocks = pipeline | "Arrivals" >> beam.Create([_block(arrivals)], reshuffle=False)
    stream.detect(blocks, OpenArrivals(JsonOptions()), configuration, lateness)
    result = pipeline.run()
    result.wait_until_finish()
    groups = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE)).values()
    return {metric.key.metric.name: metric.result for group in groups for metric in group}


def _keep(row: dict[str, Any], kind: str) -> None:
    FOUND.setdefault(kind, []).append(row)


def _script(arrivals: Sequence[Arrival], lateness: Lateness) -> TestStream:
    due: set[int] = set()
    for record, at in arrivals:
        time = time_of(record, "default")
        day = time // DAY_US
        instant = max(time + lateness.allowed, at) // 1000
        due |= {end_of_second(instant) + n for n in range(5)} | {lateness.opening(day), lateness.forgetting(day)}
        due |= {lateness.closing((day + n) * DAY_US) + extra for n in (1, 2, 3) for extra in range(9)}
    script, watermark = TestStream(coder=BytesCoder()), 0
    for record, at in sorted(arrivals, key=lambda arrival: arrival[1]):
        for instant in sorted(d for d in due if watermark < d <= at // 1000):
            script = script.advance_watermark_to(Timestamp(micros=instant * 1000))
        watermark = max(watermark, at // 1000)
        script = script.add_elements([TimestampedValue(_block([(record, at)]), Timestamp(micros=at // 1000 * 1000))])
    for instant in sorted(d for d in due if d > watermark):
        script = script.advance_watermark_to(Timestamp(micros=instant * 1000))
    return script.advance_watermark_to_infinity()
