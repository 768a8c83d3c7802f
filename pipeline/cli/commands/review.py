"""`uncommon-im review`: programs that few hosts use, yet on many days, which no alert of a run is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.terminal import plain, present
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import positive
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.documents import require
from uncommon_im.transforms.rules.advice.persistent_programs import TRAITS_IN_WORDS, persistent_programs
from uncommon_im.transforms.rules.columns.days import day_of


@dataclass(frozen=True)
class ReviewOptions(Options):
    """The options of `review`."""

    run: str = option("The --output of a backfill that had --evidence.", metavar="DIR", positional=True)
    max_other_hosts: int | None = option("How many other hosts count as few. By default this is the run's own limit.")
    top: int = option("How many rows the table has.", 25, parse=positive)
    json: bool = option("Print one JSON object with all programs instead of a table.", False)
    no_redact: bool = option("Leave secrets in paths and scripts as they are.", False)


def run_review(options: ReviewOptions) -> None:
    """`uncommon-im review`.

    Raises:
        ConfigurationError: an argument is wrong, or the evidence does not count so many hosts.
    """
    from uncommon_im.pipeline.runs.read_evidence import open_evidence
    from uncommon_im.transforms.rules.alerts.redaction import Redactor

    evidence = open_evidence(options.run)
    limits, reach = evidence.metadata.detector.limits, evidence.metadata.max_other_hosts
    few = limits.max_other_hosts if options.max_other_hosts is None else options.max_other_hosts
    require(
        few <= reach,
        f"--max-other-hosts {few}: the evidence in {options.run} counts up to {reach} other hosts only: "
        f"run the backfill again with --evidence {few}",
    )
    written = dict if options.no_redact else Redactor(load_catalogue()).alert
    programs = [
        written(asdict(program))
        | {name: str(day_of(getattr(program, name))) for name in ("first_day", "last_day")}
        | {"expected": program.expected}
        for program in persistent_programs(evidence.activities, limits, few)
    ]
    report = {
        "run_id": evidence.metadata.run_id,
        "max_other_hosts": few,
        "min_host_days": limits.max_host_days + 1,
        "training_days": limits.training_days,
        "programs": programs,
    }
    present(report, options.json, partial(show, top=options.top))


def show(report: Mapping[str, Any], top: int) -> None:
    """The report as a table, expected programs counted beside it, and what the traits mean."""
    console = Console()
    unexpected = [program for program in report["programs"] if not program["expected"]]
    expected = len(report["programs"]) - len(unexpected)
    console.print(_table(unexpected[:top], report))
    for trait in sorted({trait for program in unexpected[:top] for trait in program["traits"]}):
        console.print(Text(f"{trait}: {TRAITS_IN_WORDS[trait]}"), soft_wrap=True)
    left = max(len(unexpected) - top, 0)
    console.print(
        f"Programs: {len(unexpected):,}. Not shown: {left:,} (--top shows more). "
        f"Not listed: {expected:,} that are the service's own client or a browser (--json has all).",
        soft_wrap=True,
    )


def _table(programs: Sequence[Mapping[str, Any]], report: Mapping[str, Any]) -> Table:
    table = Table(
        title=f"On at most {report['max_other_hosts']} other hosts, {report['min_host_days']} days or more on one host",
        title_justify="left",
        show_lines=True,
    )
    table.add_column("program and service", overflow="fold")
    table.add_column("hosts", justify="right")
    table.add_column("days seen", no_wrap=True)
    table.add_column("why", overflow="fold", min_width=max(map(len, TRAITS_IN_WORDS)))
    table.add_column("last example", overflow="fold")
    for program in programs:
        days = f"{program['host_days']} of {report['training_days']}"
        cells = (
            _lines(program[name] for name in ("program", "origin", "script", "service")),
            f"{program['hosts']:,}",
            _lines((days, program["first_day"], program["last_day"])),
            _lines((*program["traits"], *program["reasons"])),
            _lines(value for name, value in program["example"].items() if name != "host_name"),
        )
        table.add_row(*map(plain, cells), style="bold red" if program["reasons"] else "")
    return table


def _lines(texts: Iterable[str | None]) -> str:
    return "\n".join(filter(None, texts))


REVIEW: Final = Command("review", "Show what few hosts do on many days.", ReviewOptions, run_review)
