"""`uncommon-im replay`: history through the stream."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.commands.streaming import StreamingOptions, StreamRun, log_configuration
from uncommon_im.pipeline.cli.delivering import deliver_run
from uncommon_im.pipeline.cli.doubts import check_recognised
from uncommon_im.pipeline.cli.stopping import silence_engines
from uncommon_im.pipeline.cli.terminal import show_summary
from uncommon_im.pipeline.options.declaration import Options
from uncommon_im.pipeline.options.parser import name_of
from uncommon_im.pipeline.sinks.delivery.options import DeliveryOptions
from uncommon_im.pipeline.sinks.files.options import LockOptions, ReplayFolder
from uncommon_im.pipeline.sources.files.options import FileOptions
from uncommon_im.pipeline.sources.replay.options import ArrivalOptions
from uncommon_im.pipeline.storage.temporary import temporary_folder
from uncommon_im.schemas.documents import require

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

log = logging.getLogger(__name__)

TOTAL = "total.json"
PRISM: Final = "prismrunner"
LOCAL_PRISM: Final = "uncommon_im.pipeline.local.prism.LocalPrism"
_RUN_SECONDS = 365 * 86_400
"""How long a run may take: by default Beam's client gives up listening to a job after five minutes."""
NO_SPLITS = "--experiments=prism_disable_sdf_split"
"""Prism 2.77 loses and repeats timers when it splits a slow bundle of a stateful step (apache/beam#35771)."""


@dataclass(frozen=True, kw_only=True)
class ReplayOptions(Options):
    """The options of `replay`."""

    files: FileOptions
    folder: ReplayFolder
    streaming: StreamingOptions
    arrival: ArrivalOptions
    delivery: DeliveryOptions
    lock: LockOptions


def run_replay(options: ReplayOptions, rest: list[str]) -> None:
    """`uncommon-im replay`."""
    from uncommon_im.pipeline.runs.folder import run_folder
    from uncommon_im.pipeline.sinks.files.stream_total import write_counted
    from uncommon_im.pipeline.sources.replaced import refuse_replaced_inputs
    from uncommon_im.pipeline.sources.replay.spool import spool

    options.arrival.check()
    delivering = options.delivery.open(options.streaming.findings.alert_format)
    output, configuration = options.folder.output, options.streaming.configuration()
    lateness = options.streaming.waiting.allowed(configuration.detector.limits)
    engine = engine_options(rest, verbose=log.isEnabledFor(logging.DEBUG))
    files = options.files.find(configuration)
    refuse_replaced_inputs(files, output)
    place, run_id = run_folder(output), configuration.run_id
    with place.staged(run_id, force=options.lock.force) as staging, temporary_folder(options.arrival.spool) as folder:
        run = StreamRun(
            configuration, lateness, options.streaming.sinks(engine, staging), options.files.records.reading()
        )
        options.streaming.learned.begin(configuration)
        log_configuration(configuration, lateness)
        log.info("sorting %d files by arrival", len(files))
        spool(files, options.files.reading, options.arrival.times(lateness), Path(folder))
        summary = write_counted(staging, judge(run, folder, options.arrival.rate, engine))
        place.publish(run_id)
    show_summary(summary, options.streaming.written(output))
    deliver_run(delivering, output, configuration.alert_format)
    check_recognised(summary, options.files.records.format, options.files.input[0], output)


def judge(run: StreamRun, folder: str, rate: int | None, engine: PipelineOptions) -> Mapping[str, int]:
    """Judges spooled blocks, in this process or on an engine; what was counted, by names of metrics."""
    from uncommon_im.pipeline.options.beam import runs_in_process

    if not runs_in_process(engine):
        return judge_on_engine(run, folder, rate, engine)
    from uncommon_im.pipeline.local.replay_in_process import replay_in_process

    return replay_in_process(folder, run.reading, run.configuration, run.lateness, run.sinks, rate)


def judge_on_engine(run: StreamRun, folder: str, rate: int | None, engine: PipelineOptions) -> Mapping[str, int]:
    """Judges spooled blocks on the engine that Beam's options name; what was counted, by names of metrics.

    Raises:
        RuntimeError: the engine did not end the run as done.
    """
    import apache_beam as beam

    from uncommon_im.pipeline.sinks.files.stream_total import WriteTotal, read_total
    from uncommon_im.pipeline.sources.replay.replay import ReadArrivals

    pipeline = beam.Pipeline(options=engine)
    findings = run.build(pipeline | "ReadArrivals" >> ReadArrivals(folder, rate, early_end=is_prism(engine)))
    _ = findings.tallies | "WriteTotal" >> WriteTotal(f"{folder}/{TOTAL}")
    result = pipeline.run()
    try:
        state = result.wait_until_finish()
    except BaseException:
        silence_engines()
        with suppress(Exception):  # it must not hide what happened
            result.cancel()  # its workers would write on, into a folder that is removed
        raise
    if state != "DONE":
        raise RuntimeError(f"the engine ended the run as {state}")
    return read_total(f"{folder}/{TOTAL}")


def is_prism(engine: PipelineOptions) -> bool:
    """Whether Beam's options name the Prism of this machine."""
    from apache_beam.options.pipeline_options import StandardOptions

    return bool(engine.view_as(StandardOptions).runner == LOCAL_PRISM)


def engine_options(rest: Sequence[str], verbose: bool) -> PipelineOptions:
    """Beam's options of a stream: without --runner it runs in this process.

    Raises:
        ConfigurationError: Beam knows no such option, or Prism is not installed.
    """
    from apache_beam.options.pipeline_options import StandardOptions

    from uncommon_im.pipeline.options.beam import beam_options

    flags = ["--streaming", *rest]
    options = beam_options(flags)
    if options.view_as(StandardOptions).runner.lower() != PRISM:
        return options
    return beam_options([*flags, *prism_options(flags, verbose)])


def prism_options(flags: Sequence[str], verbose: bool) -> list[str]:
    """What Prism is told beside `flags`: it is that of this machine, and ends with the run.

    Raises:
        ConfigurationError: it is not installed.
    """
    near = Path(sys.prefix) / "bin" / "prism"
    prism = str(near) if near.exists() else shutil.which("prism")
    given = {name_of(flag) for flag in flags}
    require(
        prism is not None or "--prism_location" in given,
        "Prism is not installed: `make runners` installs it, --prism_location says where it is, and without --runner "
        "the replay needs no engine",
    )
    defaults = {
        "--job_server_timeout": _RUN_SECONDS,
        "--prism_location": prism,
        "--prism_log_level": "warn" if verbose else "error",
    }
    engine = [f"--runner={LOCAL_PRISM}", "--environment_type=LOOPBACK", NO_SPLITS]
    return engine + [f"{name}={value}" for name, value in defaults.items() if name not in given]


REPLAY: Final = Command("replay", "Judge history through the stream.", ReplayOptions, run_replay, beam=True)
