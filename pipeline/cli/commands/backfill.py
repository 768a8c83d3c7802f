"""`uncommon-im backfill`: a range of history, judged in one pass."""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from uncommon_im.pipeline.bigquery.output import add_merge_arguments, merge_of
from uncommon_im.pipeline.cli import options
from uncommon_im.pipeline.cli.input_options import add_input_arguments, inputs_of, reading_of
from uncommon_im.pipeline.cli.terminal import show_summary
from uncommon_im.pipeline.sources.files.readings import InputFile
from uncommon_im.schemas.documents import require
from uncommon_im.schemas.evidence import MAX_OTHER_HOSTS

if TYPE_CHECKING:
    from uncommon_im.pipeline.configuration import Configuration
    from uncommon_im.pipeline.sinks.bigquery.merge_rows import BigQueryOutput
    from uncommon_im.pipeline.sources.inputs import Input

log = logging.getLogger(__name__)


def backfill_arguments(sub: argparse.ArgumentParser) -> None:
    """The arguments of `backfill`."""
    add_input_arguments(sub)
    group = sub.add_argument_group("output")
    group.add_argument("--output", metavar="DIR", help="the run's own folder; a rerun replaces it")
    add_merge_arguments(group)
    options.add_range_arguments(sub)
    options.add_baseline_arguments(sub)
    options.add_detector_arguments(sub)
    group.add_argument("--verdicts", action="store_true", help="also write one row an activity (verdicts)")
    options.add_alert_arguments(group)
    group.add_argument(
        "--evidence",
        nargs="?",
        type=options.whole,
        const=MAX_OTHER_HOSTS,
        metavar="N",
        help=f"also write activities that at most N ({MAX_OTHER_HOSTS}) other hosts showed, for `tune` and `review`",
    )
    sub.add_argument("--dry-run", action="store_true", help="say what would be done, and stop")
    sub.add_argument(
        "--workers",
        type=options.positive,
        metavar="N",
        help="processes of this machine that scan; without --runner and with much input all cores, else 1",
    )
    sub.add_argument(
        "--shards",
        type=options.positive,
        metavar="N",
        help="parts of the hosts, and of the subjects, that one worker holds at a time (8; with --workers 16; "
        "with --runner 256)",
    )


def run_backfill(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`uncommon-im backfill`."""
    import apache_beam as beam

    from uncommon_im.pipeline import backfill
    from uncommon_im.pipeline.runs.folder import prepare_output
    from uncommon_im.pipeline.runs.folder import read_summary as read_summary_file
    from uncommon_im.pipeline.sinks.bigquery.merge_rows import read_summary
    from uncommon_im.pipeline.storage.whole_file import require_writable

    somewhere = arguments.output or arguments.bigquery_output
    require(somewhere, "alerts go nowhere: give --output, --bigquery-output or both")
    options.check_alert_format(arguments, arguments.output)
    require(arguments.output or arguments.evidence is None, "--evidence needs --output, where it is written")
    configuration = options.configuration_of(arguments)
    beam_options = options.beam_options(rest)
    inputs = inputs_of(arguments, configuration, beam_options)
    workers = options.workers_of(arguments, beam_options, inputs)
    configuration = replace(configuration, shards=options.shards_of(arguments, beam_options, workers))
    with tempfile.TemporaryDirectory(prefix="uncommon-im-") as folder:
        bigquery = merge_of(arguments, beam_options, configuration, folder)
        if arguments.dry_run:
            print(plan(configuration, inputs, arguments))
            return
        if configuration.baseline_out:
            require_writable("--baseline-out", configuration.baseline_out)
        if arguments.output:
            prepare_output(arguments.output)
        pipeline = beam.Pipeline(options=beam_options)
        local = backfill.LocalScan(workers, folder) if workers > 1 else None
        scanned = backfill.scan(pipeline, inputs, reading_of(arguments), configuration, local)
        found = backfill.detect(scanned, configuration)
        backfill.write(found, arguments.output, configuration, bigquery)
        with _left_clean(arguments.output, bigquery):
            result = pipeline.run()
            result.wait_until_finish()
        if options.only_written(result):
            log.info("the graph is written for Dataflow, which launches the job")
            return
        summary = read_summary(bigquery, configuration) if bigquery else read_summary_file(arguments.output)
    show_summary(summary, arguments.output, arguments.bigquery_output)


@contextmanager
def _left_clean(output: str | None, bigquery: BigQueryOutput | None) -> Iterator[None]:
    """A run that fails leaves nothing in its folder, and none leaves what it has staged."""
    from uncommon_im.pipeline.runs.folder import clear_output
    from uncommon_im.pipeline.sinks.bigquery.merge_rows import delete_staged

    try:
        yield
    except BaseException:
        if output:
            clear_output(output)
        raise
    finally:
        if bigquery:
            delete_staged(bigquery)


def plan(configuration: Configuration, inputs: list[Input], arguments: argparse.Namespace) -> str:
    """What a run would read, with which limits, and where it would write."""
    limits = "\n".join(f"  {name}: {value}" for name, value in vars(configuration.detector.limits).items())
    days = f"from {configuration.start or 'the first day'} to before {configuration.end or 'the end'}"
    return (
        f"{_inputs(inputs)}\n"
        f"would judge {days}; earlier days only train; {_baseline(configuration)}\n"
        f"limits:\n{limits}\n"
        f"catalogue: {len(configuration.catalogue.services)} services; {len(configuration.exceptions)} exceptions\n"
        f"would {' and '.join(_outputs(arguments))}"
    )


def _outputs(arguments: argparse.Namespace) -> Iterator[str]:
    if arguments.output:
        yield f"replace {arguments.output}/{{alerts,dead_letter,verdicts,evidence,summary.json}}"
    if arguments.bigquery_output:
        yield f"merge into {arguments.bigquery_output}.{{alerts,dead_letters,verdicts,summaries}}"


def _inputs(inputs: list[Input]) -> str:
    files = [each for each in inputs if isinstance(each, InputFile)]
    size = sum(file.size for file in files)
    said = [f"would read {len(files):,} files, {size:,} bytes: {files[0].path} ... {files[-1].path}"] if files else []
    if len(files) < len(inputs):
        from uncommon_im.pipeline.sources.bigquery.streams import describe

        said += [f"would read {describe(each)}" for each in inputs if not isinstance(each, InputFile)]
    return "\n".join(said)


def _baseline(configuration: Configuration) -> str:
    came = configuration.baseline
    said = f"starts from the snapshot of {came.metadata.as_of} in {came.path}" if came else "no baseline snapshot"
    return said + (f", leaves one in {configuration.baseline_out}" if configuration.baseline_out else "")
