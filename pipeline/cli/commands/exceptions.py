"""`uncommon-im exceptions check`: exceptions that never match, have expired, or hide everything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.terminal import plain, present
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.exceptions import ExceptionEntry, load_exceptions
from uncommon_im.transforms.rules.advice.exception_findings import Finding, static_findings
from uncommon_im.transforms.rules.advice.exception_matches import VERDICT_ROW_SCHEMA, RunMatches, missing_fields
from uncommon_im.transforms.rules.columns.days import day_number

FOUND = 1
"""Exit status if there is a finding, as of linters."""


@dataclass(frozen=True)
class ExceptionsOptions(Options):
    """The options of `exceptions`."""

    action: str = option("What to do with the exceptions.", choices=("check",), positional=True)
    exceptions: str = option("The file of the exceptions.", metavar="FILE.yaml", required=True)
    run: tuple[str, ...] = option(
        "The --output of a run that had --verdicts. The check reports what the exceptions match there.", (), "DIR"
    )
    services: str | None = option("Your own services. They are added to the catalogue.", metavar="FILE.yaml")
    as_of: date | None = option("The day by which entries have expired. By default this is today.")
    json: bool = option("Print one JSON object instead of a table.", False)


def run_exceptions(options: ExceptionsOptions) -> int:
    """`uncommon-im exceptions`; returns 0, or `FOUND` if there is a finding.

    Raises:
        ConfigurationError: an argument or a file is wrong.
    """
    entries = load_exceptions(options.exceptions)
    as_of = options.as_of or datetime.now(UTC).date()
    services = load_catalogue(options.services).services_by_id
    matches = _matches(entries, options.run) if options.run else None
    findings = _together(static_findings(entries, as_of, services), matches.findings() if matches else ())
    report = report_of(entries, findings, as_of, matches)
    present(report, options.json, show)
    return FOUND if findings else 0


def _matches(entries: Sequence[ExceptionEntry], runs: Sequence[str]) -> RunMatches:
    from uncommon_im.pipeline.runs.read_rows import AlertRow, read_rows, read_verdicts

    matches = RunMatches(entries)
    for run in runs:
        for rows in read_verdicts(run, VERDICT_ROW_SCHEMA):
            matches.add_verdicts(rows)
        for alert in read_rows(run, "alerts", AlertRow):
            matches.add_alert(alert.exception_values, day_number(alert.timestamp.date()))
    return matches


def _together(seen: Iterable[Finding], shown: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of the exceptions; what runs show is left out where an exception says it itself."""
    together = list(seen)
    known = {(finding.number, finding.kind) for finding in together}
    known |= {(number, "unmatched") for number, kind in known if kind == "impossible"}
    together += [finding for finding in shown if (finding.number, finding.kind) not in known]
    return sorted(together, key=lambda finding: finding.number)


def report_of(
    entries: Sequence[ExceptionEntry], findings: Sequence[Finding], as_of: date, matches: RunMatches | None
) -> dict[str, Any]:
    """What `--json` prints: each exception with its findings and, if runs were given, what it matches there."""
    of_entry = matches.of_entry if matches else []
    of_number: defaultdict[int, list[dict[str, str]]] = defaultdict(list)
    for finding in findings:
        of_number[finding.number].append({"kind": finding.kind, "detail": finding.detail})
    described = [
        {
            "number": number,
            "match": dict(entry.globs),
            "reason": entry.reason,
            "expires": entry.expires and entry.expires.isoformat(),
            "findings": of_number[number],
            "evidence": matches and asdict(of_entry[number - 1]) | {"unsaid": list(missing_fields(entry))},
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
        shown = entry["match"] | {"reason": entry["reason"], "expires": entry["expires"] or "never"}
        cells = ["\n".join(f"{name}: {value}" for name, value in shown.items()), *_counts(entry["evidence"])]
        table.add_row(str(entry["number"]), *map(plain, cells), style="bold red" if entry["findings"] else "")
    console.print(table)
    for line in _lines(report):
        console.print(plain(line), soft_wrap=True)


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
        yield (
            f"excepted activities that no exception of this file matches: {count:,} "
            "(the runs had other exceptions, or dispositions)"
        )
    yield f"exceptions: {len(entries):,}; findings: {len(found):,}, as of {report['as_of']}"


EXCEPTIONS: Final = Command("exceptions", "Check the file of exceptions.", ExceptionsOptions, run_exceptions)
