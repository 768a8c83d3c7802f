"""The options that say what is read, and the files and tables that they name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from uncommon_im.pipeline.bigquery.options import TABLE_SCHEME, add_bigquery_arguments, bigquery_of
from uncommon_im.pipeline.cli.options import add_format_arguments, whole
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.readings import InputFile
from uncommon_im.pipeline.sources.inputs import Input
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy
from uncommon_im.schemas.documents import require

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

    from uncommon_im.pipeline.configuration import Configuration


def add_file_arguments(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Options that say which files are read."""
    group = parser.add_argument_group("input")
    group.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="GLOB",
        help="files on any file system Beam knows, {date} for each needed day; repeatable",
    )
    add_format_arguments(group)
    group.add_argument(
        "--partition-slack-days",
        type=whole,
        default=0,
        metavar="N",
        help="{date} in --input is the day of ingestion: look N partitions further for late records (0)",
    )
    group.add_argument(
        "--require-marker", metavar="NAME", help="stop unless every input folder holds this file, such as _SUCCESS"
    )
    group.add_argument(
        "--on-bad-file",
        default="fail",
        choices=("fail", "skip"),
        help="a file that is cut or damaged: end the run (fail), or read what can be read of it and go on (skip)",
    )
    return group


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that say which files and tables are read."""
    group = add_file_arguments(parser)
    group.description = f"--input {TABLE_SCHEME}PROJECT.DATASET.TABLE reads a table or a view of BigQuery"
    group.add_argument(
        "--input-query",
        action="append",
        default=[],
        metavar="SQL",
        help="what a query of BigQuery (GoogleSQL) gives, in native columns; repeatable",
    )
    add_bigquery_arguments(parser)


def files_of(arguments: argparse.Namespace, configuration: Configuration) -> list[InputFile]:
    """The files that a command reads that reads nothing else.

    Raises:
        ConfigurationError: there are none, or a folder is not complete.
    """
    require(arguments.input, "nothing to read: --input says which files")
    for path in arguments.input:
        require(
            not path.startswith(TABLE_SCHEME),
            f"--input {path}: only backfill and snapshot read tables: export it to Parquet",
        )
    return _files(arguments.input, arguments, configuration)


def inputs_of(
    arguments: argparse.Namespace, configuration: Configuration, beam_options: PipelineOptions
) -> list[Input]:
    """The files and tables that a run reads.

    Raises:
        ConfigurationError: there are none, a folder is not complete, or a table cannot be read as events.
        UnreadableInput: BigQuery does not answer.
    """
    tables = [path for path in arguments.input if path.startswith(TABLE_SCHEME)]
    patterns = [path for path in arguments.input if path not in tables]
    queries = arguments.input_query
    require(
        patterns or tables or queries,
        "nothing to read: --input says which files or tables, --input-query which rows of BigQuery",
    )
    require(patterns or not arguments.require_marker, "--require-marker is for files: a table has no folder")
    inputs: list[Input] = [*_files(patterns, arguments, configuration)] if patterns else []
    if tables or queries:
        from uncommon_im.pipeline.sources.bigquery.tables import find_tables

        access = bigquery_of(arguments, beam_options)
        inputs += find_tables(tables, queries, access, configuration.needed, configuration.run_id)
    return inputs


def _files(patterns: list[str], arguments: argparse.Namespace, configuration: Configuration) -> list[InputFile]:
    from uncommon_im.pipeline.sources.files.partitions import Partitions, find_files

    partitions = Partitions(arguments.partition_slack_days, arguments.require_marker)
    return find_files(patterns, configuration.input_days, partitions)


def reading_of(arguments: argparse.Namespace) -> JsonOptions:
    """How lines are read."""
    return JsonOptions(arguments.format, arguments.keep_host_domain, BadFilePolicy(arguments.on_bad_file))
