"""Alerts, verdicts, dead letters and summaries as rows of BigQuery's tables.

Columns, keys and what a run replaces by them are in `schemas/bigquery`. Every row has a digest of its content. A rerun
with the same content changes nothing, not even the id of the run that wrote it first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from uncommon_im.schemas.detector import DETECTOR_VERSION
from uncommon_im.transforms.rules.alerts.ids import digest_of
from uncommon_im.transforms.rules.baseline.sightings import Coverage
from uncommon_im.transforms.rules.columns.days import HOUR_US, day_number, day_of, rfc3339
from uncommon_im.transforms.rules.columns.json_lines import to_json

Row = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """The days and tenants of a backfill. Rows of earlier runs within it are replaced, also where no new row comes.

    Where `--start` or `--end` is not given, the days are those of the events that it read.

    Args:
        first_day: the first day that is judged.
        end_day: the first day after them.
        tenants: those that delivered events on these days; rows of others are left alone.
    """

    first_day: date
    end_day: date
    tenants: tuple[str, ...]


def scope_of(coverage: Coverage, start: date | None, end: date | None) -> Scope | None:
    """The scope of a run; `None` if it read no event of a day that it judges.

    Args:
        coverage: all days with telemetry; those of a snapshot are before `start`.
        start: first day that is judged; `None`: all are.
        end: first day that is out of range; `None`: none is.
    """
    first = None if start is None else day_number(start)
    judged = [(tenant, day) for tenant, day in coverage if first is None or day >= first]
    if not judged:
        return None
    days = [day for _, day in judged]
    tenants = sorted({tenant for tenant, _ in judged})
    return Scope(start or day_of(min(days)), end or day_of(max(days) + 1), tuple(tenants))


def run_key(start: date | None, end: date | None, inputs: Sequence[str], tenant: str) -> str:
    """What a rerun shares with the run that it repeats: the same input and days, with whatever limits."""
    return digest_of([str(start), str(end), tenant, *sorted(inputs)])


def alert_row(alert: Mapping[str, Any]) -> Row:
    """An alert as a row of `alerts`."""
    return {**alert, "service_id": alert["service"]["id"], "content_digest": _digest(alert)}


def verdict_row(verdict: Mapping[str, Any], run_id: str) -> Row:
    """A verdict row of the files as a row of `verdicts`. `copy` is set by what knows all rows of a run."""
    began = {"hour_start": rfc3339(verdict["hour"] * HOUR_US)}
    return {**began, **verdict, "run_id": run_id, "content_digest": _digest(verdict)}


def is_judged(verdict: Mapping[str, Any]) -> bool:
    """False for days that only train a run. The table has them from the run that judges them."""
    return bool(verdict["verdict"] != "training")


def dead_letter_row(letter: Mapping[str, Any], run_id: str, run_key: str | None, found_at: str) -> Row:
    """A dead letter as a row of `dead_letters`. `copy` is set by what knows all rows of a run.

    Args:
        letter: as the files have it.
        run_id: of the run or stream that found it.
        run_key: of the backfill that found it; `None`: a stream did.
        found_at: when, RFC 3339.
    """
    origin = {"found_at": found_at, "run_id": run_id, "run_key": run_key}
    return {**letter, **origin, "content_digest": _digest(letter)}


def summary_row(
    summary: Mapping[str, Any], inputs: Sequence[str], scope: Scope | None, coverage: Coverage, **names: str
) -> Row:
    """The summary of a backfill as a row of `summaries`.

    Args:
        summary: as the file has it.
        inputs: what was read.
        scope: days and tenants of the run.
        coverage: all days with telemetry.
        names: `run_id`, `run_key` and `config_digest`.
    """
    events, unknown = summary["events"], summary.get("unknown_values", {})
    letters = [{"reason": reason, "records": number} for reason, number in events["dead_letter"].items()]
    row = {
        **summary,
        "inputs": sorted(inputs),
        "first_day": scope and str(scope.first_day),
        "end_day": scope and str(scope.end_day),
        "events": {**events, "dead_letter": letters},
        "unknown_values": [{"name": name, "communications": number} for name, number in unknown.items()],
        "coverage": _days_of(scope, coverage) if scope else [],
        "detector_version": DETECTOR_VERSION,
        **names,
    }
    return {**row, "content_digest": _digest(row)}


def summary_of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The summary that a row of `summaries` was made of."""
    events = row["events"]
    letters = {each["reason"]: each["records"] for each in events["dead_letter"]}
    plain = {name: row[name] for name in ("communications", "activities", "verdicts", "alerts")}
    plain["communications_without_process"] = row["communications_without_process"] or 0  # older rows have none
    unknown = {each["name"]: each["communications"] for each in row["unknown_values"]}
    return {"events": {**events, "dead_letter": letters}, **plain, **({"unknown_values": unknown} if unknown else {})}


def _days_of(scope: Scope, coverage: Coverage) -> list[Row]:
    first, end = day_number(scope.first_day), day_number(scope.end_day)
    return [
        {"tenant_id": tenant, "day": str(day_of(day)), "events": events}
        for (tenant, day), events in sorted(coverage.items())
        if first <= day < end
    ]


def _digest(row: Mapping[str, Any]) -> str:
    return digest_of([to_json({name: row[name] for name in sorted(row) if name != "run_id"})])
