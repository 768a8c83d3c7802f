"""What was found in files, for a terminal or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from uncommon_im.pipeline.lab.inspection.files import Inspected
from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.schemas.event import EVENT_TYPES
from uncommon_im.transforms.rules.advice.survey import COSTS, Kind, Survey
from uncommon_im.transforms.rules.alerts.redaction import Redactor
from uncommon_im.transforms.rules.columns.visible import visible

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_REASONS: Final = 5
_LONGEST: Final = 300
"""Characters of a record or of a value that are shown."""


def as_json(found: Sequence[Inspected], catalogue: Catalogue) -> dict[str, Any]:
    """All of it as one JSON object; secrets are masked."""
    return {"files": [_file(each, Redactor(catalogue)) for each in found]}


def show(report: dict[str, Any]) -> None:
    """Prints what `as_json` gives."""
    console = Console()
    for file in report["files"]:
        whole = "all" if file["whole"] else "the first"
        console.print(f"\n[bold]{_plain(file['source'])}[/]: {file['kind']}, {_days(file)}", highlight=False)
        counts = [_counted(file["events"], "event"), _counted(_dead(file), "dead letter")]
        console.print(f"{whole} {_counted(file['records'], 'record')}: {', '.join(counts)}", highlight=False)
        for table in _tables(file):
            console.print(table)
        for sample in file["samples"]:
            console.print(f"for example, of {_plain(sample['format'])}:", highlight=False)
            for name, value in sample["event"].items():
                console.print(f"  {name}: {_plain(str(value))[:_LONGEST]}", highlight=False, soft_wrap=True)
        for reason in file["dead_letters"][:_MOST_REASONS]:
            console.print(
                f"[bold]{reason['reason']}[/] ({reason['records']:,} of {_plain(reason['format'])}): "
                f"{_plain(reason['detail'])}\n  record {reason['record']:,}: {_plain(reason['raw'])}",
                highlight=False,
                soft_wrap=True,
            )


def _tables(file: dict[str, Any]) -> Iterator[Table]:
    if file["formats"]:
        table = Table(title="What the records are", title_justify="left")
        table.add_column("format")
        table.add_column("wrapped in")
        for name in (*EVENT_TYPES, "no event"):
            table.add_column(name, justify="right")
        for row in file["formats"]:
            counts = [f"{row['events'][name]:,}" for name in EVENT_TYPES]
            table.add_row(_plain(row["format"]), ", in ".join(reversed(row["wrapping"])), *counts, f"{row['dead']:,}")
        yield table
    if file["lacking"]:
        table = Table(title="What its connections and lookups cannot tell", title_justify="left")
        table.add_column("column")
        table.add_column("have it", justify="right")
        table.add_column("without it")
        for row in file["lacking"]:
            table.add_row(row["column"], f"{row['share']:.0%}", row["cost"])
        yield table


def _file(found: Inspected, redactor: Redactor) -> dict[str, Any]:
    survey = found.survey
    return {
        "source": found.source,
        "kind": found.kind,
        "whole": found.whole,
        "records": survey.read,
        "events": survey.events.total(),
        "days": [str((_EPOCH + timedelta(days=day)).date()) for day in survey.days or ()],
        "formats": _formats(survey),
        "lacking": [
            {"column": name, "share": survey.given[name] / survey.asked, "cost": cost}
            for name, cost in COSTS.items()
            if survey.asked and survey.given[name] < survey.asked
        ],
        "samples": [
            {"format": kind.format, "event": redactor.alert(_written(event))}
            for (kind, _), event in survey.samples.items()
        ],
        "dead_letters": _dead_letters(survey, redactor),
    }


def _formats(survey: Survey) -> list[dict[str, Any]]:
    kinds: dict[Kind, dict[str, Any]] = {}
    for kind, *_ in (*survey.events, *survey.dead):
        kinds.setdefault(
            kind,
            {
                "format": kind.format,
                "wrapping": list(kind.wrapping),
                "events": dict.fromkeys(EVENT_TYPES, 0),
                "dead": 0,
            },
        )
    for (kind, type), count in survey.events.items():
        kinds[kind]["events"][type] += count
    for (kind, _), dead in survey.dead.items():
        kinds[kind]["dead"] += dead.count
    return sorted(kinds.values(), key=lambda row: (-sum(row["events"].values()) - row["dead"], row["format"]))


def _dead_letters(survey: Survey, redactor: Redactor) -> list[dict[str, Any]]:
    """The commonest reasons first."""
    rows = []
    for (kind, _), dead in sorted(survey.dead.items(), key=lambda entry: -entry[1].count):
        letter = redactor.dead_letter(dead.example.row())
        raw = letter["raw"] if len(letter["raw"]) <= _LONGEST else letter["raw"][:_LONGEST] + " ..."
        rows.append({**letter, "raw": raw, "format": kind.format, "records": dead.count})
    return rows


def _written(event: dict[str, Any]) -> dict[str, Any]:
    moment = _EPOCH + timedelta(microseconds=event["event_time"])
    return {**event, "event_time": moment.isoformat().replace("+00:00", "Z")}


def _days(file: dict[str, Any]) -> str:
    days = sorted(set(file["days"]))
    return f"events of {' to '.join(days)}" if days else "no events"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _dead(file: dict[str, Any]) -> int:
    return int(file["records"] - file["events"])


def _plain(text: str) -> str:
    """Text of telemetry: it gives no orders to `rich`, and none to the terminal."""
    return escape(visible(text))
