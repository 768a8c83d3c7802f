"""`uncommon-im review`: programs that few hosts use, yet on many days, which no alert of a run is about."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from uncommon_im.pipeline.cli import options
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.documents import require
from uncommon_im.transforms.rules.advice.persistent_programs import TRAITS_IN_WORDS, persistent_programs
from uncommon_im.transforms.rules.alerts.redaction import Redactor
from uncommon_im.transforms.rules.columns.days import day_of


def review_arguments(sub: argparse.ArgumentParser) -> None:
    """The arguments of `review`."""
    sub.add_argument("run", metavar="DIR", help="output of a backfill that had --evidence")
    sub.add_argument(
        "--max-other-hosts", type=options.whole, metavar="N", help="how many other hosts are few (the run's limit)"
    )
    sub.add_argument("--top", type=options.positive, default=25, metavar="N", help="rows of the table (25)")
    sub.add_argument("--json", action="store_true", help="one JSON object with all of them instead of a table")
    sub.add_argument("--no-redact", action="store_true", help="leave secrets in paths and scripts as they are")


def run_review(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`uncommon-im review`.

    Raises:
        ConfigurationError: an argument is wrong, or the evidence does not count so many hosts.
    """
    from uncommon_im.pipeline.runs.read_evidence import open_evidence

    options.no_more(rest)
    evidence = open_evidence(arguments.run)
    limits, reach = evidence.metadata.detector.limits, evidence.metadata.max_other_hosts
    few = limits.max_other_hosts if arguments.max_other_hosts is None else arguments.max_other_hosts
    require(
        few <= reach,
        f"--max-other-hosts {few}: the evidence in {arguments.run} counts up to {reach} other hosts only: "
        f"run the backfill again with --evidence {few}",
    )
    written = dict if arguments.no_redact else Redactor(load_catalogue()).alert
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
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        show(report, arguments.top)


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
        table.add_row(*map(Text, cells), style="bold red" if program["reasons"] else "")
    return table


def _lines(texts: Iterable[str | None]) -> str:
    return "\n".join(filter(None, texts))
