"""`uncommon-im report`: a run as a page to look at."""

from __future__ import annotations

import argparse

from uncommon_im.pipeline.cli import options
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.documents import ConfigurationError, require

MOST_ALERTS = 20_000


def report_arguments(sub: argparse.ArgumentParser) -> None:
    """The arguments of `report`."""
    sub.add_argument("run", metavar="DIR", help="the --output of a backfill or replay that is done")
    sub.add_argument("--output", metavar="FILE.html", help="where the page goes (DIR/report.html)")
    sub.add_argument(
        "--most-alerts",
        type=options.positive,
        default=MOST_ALERTS,
        metavar="N",
        help=f"alerts that are listed, the newest first; all are counted ({MOST_ALERTS})",
    )


def run_report(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`uncommon-im report`.

    Raises:
        ConfigurationError: an argument or a file is wrong, or what draws pages is not installed.
    """
    from apache_beam.io.filesystems import FileSystems

    options.no_more(rest)
    require(arguments.run.strip(), "DIR is empty: give the --output of a run")
    try:
        from uncommon_im.pipeline.report.page import render
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"report needs {error.name}, which is not installed: pip install 'uncommon-im[report]'"
        ) from None
    from uncommon_im.pipeline.report.run import read_run
    from uncommon_im.pipeline.runs.folder import REPORT

    run = read_run(arguments.run, arguments.most_alerts)
    path = arguments.output or FileSystems.join(arguments.run, REPORT)
    _write(path, render(run, load_catalogue()))
    print(f"{run.alerts.by_day.total():,} alerts in {path}")


def _write(path: str, page: str) -> None:
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    try:
        with FileSystems.create(path, "text/html", CompressionTypes.UNCOMPRESSED) as stream:
            stream.write(page.encode())
    except Exception as error:  # file systems have no error in common
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ConfigurationError(f"--output {path}: cannot be written: {reason}") from None
