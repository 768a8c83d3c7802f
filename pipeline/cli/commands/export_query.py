"""`uncommon-im export-query`: the query that brings what the detector reads, and nothing else."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Final

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.configuration.options import CatalogueOptions, DayOptions
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import Text, Whole
from uncommon_im.schemas.detector import BOUNDS, load_detector
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.transforms.rules.exports.dialects.words import Request
from uncommon_im.transforms.rules.exports.queries import DIALECTS
from uncommon_im.transforms.rules.exports.source import NATIVE, Source, needed

_NEEDED: Final = ("event_time", "event_type", "host_id", "process_name", "remote_host", "remote_ip")
"""Native columns without which there is no query in SQL."""
_NAME: Final = Text(r"[A-Za-z0-9_$*][A-Za-z0-9_.$*-]*", "a name, maybe with those of its project and dataset before it")


@dataclass(frozen=True, kw_only=True)
class ExportOptions(Options):
    """The options of `export-query`."""

    for_: str = option("The language of the query, and with it the store.", choices=tuple(DIALECTS), required=True)
    table: str | None = option(
        "Where the events are: a table; for xql a dataset; for kql tables or a query; for splunk and falcon a search.",
        metavar="NAME",
    )
    start: date | None = option("The first day (UTC) of the export. Without it there is no first day.")
    end: date | None = option("The day after the last one.")
    without: tuple[str, ...] = option("A column that the table does not have.", (), "COLUMN")
    process_lookback: int | None = option(
        "How many days before a communication its process may have started, as for `backfill`. SQL reads so many days "
        "more. The shipped card has 7.",
        parse=Whole(*BOUNDS["process_lookback"]),
        metavar="DAYS",
    )
    known: CatalogueOptions


def request_of(options: ExportOptions) -> Request:
    """What is asked for.

    Raises:
        ConfigurationError: the days, the table's name or a column are wrong.
    """
    DayOptions(options.start, options.end).check()
    source = DIALECTS[options.for_].source
    _check(options, source)
    known = options.known
    return Request(
        source,
        options.table or source.table,
        needed(source, known.catalogue(), known.operator_ranges, options.without),
        tuple(column for column in source.columns if column not in options.without),
        options.start,
        options.end,
        load_detector(None, process_lookback=options.process_lookback).limits.process_lookback,
    )


def _check(options: ExportOptions, source: Source) -> None:
    columns, native = source.columns, source.format == NATIVE
    for column in options.without:
        near = ", ".join(get_close_matches(column, columns, 3)) or ", ".join(columns)
        require(column in columns, f"--without {column}: the export has no such column; it has {near}")
        require(not native or column not in _NEEDED, f"--without {column}: there is no export without this column")
    if native and options.table:
        try:
            _NAME(options.table)
        except ArgumentTypeError as error:
            raise ConfigurationError(f"--table {options.table!r:.60}: {error}") from None


def run_export(options: ExportOptions) -> None:
    """`uncommon-im export-query`: the query to standard output, what to do with it to standard error.

    Raises:
        ConfigurationError: as `request_of` says.
    """
    request, dialect = request_of(options), DIALECTS[options.for_]
    print(dialect.export(request), end="")
    told = f"This is {dialect.says}. Read what it gives with --format {dialect.source.format}."
    if not (options.start and options.end):
        told += " It has no --start and --end: it asks for all days that there are."
    print(f"{told}\n{dialect.price}", file=sys.stderr)


EXPORT_QUERY: Final = Command(
    "export-query", "Print the query that exports just what the detector reads.", ExportOptions, run_export
)
