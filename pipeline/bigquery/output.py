"""The options of commands that write to BigQuery, and what they mean."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from uncommon_im.pipeline.bigquery.options import bigquery_of
from uncommon_im.pipeline.cli import options
from uncommon_im.schemas.documents import require
from uncommon_im.transforms.rules.columns.days import rfc3339

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

    from uncommon_im.pipeline.bigquery.tables import Dataset
    from uncommon_im.pipeline.configuration import Configuration
    from uncommon_im.pipeline.sinks.bigquery.merge_rows import BigQueryOutput


def add_bigquery_output(group: argparse._ActionsContainer) -> None:
    """The option that names the dataset."""
    group.add_argument(
        "--bigquery-output",
        metavar="PROJECT.DATASET",
        help="a dataset with the tables of `uncommon-im schema bigquery`; beside or instead of --output",
    )


def add_merge_arguments(group: argparse._ActionsContainer) -> None:
    """The options of a command that loads and merges."""
    add_bigquery_output(group)
    group.add_argument(
        "--bigquery-timeout",
        type=options.positive,
        default=3600,
        metavar="SECONDS",
        help="how long BigQuery may take to load or to merge a table (3600)",
    )


def dataset_of(
    arguments: argparse.Namespace, beam_options: PipelineOptions, with_summary: bool = False
) -> Dataset | None:
    """The dataset that a command writes to, with the tables that it needs; `None`: none is given.

    Raises:
        ConfigurationError: it, or a table, is not there or not as it should be.
    """
    if arguments.bigquery_output is None:
        return None
    from uncommon_im.pipeline.bigquery.tables import Dataset

    dataset = Dataset(bigquery_of(arguments, beam_options), arguments.bigquery_output)
    client = dataset.access.client()
    needed = {"alerts": True, "dead_letters": True, "verdicts": arguments.verdicts, "summaries": with_summary}
    dataset.check(client, [name for name, need in needed.items() if need])
    client.close()
    return dataset


def merge_of(
    arguments: argparse.Namespace, beam_options: PipelineOptions, configuration: Configuration, folder: str
) -> BigQueryOutput | None:
    """Where a backfill leaves what it finds in BigQuery; `None`: nowhere.

    Rows are staged under Beam's `--temp_location`; without one, if the run stays on this machine, in a folder of it.

    Args:
        arguments: of the command.
        beam_options: Beam's.
        configuration: of the run.
        folder: of this machine, for files.

    Raises:
        ConfigurationError: the dataset is not as it should be, or workers share no place to stage rows.
    """
    dataset = dataset_of(arguments, beam_options, with_summary=True)
    if dataset is None:
        return None
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import GoogleCloudOptions, StandardOptions

    from uncommon_im.pipeline.sinks.bigquery.merge_rows import BigQueryOutput

    staging = beam_options.view_as(GoogleCloudOptions).temp_location
    if staging is None:
        require(
            beam_options.view_as(StandardOptions).runner == options.IN_PROCESS_RUNNER,
            "--bigquery-output with --runner needs --temp_location: a gs:// folder where workers stage rows",
        )
        staging = folder
    staging = FileSystems.join(staging, f"bigquery-{configuration.run_id}")
    started = rfc3339(time.time_ns() // 1000)
    inputs = (*arguments.input, *arguments.input_query)
    return BigQueryOutput(dataset, staging, inputs, started, arguments.bigquery_timeout)
