"""Running the stream in tests, on an engine that the caller names."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam

from pipeline import stream
from pipeline.configuration import Configuration
from pipeline.sinks.total import WriteTotal
from pipeline.sources.arrivals import OpenArrivals
from pipeline.sources.files import match_files
from pipeline.sources.json_lines import JsonOptions
from pipeline.sources.replay import ReadArrivals
from pipeline.sources.spool import ArrivalTimes, spool
from pipeline.stream_commands import TOTAL, stream_options, write_summary
from tests.running import Found, read_rows
from transforms.rules.stream.lateness import Lateness

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
    with tempfile.TemporaryDirectory() as output, tempfile.TemporaryDirectory() as folder:
        spool(match_files(list(patterns)), JsonOptions(), times, Path(folder))
        pipeline = beam.Pipeline(options=stream_options([], verbose=False))
        blocks = pipeline | "ReadArrivals" >> ReadArrivals(folder, None, step)
        found = stream.detect(blocks, OpenArrivals(JsonOptions()), configuration, lateness)
        stream.write(found, output, sightings_out, configuration, lateness)
        _ = found.tallies | "WriteTotal" >> WriteTotal(f"{folder}/{TOTAL}")
        assert pipeline.run().wait_until_finish() == "DONE"
        return Found(
            alerts=read_rows(output, "alerts"),
            verdicts=read_rows(output, "verdicts"),
            dead_letters=read_rows(output, "dead_letter"),
            summary=write_summary(output, f"{folder}/{TOTAL}"),
        )
