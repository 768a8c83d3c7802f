"""`uncommon-im report`: a run as a page to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from posixpath import join
from typing import Final, Literal

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.terminal import say_next
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import positive
from uncommon_im.pipeline.storage.changing import write_whole, writing_to
from uncommon_im.pipeline.storage.kernel_lock import write_alone
from uncommon_im.pipeline.storage.listing import exists
from uncommon_im.pipeline.storage.opening import is_remote, open_binary
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.documents import ConfigurationError, require

MOST_ALERTS = 20_000
_KEYS: Final = {"bigquery": "bigquery_sql", "splunk": "spl"}
"""Language -> its key in alerts and on the page, where that is another."""


@dataclass(frozen=True)
class ReportOptions(Options):
    """The options of `report`."""

    run: str = option("The --output of a backfill or replay that is done.", metavar="DIR", positional=True)
    output: str | None = option("Where the page goes. By default this is DIR/report.html.", metavar="FILE.html")
    most_alerts: int = option(
        "How many alerts are listed: those of the highest priority. All alerts are counted.",
        MOST_ALERTS,
        parse=positive,
    )
    virustotal: bool = option("Digests of programs are links to VirusTotal. The page itself still asks nobody.", False)
    queries: Literal["bigquery", "xql", "kql", "esql", "splunk"] = option(
        "The language of your telemetry's store: queries of the next steps come in it first. The page can change it.",
        "bigquery",
    )


def run_report(options: ReportOptions) -> None:
    """`uncommon-im report`.

    Raises:
        ConfigurationError: an argument or a file is wrong, or what draws pages is not installed.
    """
    require(options.run.strip(), "DIR is empty: give the --output of a run")
    try:
        from uncommon_im.pipeline.report.page import render
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"report needs {error.name}, which is not installed: pip install 'uncommon-im[report]'"
        ) from None
    from uncommon_im.pipeline.report.run import read_run
    from uncommon_im.pipeline.runs.folder import REPORT, run_folder

    run_folder(options.run).settle()
    run = read_run(options.run, options.most_alerts)
    path = options.output or join(options.run, REPORT)
    _write(path, render(run, load_catalogue(), options.virustotal, _KEYS.get(options.queries, options.queries)))
    print(f"{run.alerts.by_day.total():,} alerts in {path}")
    say_next(
        "open it in a browser; what you decide there is exported for --dispositions and --exceptions of later runs"
    )


def _write(path: str, page: str) -> None:
    """A page takes the place of a page, and of nothing else."""
    with writing_to("--output", path):
        require(
            not exists(path, "--output") or _is_page(path),
            f"--output {path}: the file that is there is no page of `report`, and was left as it is: give another name",
        )
        if is_remote(path):
            write_whole(path, page.encode())
        else:
            write_alone(Path(path), page.encode())


def _is_page(path: str) -> bool:
    from uncommon_im.pipeline.runs.folder import is_page

    with open_binary(path) as stream:
        return is_page(stream.read(1 << 16))


REPORT: Final = Command("report", "Make a page of a run to look at.", ReportOptions, run_report)
