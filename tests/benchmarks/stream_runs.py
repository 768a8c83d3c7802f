"""Running the stream over messages on an engine of its own, with workers that are watched."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.utils.timestamp import Timestamp

from tests.benchmarks.measuring import cpu_seconds
from tests.benchmarks.stream_messages import happening
from tests.runners.flink import flink, free_port, running, wait_for, worker_pool
from tests.runners.kafka import PARTITIONS, job, kafka
from uncommon_im.pipeline import stream
from uncommon_im.pipeline.cli.commands.replay import NO_SPLITS
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.options.beam import beam_options
from uncommon_im.pipeline.sinks.files.stream_total import WriteTotal
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals
from uncommon_im.pipeline.sources.queues.kafka import ReadKafka
from uncommon_im.pipeline.sources.queues.messages import MessagesToBlocks
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import load_detector
from uncommon_im.transforms.rules.columns.days import SECOND_US
from uncommon_im.transforms.rules.stream.lateness import Lateness

DRAIN_SECONDS: Final = 60
"""How long the last alerts may take."""


@dataclass(frozen=True)
class Engine:
    """An engine that runs, and a pool of workers.

    Args:
        options: Beam's, of a stream there.
        engine: its process id.
        workers: process id of the pool.
        report: what the pool says of its steps, if it is watched.
    """

    options: PipelineOptions
    engine: int
    workers: int
    report: Path


@contextmanager
def started(name: str, folder: Path, watched: bool) -> Iterator[Engine]:
    """Starts an engine with the parallelism of the cores that it may use; stops it at the end."""
    report = folder / "steps.json"

    def watched_pool(port: int) -> list[str]:
        return [sys.executable, "-m", "tests.benchmarks.step_sampler", str(port), str(report)]

    pool = watched_pool if watched else worker_pool
    if name == "flink":
        with flink(folder, pool, parallelism=len(os.sched_getaffinity(0))) as cluster:
            yield Engine(cluster.streaming(), cluster.server, cluster.pool, report)
        return
    jobs, workers = free_port(), free_port()
    server = [str(Path(sys.prefix) / "bin" / "prism"), f"--job_port={jobs}", "--serve_http=false", "--log_level=error"]
    with (
        running(server, folder / "prism.log") as prism,
        running(pool(workers), folder / "workers.log") as pooled,
    ):
        for port in (jobs, workers):
            wait_for(port, folder)
        flags = ["--runner=PortableRunner", f"--job_endpoint=localhost:{jobs}", "--environment_type=EXTERNAL"]
        flags += [f"--environment_config=localhost:{workers}", "--streaming", NO_SPLITS, "--job_server_timeout=86400"]
        yield Engine(beam_options(flags), prism.pid, pooled.pid, report)


@dataclass(frozen=True)
class Ran:
    """What a run found and took.

    Args:
        counts: what its steps counted.
        alerts: when each was written, and when its event happened (s since 1970).
        wall: from its start to its end, s.
        engine: CPU time of the engine, s.
        workers: CPU time of the workers, s.
        steps: how often watched workers were seen in each step.
    """

    counts: dict[str, int]
    alerts: list[tuple[float, float]]
    wall: float
    engine: float
    workers: float
    steps: dict[str, int]

    @property
    def messages(self) -> int:
        """Records that were read."""
        return self.counts["events.read"]


def run(name: str, source: beam.PTransform, lateness: Lateness, watched: bool = True, **limits: int) -> Ran:
    """Runs the stream over messages on an engine of its own; watched workers are threads of one process."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, output, total = Path(temporary), Path(temporary, "output"), Path(temporary, "total.json")
        with started(name, folder, watched) as engine:
            pipeline = beam.Pipeline(options=engine.options)
            found = _stream(pipeline, source, output, lateness, limits)
            _ = found.tallies | "WriteTotal" >> WriteTotal(str(total))
            begun = time.perf_counter()
            state = pipeline.run().wait_until_finish()
            wall = time.perf_counter() - begun
            if state != "DONE":
                raise SystemExit(f"the engine ended the run as {state}")
            return Ran(
                json.loads(total.read_text()),
                _alerts_in(output),
                wall,
                cpu_seconds(engine.engine),
                cpu_seconds(engine.workers),
                json.loads(engine.report.read_text()) if watched else {},
            )


def alerts_over_kafka(
    lines: Sequence[bytes], rate: int, seconds: int, lateness: Lateness, **limits: int
) -> list[tuple[float, float]]:
    """Alerts of a stream on Flink over what is published to Kafka meanwhile: when each was written, when it happened.

    Flink holds the watermark of a Python source until it has ended; Kafka it reads itself.

    Args:
        lines: of events as `happening` takes them.
        rate: messages a second.
        seconds: for how long.
        lateness: of the stream.
        limits: of the detector.
    """
    numbers = range(rate * seconds)
    records = ((n % PARTITIONS, 0, happening(lines, n, time.time_ns() // 1_000_000)) for n in numbers)
    with tempfile.TemporaryDirectory() as temporary, kafka(Path(temporary)) as broker:
        output = Path(temporary, "output")

        def build(pipeline: beam.Pipeline) -> None:
            service = f"localhost:{broker.expansion}"
            source = ReadKafka(broker.brokers, ["events"], "benchmark", expansion_service=service)
            _stream(pipeline, source, output, lateness, limits)

        broker.create("events", "LogAppendTime")
        with job(broker, Path(temporary, "flink"), build, checkpointing=10_000):
            broker.publish("events", records, rate)
            time.sleep(lateness.allowed / SECOND_US + DRAIN_SECONDS)
            return _alerts_in(output)


def _stream(
    pipeline: beam.Pipeline, source: beam.PTransform, output: Path, lateness: Lateness, limits: Mapping[str, int]
) -> stream.Detection:
    """The stream over what a source reads, with files as its sink."""
    configuration = Configuration(load_detector(**limits), load_catalogue())
    blocks = pipeline | "ReadBlocks" >> (source | MessagesToBlocks())
    found = stream.detect(blocks, OpenArrivals(JsonOptions()), configuration, lateness)
    stream.write(found, stream.Sinks(str(output)), configuration, lateness)
    return found


def _alerts_in(output: Path) -> list[tuple[float, float]]:
    """When each alert was written, and when its event happened."""
    return [_written(path) for path in (output / "alerts").glob("*.jsonl")]


def _written(path: Path) -> tuple[float, float]:
    alert = json.loads(path.read_text(encoding="utf-8"))
    happened = Timestamp.from_rfc3339(alert["timestamp"]).micros / SECOND_US
    return path.stat().st_mtime, happened
