"""`uncommon-im replay` and `uncommon-im snapshot`: history through the stream, and what a stream leaves."""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from uncommon_im.pipeline.bigquery.options import add_bigquery_arguments
from uncommon_im.pipeline.bigquery.output import add_bigquery_output, dataset_of
from uncommon_im.pipeline.cli import options
from uncommon_im.pipeline.cli.input_options import (
    add_file_arguments,
    add_input_arguments,
    files_of,
    inputs_of,
    reading_of,
)
from uncommon_im.pipeline.cli.terminal import show_summary
from uncommon_im.schemas.documents import require
from uncommon_im.transforms.rules.alerts.formats import NATIVE
from uncommon_im.transforms.rules.columns.days import DAY_US, SECOND_US, day_number

if TYPE_CHECKING:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from uncommon_im.pipeline.bigquery.tables import Dataset
    from uncommon_im.pipeline.configuration import Configuration
    from uncommon_im.transforms.rules.stream.lateness import Lateness

log = logging.getLogger(__name__)

TOTAL = "total.json"
_RUN_SECONDS = 365 * 86_400
"""How long a run may take: by default Beam's client gives up listening to a job after five minutes."""
NO_SPLITS = "--experiments=prism_disable_sdf_split"
"""Prism 2.77 loses and repeats timers when it splits a slow bundle of a stateful step (apache/beam#35771)."""


def replay_arguments(sub: argparse.ArgumentParser) -> None:
    """The arguments of `replay`."""
    add_file_arguments(sub)
    sub.add_argument("--output", required=True, metavar="DIR", help="the run's own folder; a rerun replaces it")
    add_bigquery_output(sub)
    options.add_range_arguments(sub)
    options.add_baseline_arguments(sub, leaves_snapshot=False)
    options.add_detector_arguments(sub)
    add_stream_arguments(sub)
    add_bigquery_arguments(sub)
    group = sub.add_argument_group("arrival")
    group.add_argument(
        "--shuffle-seed", type=options.whole, metavar="N", help="delay each record by up to --lateness, by this seed"
    )
    group.add_argument("--arrival-column", metavar="NAME", help="column or JSON key that says when a record arrived")
    group.add_argument(
        "--arrived-since", type=options.day, metavar="DATE", help="leave out what arrived before this day (UTC)"
    )
    group.add_argument(
        "--rate", type=options.positive, metavar="N", help="records a second; without it as fast as can be"
    )
    group.add_argument("--spool", metavar="DIR", help="where records are sorted; every worker must see it (temporary)")
    sub.add_argument("--verdicts", action="store_true", help="also write one row an activity under verdicts/")
    options.add_alert_arguments(sub)


def add_stream_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of every stream."""
    group = parser.add_argument_group("stream")
    group.add_argument(
        "--lateness", type=options.whole, default=600, metavar="SECONDS", help="how long records may take (600)"
    )
    group.add_argument(
        "--late-horizon",
        type=options.whole,
        default=86_400,
        metavar="SECONDS",
        help="what took longer only teaches (86400)",
    )
    group.add_argument("--sightings-out", metavar="DIR", help="leave there what `uncommon-im snapshot` needs")


def snapshot_arguments(sub: argparse.ArgumentParser) -> None:
    """The arguments of `snapshot`."""
    sub.add_argument("--sightings", metavar="DIR", help="of what a stream left in --sightings-out; or of --input")
    sub.add_argument("--as-of", required=True, type=options.day, metavar="DATE", help="the day boundary (UTC)")
    sub.add_argument("--baseline-in", metavar="DIR", help="the snapshot before; needed if the stream started from one")
    sub.add_argument("--baseline-out", required=True, metavar="DIR", help="where the snapshot goes")
    sub.add_argument("--learn-changed-services", action="store_true", help="as in backfill; with --input")
    sub.set_defaults(no_redact=False, alert_format=NATIVE)
    add_input_arguments(sub)
    options.add_detector_arguments(sub)


def run_replay(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`uncommon-im replay`."""
    import apache_beam as beam

    from uncommon_im.pipeline.baselines.write_learned import begin_learned
    from uncommon_im.pipeline.runs.folder import clear_output, prepare_output
    from uncommon_im.pipeline.sources.replay.spool import spool

    arguments.baseline_out = arguments.evidence = None
    require(
        "://" not in (arguments.spool or ""),
        f"--spool {arguments.spool}: expected a folder of a file system that this machine and all workers have mounted",
    )
    configuration = options.configuration_of(arguments)
    lateness = lateness_of(arguments, configuration)
    times = _arrival_times(arguments, lateness)
    beam_options = stream_options(rest, arguments.verbose)
    dataset = dataset_of(arguments, beam_options)
    files = files_of(arguments, configuration)
    prepare_output(arguments.output)
    if arguments.sightings_out:
        begin_learned(arguments.sightings_out, configuration.stream_metadata)
    log_configuration(configuration, lateness)
    with tempfile.TemporaryDirectory(prefix="uncommon-im-") as temporary:
        folder = Path(arguments.spool or temporary)
        log.info("sorting %d files by arrival", len(files))
        spool(files, reading_of(arguments), times, folder)
        pipeline = beam.Pipeline(options=beam_options)
        build_replay(pipeline, arguments, configuration, lateness, str(folder), dataset)
        try:
            state = pipeline.run().wait_until_finish()
            if state != "DONE":
                raise RuntimeError(f"the engine ended the run as {state}")
            summary = write_summary(arguments.output, str(folder / TOTAL))
        except BaseException:
            clear_output(arguments.output)
            raise
    show_summary(summary, arguments.output, arguments.bigquery_output)


def build_replay(
    pipeline: beam.Pipeline,
    arguments: argparse.Namespace,
    configuration: Configuration,
    lateness: Lateness,
    spool: str,
    dataset: Dataset | None = None,
) -> None:
    """The stream over spooled blocks, with its sinks."""
    from uncommon_im.pipeline import stream
    from uncommon_im.pipeline.sinks.files.stream_total import WriteTotal
    from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
    from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals
    from uncommon_im.pipeline.sources.replay.replay import ReadArrivals

    blocks = pipeline | "ReadArrivals" >> ReadArrivals(spool, arguments.rate)
    reader = OpenArrivals(JsonOptions(arguments.format, arguments.keep_host_domain))
    found = stream.detect(blocks, reader, configuration, lateness)
    sinks = stream.Sinks(arguments.output, None, arguments.sightings_out, dataset)
    stream.write(found, sinks, configuration, lateness)
    _ = found.tallies | "WriteTotal" >> WriteTotal(f"{spool}/{TOTAL}")


def run_snapshot(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`uncommon-im snapshot`."""
    import apache_beam as beam

    from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
    from uncommon_im.pipeline.storage.whole_file import require_writable

    require(
        (arguments.sightings is None) == bool(arguments.input or arguments.input_query),
        "a snapshot is taken of what a stream left (--sightings) or of raw events (--input): give one of them",
    )
    pipeline = beam.Pipeline(options=options.beam_options(rest))
    build = _snapshot_of_sightings if arguments.sightings else _snapshot_of_events
    build(pipeline, arguments)
    require_writable("--baseline-out", arguments.baseline_out)
    pipeline.run().wait_until_finish()
    metadata = open_snapshot(arguments.baseline_out).metadata
    rows = ", ".join(f"{number:,} {table}" for table, number in metadata.rows.items())
    print(f"snapshot of {metadata.as_of} in {arguments.baseline_out}: {rows}")


def _snapshot_of_sightings(pipeline: beam.Pipeline, arguments: argparse.Namespace) -> None:
    from uncommon_im.pipeline.baselines.read_learned import open_learned
    from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
    from uncommon_im.pipeline.baselines.take_snapshot import SnapshotPlan, take_snapshot
    from uncommon_im.pipeline.configuration import new_run_id

    baseline = open_snapshot(arguments.baseline_in) if arguments.baseline_in else None
    learned = open_learned(arguments.sightings, arguments.as_of, baseline)
    take_snapshot(pipeline, SnapshotPlan(learned, baseline, arguments.as_of, arguments.baseline_out, new_run_id()))


def _snapshot_of_events(pipeline: beam.Pipeline, arguments: argparse.Namespace) -> None:
    """All days before `--as-of` are judged, for what was said on the last of them; nothing of it is written."""
    from uncommon_im.pipeline import backfill
    from uncommon_im.pipeline.baselines.write_snapshot import WriteSnapshot

    arguments.start, arguments.end, arguments.verdicts, arguments.evidence = None, arguments.as_of, False, None
    configuration = options.configuration_of(arguments)
    inputs = inputs_of(arguments, configuration, pipeline.options)
    scanned = backfill.scan(pipeline, inputs, reading_of(arguments), configuration)
    found = backfill.detect(scanned, configuration)
    written = WriteSnapshot(arguments.baseline_out, configuration.snapshot_metadata, [])
    _ = found.history | "WriteSnapshot" >> written


def lateness_of(arguments: argparse.Namespace, configuration: Configuration) -> Lateness:
    """How long the stream waits, and how far back it goes.

    Raises:
        ConfigurationError: the horizon is shorter than the lateness.
    """
    from uncommon_im.transforms.rules.stream.lateness import Lateness

    limits = configuration.detector.limits
    return Lateness(arguments.lateness * SECOND_US, arguments.late_horizon * SECOND_US, limits.training_days)


def stream_options(rest: Sequence[str], verbose: bool) -> PipelineOptions:
    """Beam's options of a stream: without --runner it runs on Prism, on this machine.

    Raises:
        ConfigurationError: Beam knows no such option, or Prism is not installed.
    """
    flags = ["--streaming", *rest]
    given = [flag.partition("=")[0] for flag in flags]
    if "--runner" in given:
        return options.beam_options(flags)
    near = Path(sys.prefix) / "bin" / "prism"
    found = str(near) if near.exists() else shutil.which("prism")
    require(
        found is not None or "--prism_location" in given,
        "the stream runs on Prism, which is not installed: `make runners` installs it, --prism_location says where it "
        "is, and --runner takes another engine",
    )
    default = ["--runner=PrismRunner", "--environment_type=LOOPBACK", NO_SPLITS]
    if "--job_server_timeout" not in given:
        default.append(f"--job_server_timeout={_RUN_SECONDS}")
    if "--prism_location" not in given:
        default.append(f"--prism_location={found}")
    if "--prism_log_level" not in given:
        default.append(f"--prism_log_level={'warn' if verbose else 'error'}")
    return options.beam_options(flags, default)


def log_configuration(configuration: Configuration, lateness: Lateness) -> None:
    """The effective configuration as one record in the log."""
    baseline = configuration.baseline
    effective = {
        "run_id": configuration.run_id,
        "detector": configuration.detector.id,
        "limits": structs.asdict(configuration.detector.limits),
        "lateness_s": lateness.allowed // SECOND_US,
        "late_horizon_s": lateness.horizon // SECOND_US,
        "config_digest": configuration.digest,
        "services": len(configuration.catalogue.services),
        "operator_ranges": configuration.operator_ranges,
        "exceptions": len(configuration.exceptions),
        "tenant": configuration.tenant,
        "start": configuration.start,
        "end": configuration.end,
        "baseline_as_of": baseline.metadata.as_of if baseline else None,
        "learning_since": {service: str(day) for service, day in configuration.learning_since.items()},
    }
    log.info("configuration %s", json.dumps(effective, default=str))


def write_summary(output: str, total: str) -> dict[str, Any]:
    """Writes `summary.json` from what the steps counted in all; returns it."""
    from uncommon_im.pipeline.runs import folder
    from uncommon_im.pipeline.storage.opening import open_binary
    from uncommon_im.transforms.rules.events.tally import Tally, stream_summary_of

    with open_binary(total) as stream:
        counted = json.loads(stream.read())
    summary = stream_summary_of(Tally({tuple(name.split(".", 2)): number for name, number in counted.items()}))
    folder.write_summary(output, summary)
    return summary


def _arrival_times(arguments: argparse.Namespace, lateness: Lateness) -> Any:
    from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes

    require(
        arguments.arrival_column is None or arguments.shuffle_seed is None,
        "--arrival-column and --shuffle-seed both say when records arrive: give one of them",
    )
    since = arguments.arrived_since
    return ArrivalTimes(
        arguments.arrival_column,
        arguments.shuffle_seed,
        lateness.allowed,
        None if since is None else day_number(since) * DAY_US,
    )
