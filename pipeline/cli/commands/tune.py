"""`uncommon-im tune`: the alerts of a run with other limits or more exceptions, without reading events again."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs
from rich.console import Console
from rich.table import Table
from rich.text import Text

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.terminal import plain, present, say_next
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import positive, whole
from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.documents import require
from uncommon_im.transforms.rules.columns.days import day_of

if TYPE_CHECKING:
    from uncommon_im.pipeline.runs.read_evidence import Evidence
    from uncommon_im.transforms.rules.advice.exception_proposals import Proposal
    from uncommon_im.transforms.rules.advice.tuning import Preview, RaisedAlert

OTHER_HOSTS: Final = (0, 1, 2, 3, 5, 10)
HOST_DAYS: Final = (0, 1, 2, 3, 5, 7)
"""What the grid holds beside the run's own limits, unless others are asked for."""
_LIMITS: Final = ("max_other_hosts", "max_host_days", "execution_max_other_hosts", "execution_max_host_days")
_PROGRAM: Final = ("program", "origin")
_SERVICE: Final = ("service",)
_MOST_TRIED: Final = 100


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(sorted({whole(number.strip()) for number in text.split(",")}))
    if len(numbers) > _MOST_TRIED:
        raise ArgumentTypeError(f"it has {len(numbers)} limits to try, of at most {_MOST_TRIED}")
    return numbers


@dataclass(frozen=True)
class TuneOptions(Options):
    """The options of `tune`."""

    run: str = option("The --output of a backfill that had --evidence.", metavar="DIR", positional=True)
    max_other_hosts: tuple[int, ...] | None = option(
        "The limits to try. Each sets the execution limit too. By default these are "
        f"{', '.join(map(str, OTHER_HOSTS))} and the run's own.",
        parse=_numbers,
        metavar="N,N,...",
    )
    max_host_days: tuple[int, ...] | None = option(
        "The limits to try. Each sets the execution limit too. By default these are "
        f"{', '.join(map(str, HOST_DAYS))} and the run's own.",
        parse=_numbers,
        metavar="N,N,...",
    )
    top: int = option("How many programs, services and exceptions are shown.", 10, parse=positive)
    json: bool = option("Print one JSON object instead of tables.", False)


def run_tune(options: TuneOptions) -> None:
    """`uncommon-im tune`.

    Raises:
        ConfigurationError: an argument is wrong, or the evidence does not count so many hosts.
    """
    from uncommon_im.pipeline.runs.read_evidence import open_evidence

    evidence = open_evidence(options.run)
    own, reach = evidence.metadata.detector.limits, evidence.metadata.max_other_hosts
    other_hosts = options.max_other_hosts or sorted({own.max_other_hosts, *(n for n in OTHER_HOSTS if n <= reach)})
    host_days = options.max_host_days or sorted({own.max_host_days, *HOST_DAYS})
    require(
        max(other_hosts) <= reach,
        f"--max-other-hosts {max(other_hosts)}: the evidence in {options.run} counts up to {reach} other hosts only: "
        f"run the backfill again with --evidence {max(other_hosts)}",
    )
    cells = [_with(own, most, days) for days in host_days for most in other_hosts]
    report = report_of(evidence, cells, options.top)
    present(report, options.json, show)


def _with(limits: Limits, other_hosts: int, host_days: int) -> Limits:
    """The limits that the options `--max-other-hosts` and `--max-host-days` give."""
    return structs.replace(
        limits,
        max_other_hosts=other_hosts,
        execution_max_other_hosts=other_hosts,
        max_host_days=host_days,
        execution_max_host_days=host_days,
    )


def report_of(evidence: Evidence, cells: Sequence[Limits], top: int) -> dict[str, Any]:
    """What `--json` prints: the grid, and details of the run's own limits, or of the only ones that were asked for."""
    from uncommon_im.transforms.rules.advice.exception_proposals import proposals
    from uncommon_im.transforms.rules.advice.tuning import Tuning

    metadata = evidence.metadata
    tuning = Tuning(evidence.activities, evidence.earlier_alerts, metadata.detector)
    grid = [_limits_of(limits) | _counts(tuning.preview(limits), len(metadata.days)) for limits in cells]
    limits = cells[0] if len(cells) == 1 else metadata.detector.limits
    preview = tuning.preview(limits)
    return {
        "run": {
            "run_id": metadata.run_id,
            "days": len(metadata.days),
            "first_day": str(metadata.days[0]) if metadata.days else None,
            "last_day": str(metadata.days[-1]) if metadata.days else None,
            "evidence_max_other_hosts": metadata.max_other_hosts,
            "limits": structs.asdict(metadata.detector.limits),
        },
        "grid": grid,
        "details": _limits_of(limits)
        | _counts(preview, len(metadata.days))
        | {
            "programs": _most(preview.alerts, _PROGRAM, "service", top),
            "services": _most(preview.alerts, _SERVICE, "program", top),
            "exceptions": [_proposed(proposal) for proposal in proposals(tuning, preview, limits, top)],
        },
    }


def _limits_of(limits: Limits) -> dict[str, int]:
    return {name: getattr(limits, name) for name in _LIMITS}


def _counts(preview: Preview, days: int) -> dict[str, Any]:
    """Counts of a preview: alerts in all, by variation, per day in the mean, on the worst day, and day by day."""
    by_day: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (day, variation), count in sorted(preview.days().items()):
        by_day[str(day_of(day))][variation] = count
    return {
        "verdicts": dict(preview.verdicts),
        "alerts": dict(sorted(Counter(alert.variation for alert in preview.alerts).items())),
        "alerts_a_day": round(len(preview.alerts) / days, 2) if days else 0.0,
        "alerts_on_the_worst_day": max((sum(counts.values()) for counts in by_day.values()), default=0),
        "alerts_by_day": dict(by_day),
    }


def _most(alerts: Sequence[RaisedAlert], names: Sequence[str], beside: str, top: int) -> list[dict[str, Any]]:
    """What has the most alerts by some columns of their activities, and on how many hosts."""
    grouped: defaultdict[tuple[str, ...], list[RaisedAlert]] = defaultdict(list)
    for alert in alerts:
        grouped[tuple(alert.activity[name] for name in names)].append(alert)
    ranked = sorted(grouped.items(), key=lambda item: (-len(item[1]), item[0]))[:top]
    return [
        dict(zip(names, values, strict=True))
        | {
            "alerts": len(mine),
            "hosts": len({alert.activity["host"] for alert in mine}),
            f"{beside}s": sorted({alert.activity[beside] for alert in mine}),
        }
        for values, mine in ranked
    ]


def _proposed(proposal: Proposal) -> dict[str, Any]:
    return {
        "match": dict(proposal.entry.globs),
        "alerts_removed": proposal.alerts,
        "hosts": proposal.hosts,
        "days": proposal.days,
        "suspicion_reasons": list(proposal.reasons),
        "scripting_engines": list(proposal.engines),
    }


def show(report: Mapping[str, Any]) -> None:
    """The report as tables."""
    console = Console()
    run, details = report["run"], report["details"]
    days = f"{run['days']:,} days, {run['first_day']} to {run['last_day']}" if run["days"] else "no judged days"
    console.print(_grid(report["grid"], details))
    alerts = details["verdicts"]["alert"]
    limits = " and ".join(f"{name} {details[name]}" for name in ("max_other_hosts", "max_host_days"))
    console.print(f"{days}: {alerts:,} alerts with {limits}", soft_wrap=True)
    console.print(_top("Programs with the most alerts", details["programs"], _PROGRAM, "services"))
    console.print(_top("Services with the most alerts", details["services"], _SERVICE, "programs"))
    console.print(_exceptions(details["exceptions"], alerts))
    say_next(
        "try limits with --max-other-hosts and --max-host-days of `backfill`, exceptions with --exceptions FILE.yaml"
    )


def _grid(cells: Sequence[Mapping[str, Any]], details: Mapping[str, Any]) -> Table:
    """One row per `max_host_days`, one column per `max_other_hosts`. The limits of the details stand out."""
    table = Table(title="Alerts per day (and on the worst day)", title_justify="left", caption_justify="left")
    table.caption = "rows: max_host_days; columns: max_other_hosts"
    table.add_column("days", justify="right")
    columns = sorted({cell["max_other_hosts"] for cell in cells})
    for most in columns:
        table.add_column(str(most), justify="right")
    rows: defaultdict[int, dict[int, Text]] = defaultdict(dict)
    for cell in cells:
        own = all(cell[name] == details[name] for name in _LIMITS)
        figures = f"{cell['alerts_a_day']:,.1f} ({cell['alerts_on_the_worst_day']:,})"
        rows[cell["max_host_days"]][cell["max_other_hosts"]] = Text(figures, style="bold reverse" if own else "")
    for days, row in sorted(rows.items()):
        table.add_row(str(days), *(row[most] for most in columns))
    return table


def _top(title: str, rows: Sequence[Mapping[str, Any]], names: Sequence[str], beside: str) -> Table:
    """What has the most alerts by these columns, and the values beside it."""
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name, overflow="fold")
    for name in ("alerts", "hosts"):
        table.add_column(name, justify="right")
    table.add_column(beside, overflow="fold")
    for row in rows:
        counts = (f"{row['alerts']:,}", f"{row['hosts']:,}", ", ".join(row[beside]))
        table.add_row(*(plain(cell) for cell in (*(row[name] for name in names), *counts)))
    return table


def _exceptions(rows: Sequence[Mapping[str, Any]], alerts: int) -> Table:
    title = f"Exceptions that would remove the most of these {alerts:,} alerts"
    table = Table(title=title, title_justify="left", show_lines=True)
    table.add_column("exception", overflow="fold")
    for name in ("alerts", "hosts", "days"):
        table.add_column(name, justify="right")
    table.add_column("against it", overflow="fold")
    for row in rows:
        match = "\n".join(f"{name}: {value}" for name, value in row["match"].items())
        counts = (f"{row[name]:,}" for name in ("alerts_removed", "hosts", "days"))
        table.add_row(*map(plain, (match, *counts, "\n".join(_against(row)))))
    return table


def _against(row: Mapping[str, Any]) -> Iterator[str]:
    """Why nobody should write a proposed exception before it is known what it is about."""
    if row["suspicion_reasons"]:
        yield f"suspicious: {', '.join(row['suspicion_reasons'])}"
    for engine in row["scripting_engines"]:
        yield f"hides every script that {engine} runs there"


TUNE: Final = Command("tune", "Preview what other limits and exceptions would change.", TuneOptions, run_tune)
