"""`uncommon-im cases`: what to look at first: the alerts of runs, put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from posixpath import join
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from uncommon_im.pipeline.cli.closing import command
from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.terminal import plain, present, say_next
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import positive
from uncommon_im.pipeline.storage.listing import exists
from uncommon_im.schemas.documents import require
from uncommon_im.transforms.rules.columns.days import rfc3339

if TYPE_CHECKING:
    from uncommon_im.transforms.rules.advice.cases import Case, CaseAlert


@dataclass(frozen=True)
class CasesOptions(Options):
    """The options of `cases`."""

    runs: tuple[str, ...] = option(
        "The --output of a backfill, a replay or a stream. Several, such as the days of a chain, are put together.",
        (),
        metavar="DIR",
        positional=True,
    )
    top: int = option("How many cases are shown. --json prints all.", 20, parse=positive)
    json: bool = option("Print one JSON object instead of a table.", False)


def run_cases(options: CasesOptions) -> None:
    """`uncommon-im cases`.

    Raises:
        ConfigurationError: a folder is no run's, or a line in it is no alert.
    """
    from uncommon_im.transforms.rules.advice.cases import cases

    report = {"runs": [*options.runs], "cases": [_row(case) for case in cases(_alerts(options.runs))]}
    present(report, options.json, lambda found: show(found, options.top))


def _alerts(runs: Sequence[str]) -> Iterator[CaseAlert]:
    from uncommon_im.pipeline.runs.folder import SUMMARY, run_folder
    from uncommon_im.pipeline.runs.read_rows import files_of, read_rows
    from uncommon_im.transforms.rules.advice.cases import CaseAlert

    for run in runs:
        run_folder(run).settle()
        require(
            files_of(run, "alerts") or exists(join(run, SUMMARY)),
            f"{run}: neither alerts/*.jsonl nor {SUMMARY} is there: give the --output of a run",
        )
        yield from read_rows(run, "alerts", CaseAlert)


def _row(case: Case) -> dict[str, Any]:
    """A case as JSON: what its alerts have in common, and what they add up to."""
    urgent = case.open_first
    return {
        "case_id": case.case_id,
        "tenant_id": urgent.tenant_id,
        "priority": urgent.priority,
        "severity": case.severity,
        "process": {"name": urgent.process.name, "origin": urgent.process.origin, "script": urgent.process.script},
        "service": {"id": urgent.service.id, "name": urgent.service.name},
        "spread": case.spread,
        "hosts": [*case.hosts],
        "users": sorted({alert.user_name for alert in case.alerts if alert.user_name}),
        "first": rfc3339(round(case.first.timestamp() * 1_000_000)),
        "last": rfc3339(round(case.last.timestamp() * 1_000_000)),
        "bytes_sent": case.bytes_sent,
        "bytes_received": case.bytes_received,
        "variations": case.variations,
        "group_saturated": any(alert.group_saturated for alert in case.alerts),
        "open_first": urgent.alert_id,
        "alert_ids": [alert.alert_id for alert in case.alerts],
        "related": [*case.related],
    }


def show(report: Mapping[str, Any], top: int) -> None:
    """The cases as a table, the first that is to be opened on top."""
    console, found = Console(), report["cases"]
    alerts = sum(len(case["alert_ids"]) for case in found)
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("priority", justify="right")
    table.add_column("program and service", overflow="fold")
    for name in ("spread", "sent", "first", "open first"):
        table.add_column(name)
    for case in found[:top]:
        table.add_row(
            str(case["priority"]),
            plain(f"{case['process']['name']} → {case['service']['name']}"),
            case["spread"],
            sent(case["bytes_sent"]),
            case["first"][:10],
            case["open_first"][:8],
        )
    if found:
        console.print(table)
    more = f", of which the first {top:,} are shown" if len(found) > top else ""
    console.print(f"{len(found):,} cases of {alerts:,} alerts{more}", soft_wrap=True)
    if found:
        say_next(*(f"{command('report', run)} shows the evidence of each" for run in report["runs"]))


def sent(number: int | None) -> str:
    """Bytes in units that are read at a glance."""
    return "not reported" if number is None else decimal(number)


CASES: Final = Command("cases", "Put the alerts of runs together: what to look at first.", CasesOptions, run_cases)
