"""`uncommon-im report`: a run as a page to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import positive
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.documents import ConfigurationError, require

MOST_ALERTS = 20_000


@dataclass(frozen=True)
class ReportOptions(Options):
    """The options of `report`."""

    run: str = option("The --output of a backfill or replay that is done.", metavar="DIR", positional=True)
    output: str | None = option("Where the page goes. By default this is DIR/report.html.", metavar="FILE.html")
    most_alerts: int = option(
        "How many alerts are listed, the newest first. All alerts are counted.", MOST_ALERTS, parse=positive
    )


def run_report(options: ReportOptions) -> None:
    """`uncommon-im report`.

    Raises:
        ConfigurationError: an argument or a file is wrong, or what draws pages is not installed.
    """
    from apache_beam.io.filesystems import FileSystems

    require(options.run.strip(), "DIR is empty: give the --output of a run")
    try:
        from uncommon_im.pipeline.report.page import render
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"report needs {error.name}, which is not installed: pip install 'uncommon-im[report]'"
        ) from None
    from uncommon_im.pipeline.report.run import read_run
    from uncommon_im.pipeline.runs.folder import REPORT

    run = read_run(options.run, options.most_alerts)
    path = options.output or FileSystems.join(options.run, REPORT)
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


REPORT: Final = Command("report", "Make a page of a run to look at.", ReportOptions, run_report)
