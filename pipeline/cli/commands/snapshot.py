"""`uncommon-im snapshot`: what a stream learned, or what raw events show, as a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from uncommon_im.pipeline.bigquery.options import BigQueryOptions
from uncommon_im.pipeline.cli.closing import command
from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.terminal import say_next
from uncommon_im.pipeline.configuration.options import BaselineOptions, DayOptions, DetectorOptions, check_places
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.sinks.files.options import LockOptions
from uncommon_im.pipeline.sources.options import InputOptions
from uncommon_im.schemas.documents import require

if TYPE_CHECKING:
    import apache_beam as beam


@dataclass(frozen=True, kw_only=True)
class SnapshotOptions(Options):
    """The options of `snapshot`."""

    sightings: str | None = option(
        "Build the snapshot from the directory a stream wrote with --sightings-out. Otherwise give --input.",
        metavar="DIR",
    )
    as_of: date = option("The day boundary (UTC).", required=True)
    baseline_in: str | None = option(
        "The previous snapshot. You need it if the stream started from one.", metavar="DIR"
    )
    baseline_out: str = option("Leave the snapshot in this directory.", metavar="DIR", required=True)
    learn_changed_services: bool = option(
        "With --input: continue although services changed since --baseline-in, as in `backfill`.", False
    )
    input: InputOptions
    bigquery: BigQueryOptions
    detector: DetectorOptions
    lock: LockOptions


def run_snapshot(options: SnapshotOptions, rest: list[str]) -> None:
    """`uncommon-im snapshot`."""
    import apache_beam as beam

    from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
    from uncommon_im.pipeline.baselines.snapshot_folder import SnapshotFolder
    from uncommon_im.pipeline.configuration.configuration import new_run_id
    from uncommon_im.pipeline.options.beam import beam_options, runs_in_process

    require(
        (options.sightings is None) == bool(options.input.names),
        "a snapshot is taken of what a stream left (--sightings) or of raw events (--input): give one of them",
    )
    check_places(options.baseline_in, options.baseline_out)
    beams, run_id = beam_options(rest), new_run_id()
    snapshot = SnapshotFolder(options.baseline_out)
    with snapshot.claimed(run_id, force=options.lock.force, stays=runs_in_process(beams)):
        pipeline = beam.Pipeline(options=beams)
        build = _of_sightings if options.sightings else _of_events
        build(pipeline, options, run_id)
        pipeline.run().wait_until_finish()
    metadata = open_snapshot(options.baseline_out).metadata
    rows = ", ".join(f"{number:,} {table}" for table, number in metadata.rows.items())
    print(f"snapshot of {metadata.as_of} in {options.baseline_out}: {rows}")
    say_next(
        f"{command('backfill', '--baseline-in', options.baseline_out)} ... or "
        f"{command('stream', '--baseline-in', options.baseline_out)} ... goes on from {metadata.as_of}"
    )


def _of_sightings(pipeline: beam.Pipeline, options: SnapshotOptions, run_id: str) -> None:
    from uncommon_im.pipeline.baselines.read_learned import open_learned
    from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
    from uncommon_im.pipeline.baselines.take_snapshot import SnapshotPlan, take_snapshot

    baseline = open_snapshot(options.baseline_in) if options.baseline_in else None
    learned = open_learned(options.sightings or "", options.as_of, baseline)
    take_snapshot(pipeline, SnapshotPlan(learned, baseline, options.as_of, options.baseline_out, run_id))


def _of_events(pipeline: beam.Pipeline, options: SnapshotOptions, run_id: str) -> None:
    """All days before `--as-of` are judged, for the alerts on the last of them; nothing of it is written."""
    from uncommon_im.pipeline import backfill
    from uncommon_im.pipeline.configuration.from_options import configuration_of
    from uncommon_im.pipeline.sources.replaced import refuse_replaced_inputs

    baseline = BaselineOptions(options.baseline_in, options.baseline_out, options.learn_changed_services)
    configuration = configuration_of(options.detector, DayOptions(end=options.as_of), baseline)
    configuration = replace(configuration, run_id=run_id)
    inputs = options.input.find(configuration, options.bigquery, pipeline.options)
    refuse_replaced_inputs(inputs, None, options.baseline_out)
    scanned = backfill.scan(pipeline, inputs, options.input.files.reading, configuration)
    backfill.write_snapshot(backfill.detect(scanned, configuration), configuration)


SNAPSHOT: Final = Command(
    "snapshot", "Take a snapshot of what a stream learned.", SnapshotOptions, run_snapshot, beam=True
)
