"""`uncommon-im backfill`: a range of history, judged in one pass."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from uncommon_im.pipeline.bigquery.options import BigQueryOptions
from uncommon_im.pipeline.cli.closing import Written
from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.delivering import deliver_run
from uncommon_im.pipeline.cli.doubts import check_recognised
from uncommon_im.pipeline.cli.terminal import show_summary
from uncommon_im.pipeline.configuration.options import BaselineOptions, DayOptions, DetectorOptions, FindingOptions
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import Whole
from uncommon_im.pipeline.sinks import Sinks
from uncommon_im.pipeline.sinks.bigquery.options import MergeOptions
from uncommon_im.pipeline.sinks.delivery.options import DeliveryOptions
from uncommon_im.pipeline.sinks.files.options import LockOptions, RunFolder
from uncommon_im.pipeline.sources.files.readings import InputFile
from uncommon_im.pipeline.sources.host_names import HostNameOptions
from uncommon_im.pipeline.sources.options import InputOptions
from uncommon_im.pipeline.storage.temporary import temporary_folder
from uncommon_im.schemas.documents import require

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

    from uncommon_im.pipeline.configuration.configuration import Configuration
    from uncommon_im.pipeline.sources.inputs import Input

log = logging.getLogger(__name__)
_SENT_LATER: Final = "nobody waits here for the job: send its alerts once it is done, with uncommon-im send --run"

WORTH_PROCESSES_BYTES = 1 << 24
"""Input (compressed, in files) from which starting processes pays."""
WORTH_SHARDS_BYTES = 1 << 30
"""Input from which more shards pay: fewer cost less time, more less memory."""


@dataclass(frozen=True)
class SizeOptions(Options):
    """How the work is cut, which changes no alert."""

    workers: int | None = option(
        "How many processes of this machine scan. Each needs memory of its own. By default one does, or one per core "
        f"if the input is larger than {WORTH_PROCESSES_BYTES >> 20} MB and there is no --runner.",
        parse=Whole(1, 1_000),
    )
    shards: int | None = option(
        "Number of parts to split hosts and subjects into. A worker holds one part at a time in memory, so more "
        "parts need less memory. By default there are 8, 16 if the input is larger than "
        f"{WORTH_SHARDS_BYTES >> 30} GB, or 256 with --runner.",
        parse=Whole(1, 100_000),
    )

    def workers_of(self, beam_options: PipelineOptions, inputs: Sequence[Input]) -> int:
        """Processes that scan: as asked for; else all cores if the run stays in this process and reads much."""
        from uncommon_im.pipeline.options.beam import runs_in_process

        if self.workers is not None:
            return self.workers
        much = sum(each.size for each in inputs) >= WORTH_PROCESSES_BYTES
        return (os.cpu_count() or 1) if much and runs_in_process(beam_options) else 1

    def shards_of(self, beam_options: PipelineOptions, inputs: Sequence[Input]) -> int:
        """Shards: as asked for; else more the more there is to expect."""
        from uncommon_im.pipeline.options.beam import runs_in_process

        if self.shards is not None:
            return self.shards
        if not runs_in_process(beam_options):
            return 256
        return 16 if sum(each.size for each in inputs) >= WORTH_SHARDS_BYTES else 8


@dataclass(frozen=True, kw_only=True)
class BackfillOptions(Options):
    """The options of `backfill`."""

    input: InputOptions
    bigquery: BigQueryOptions
    folder: RunFolder
    tables: MergeOptions
    days: DayOptions
    baseline: BaselineOptions
    detector: DetectorOptions
    findings: FindingOptions
    hosts: HostNameOptions
    delivery: DeliveryOptions
    dry_run: bool = option("Say what would be done, and stop.", False)
    size: SizeOptions
    lock: LockOptions

    def written(self) -> Written:
        """Where it leaves what it finds and learns."""
        return Written(
            self.folder.output,
            self.tables.bigquery_output,
            verdicts=self.findings.verdicts,
            evidence=self.findings.evidence is not None,
            snapshot=self.baseline.baseline_out,
            as_of=self.days.end,
        )

    def check(self) -> None:
        """Raises `ConfigurationError` unless what is asked for can be written somewhere."""
        output = self.folder.output
        require(output or self.tables.bigquery_output, "alerts go nowhere: give --output, --bigquery-output or both")
        self.findings.check(output)
        require(
            output or not self.delivery.is_given,
            "alerts are sent from the run's folder, once it is complete: --output names it",
        )
        require(output or self.findings.evidence is None, "--evidence needs --output, where it is written")


def run_backfill(options: BackfillOptions, rest: list[str]) -> None:
    """`uncommon-im backfill`."""
    summary = judge(options, rest)
    if summary is None:
        return
    show_summary(summary, options.written())
    check_recognised(summary, options.input.files.records.format, options.input.names[0], options.folder.output)


def judge(options: BackfillOptions, rest: list[str]) -> dict[str, Any] | None:
    """Runs the backfill that options, and Beam's own in `rest`, ask for; its summary, `None` if nothing was judged.

    Raises:
        ConfigurationError: an option or a file is wrong, or a folder lacks its marker (`NotReady`).
    """
    import apache_beam as beam

    from uncommon_im.pipeline import backfill
    from uncommon_im.pipeline.configuration.from_options import configuration_of
    from uncommon_im.pipeline.local.processes import at_hand
    from uncommon_im.pipeline.local.worker import prepare
    from uncommon_im.pipeline.options.beam import beam_options, runs_in_process
    from uncommon_im.pipeline.sources.replaced import refuse_replaced_inputs

    options.check()
    delivering = options.delivery.open(options.findings.alert_format)
    configuration = configuration_of(options.detector, options.days, options.baseline, options.findings)
    beams = beam_options(rest)
    inputs = options.input.find(configuration, options.bigquery, beams)
    refuse_replaced_inputs(inputs, options.folder.output, configuration.baseline_out)
    workers, stays = options.size.workers_of(beams, inputs), runs_in_process(beams)
    shards = options.size.shards_of(beams, inputs)
    configuration = replace(configuration, shards=shards, host_names=options.hosts.read())
    ready = at_hand(0 if options.dry_run else workers, partial(prepare, configuration.scan))
    with ready, temporary_folder() as temporary:
        sinks = Sinks(
            options.folder.output,
            bigquery=options.tables.open(options.bigquery, beams, configuration.verdicts, summaries=True),
            staging=options.tables.staging(beams, configuration, options.input.names, temporary),
            delivering=delivering,
        )
        if options.dry_run:
            print(plan(configuration, inputs, sinks))
            return None
        with backfill.claimed(sinks.output, configuration, force=options.lock.force, stays=stays), _unstaged(sinks):
            pipeline = beam.Pipeline(options=beams)
            local = backfill.LocalScan(workers, temporary) if workers > 1 else None
            scanned = backfill.scan(pipeline, inputs, options.input.files.reading, configuration, local)
            backfill.write(backfill.detect(scanned, configuration), sinks, configuration)
            result = pipeline.run()
            result.wait_until_finish()
        if not getattr(result, "has_job", True):
            log.info("the graph is written for Dataflow, which launches the job")
            if delivering:
                log.warning(_SENT_LATER)
            return None
        summary = _summary(sinks, configuration)
    deliver_run(delivering, options.folder.output, configuration.alert_format)
    return summary


def _summary(sinks: Sinks, configuration: Configuration) -> dict[str, Any]:
    from uncommon_im.pipeline.runs import folder

    if sinks.bigquery and sinks.staging:
        from uncommon_im.pipeline.sinks.bigquery import merge_rows

        return merge_rows.read_summary(sinks.bigquery, sinks.staging, configuration)
    return folder.read_summary(sinks.output or "")


@contextmanager
def _unstaged(sinks: Sinks) -> Iterator[None]:
    """No run leaves what it has staged for BigQuery."""
    try:
        yield
    finally:
        if sinks.staging:
            from uncommon_im.pipeline.sinks.bigquery.merge_rows import delete_staged

            delete_staged(sinks.staging)


def plan(configuration: Configuration, inputs: Sequence[Input], sinks: Sinks) -> str:
    """What a run would read, with which limits, and where it would write."""
    limits = "\n".join(f"  {name}: {value}" for name, value in structs.asdict(configuration.detector.limits).items())
    days = f"from {configuration.start or 'the first day'} to before {configuration.end or 'the end'}"
    return (
        f"{_inputs(inputs)}\n"
        f"would judge {days}; earlier days only train; {_baseline(configuration)}\n"
        f"limits:\n{limits}\n"
        f"catalogue: {len(configuration.catalogue.services)} services; {len(configuration.exceptions)} exceptions; "
        f"{len(configuration.malicious)} malicious dispositions\n"
        f"would {' and '.join(_outputs(sinks))}"
    )


def _outputs(sinks: Sinks) -> Iterator[str]:
    from uncommon_im.pipeline.runs.folder import run_folder

    if sinks.output:
        old = run_folder(sinks.output).check()
        replaced = f", in place of the {len(old):,} files of an earlier run" if old else ""
        yield f"write {sinks.output}/{{alerts,dead_letter,verdicts,evidence,summary.json}}{replaced}"
    if sinks.bigquery:
        yield f"merge into {sinks.bigquery.name}.{{alerts,dead_letters,verdicts,summaries}}"
    if sinks.delivering:
        yield f"send the alerts to {sinks.delivering.place}"


def _inputs(inputs: Sequence[Input]) -> str:
    files = [each for each in inputs if isinstance(each, InputFile)]
    size = sum(file.size for file in files)
    lines = [f"would read {len(files):,} files, {size:,} bytes: {files[0].path} ... {files[-1].path}"] if files else []
    if len(files) < len(inputs):
        from uncommon_im.pipeline.sources.bigquery.streams import describe

        lines += [f"would read {describe(each)}" for each in inputs if not isinstance(each, InputFile)]
    return "\n".join(lines)


def _baseline(configuration: Configuration) -> str:
    snapshot = configuration.baseline
    start = f"starts from the snapshot of {snapshot.metadata.as_of} in {snapshot.path}" if snapshot else ""
    end = f", leaves one in {configuration.baseline_out}" if configuration.baseline_out else ""
    return (start or "no baseline snapshot") + end


BACKFILL: Final = Command("backfill", "Judge a range of history.", BackfillOptions, run_backfill, beam=True)
