"""`uncommon-im exceptions check`: exceptions that never match, have expired, or hide everything."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from uncommon_im.pipeline.cli import options
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.documents import require
from uncommon_im.schemas.exceptions import ExceptionEntry, load_exceptions
from uncommon_im.transforms.rules.advice.exception_findings import Finding, static_findings
from uncommon_im.transforms.rules.advice.exception_matches import VERDICT_ROW_SCHEMA, RunMatches, missing_fields
from uncommon_im.transforms.rules.columns.days import day_number

FOUND = 1
"""Exit status if there is a finding, as of linters."""


def exceptions_arguments(sub: argparse.ArgumentParser) -> None:
    """The arguments of `exceptions`."""
    sub.add_argument("action", choices=("check",), help="what to do with them")
    sub.add_argument("--exceptions", required=True, metavar="FILE.yaml", help="the exceptions")
    sub.add_argument(
        "--run",
        action="append",
        default=[],
        metavar="DIR",
        help="output of a run that had --verdicts: what of it do they match? Again and again for several runs",
    )
    sub.add_argument("--services", metavar="FILE.yaml", help="your own services, added to the catalogue")
    sub.add_argument("--as-of", type=options.day, metavar="DATE", help="the day by which entries have expired (today)")
    sub.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def run_exceptions(arguments: argparse.Namespace, rest: list[str]) -> int:
    """`uncommon-im exceptions`; returns 0, or `FOUND` if there is a finding.

    Raises:
        ConfigurationError: an argument or a file is wrong.
    """
    options.no_more(rest)
    require(arguments.exceptions.strip(), "--exceptions is empty: give the file of the exceptions")
    entries = load_exceptions(arguments.exceptions)
    as_of = arguments.as_of or datetime.now(UTC).date()
    services = load_catalogue(arguments.services).services_by_id
    matches = _matches(entries, arguments.run) if arguments.run else None
    findings = _together(static_findings(entries, as_of, services), matches.findings() if matches else ())
    report = report_of(entries, findings, as_of, matches)
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        show(report)
    return FOUND if findings else 0


def _matches(entries: Sequence[ExceptionEntry], runs: Sequence[str]) -> RunMatches:
    from uncommon_im.pipeline.runs.read_rows import read_alerts, read_verdicts

    matches = RunMatches(entries)
    for run in runs:
        for rows in read_verdicts(run, VERDICT_ROW_SCHEMA):
            matches.add_verdicts(rows)
        for alert in read_alerts(run):
            matches.add_alert(alert.exception_values, day_number(alert.timestamp.date()))
    return matches


def _together(seen: Iterable[Finding], shown: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of the exceptions; what runs show is left out where an exception says it itself."""
    told = list(seen)
    known = {(finding.number, finding.kind) for finding in told}
    known |= {(number, "unmatched") for number, kind in known if kind == "impossible"}
    told += [finding for finding in shown if (finding.number, finding.kind) not in known]
    return sorted(told, key=lambda finding: finding.number)


def report_of(
    entries: Sequence[ExceptionEntry], findings: Sequence[Finding], as_of: date, matches: RunMatches | None
) -> dict[str, Any]:
    """What `--json` prints: each exception with its findings and, if runs were given, what it matches there."""
    described = [
        {
            "number": number,
            "match": dict(entry.globs),
            "reason": entry.reason,
            "expires": entry.expires and entry.expires.isoformat(),
            "findings": [
                {"kind": finding.kind, "detail": finding.detail} for finding in findings if finding.number == number
            ],
            "evidence": matches and asdict(matches.of_entry[number - 1]) | {"unsaid": list(missing_fields(entry))},
        }
        for number, entry in enumerate(entries, 1)
    ]
    names = ("activities", "rare", "unexplained")
    runs = matches and {name: getattr(matches, name) for name in names}
    return {"as_of": as_of.isoformat(), "runs": runs, "exceptions": described}


def show(report: Mapping[str, Any]) -> None:
    """The report as a table, and one line per finding."""
    console = Console()
    runs = report["runs"]
    table = Table("", "exception", title_justify="left", show_lines=True)
    table.columns[1].overflow = "fold"
    if runs:
        table.title = f"Matches among {runs['activities']:,} activities, {runs['rare']:,} of them rare"
        for name in ("activities", "rare", "alerts"):
            table.add_column(name, justify="right")
    for entry in report["exceptions"]:
        said = entry["match"] | {"reason": entry["reason"], "expires": entry["expires"] or "never"}
        cells = ["\n".join(f"{name}: {value}" for name, value in said.items()), *_counts(entry["evidence"])]
        table.add_row(str(entry["number"]), *map(Text, cells), style="bold red" if entry["findings"] else "")
    console.print(table)
    for line in _lines(report):
        console.print(Text(line), soft_wrap=True)


def _counts(matches: Mapping[str, Any] | None) -> list[str]:
    if matches is None:
        return []
    ranges = ((matches["activities"], matches["possible"]), (matches["rare"], matches["possible_rare"]))
    shown = [f"{least:,}" if least == most else f"{least:,} to {most:,}" for least, most in ranges]
    return [*shown, f"{matches['alerts']:,}"]


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    """One line per finding, then what verdict rows could not decide."""
    entries = report["exceptions"]
    found = [(entry["number"], finding) for entry in entries for finding in entry["findings"]]
    for number, finding in found:
        yield f"exception {number}: {finding['kind']}: {finding['detail']}"
    for entry in entries:
        missing = (entry["evidence"] or {}).get("unsaid")
        if missing and entry["evidence"]["possible"]:
            fields = ", ".join(missing)
            yield f"exception {entry['number']}: verdict rows have no {fields}, so only its count of alerts is certain"
    if report["runs"] and report["runs"]["unexplained"]:
        count = report["runs"]["unexplained"]
        yield f"excepted activities that no exception of this file matches: {count:,} (the runs had other exceptions)"
    yield f"exceptions: {len(entries):,}; findings: {len(found):,}, as of {report['as_of']}"
