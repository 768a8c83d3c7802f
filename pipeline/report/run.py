"""What a run's folder holds, read for the page."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from posixpath import join
from typing import Any, Final

import msgspec
import pyarrow as pa

from uncommon_im.pipeline.report.activities import ACTIVITY_SCHEMA, Activities
from uncommon_im.pipeline.runs.folder import SUMMARY, read_summary
from uncommon_im.pipeline.runs.read_rows import files_of, read_lines, read_rows, read_verdicts
from uncommon_im.pipeline.storage.listing import exists
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.transforms.rules.advice.cases import Case, CaseAlert, cases

EXAMPLES: Final = 3
"""Dead letters that are shown of each reason."""


class Events(msgspec.Struct):
    """Records of a run: read = valid + out of range + dead letters."""

    read: int
    valid: int
    out_of_range: int
    dead_letter: dict[str, int]


class Summary(msgspec.Struct):
    """What a run counted (specification, section 10)."""

    events: Events
    communications: int
    activities: int
    verdicts: dict[str, int]
    alerts: dict[str, int]
    unknown_values: dict[str, int] = {}


class DeadLetterRow(msgspec.Struct):
    """A dead letter."""

    reason: str
    detail: str
    source: str
    record: int
    raw: str


class _Baseline(msgspec.Struct):
    coverage_days: int


class _Alert(CaseAlert, frozen=True, kw_only=True):
    """What the page itself reads of an alert; the rest is shown as it is."""

    description: str
    baseline: _Baseline

    @property
    def activity_row(self) -> dict[str, Any]:
        """The row of `ACTIVITY_SCHEMA` that it stands for."""
        return {
            "tenant": self.tenant_id,
            "host": self.host.id,
            "program": self.process.name.lower(),
            "origin": self.process.origin,
            "script": self.process.script,
            "service": self.service.id,
            "verdict": "alert",
            "hour": int(self.timestamp.timestamp()) // 3600,
            "duplicate_of": None,
        }


@dataclass
class Alerts:
    """A run's alerts.

    Args:
        listed: as JSON objects, the highest priority first, then the newest.
        by_day: (day, variation) -> how many.
        severities: severity -> how many.
        hosts: ids of hosts that have one.
        service_names: id -> name.
        coverage: tenant -> least and most days with telemetry behind an alert.
    """

    listed: list[dict[str, Any]] = field(default_factory=list)
    by_day: Counter[tuple[date, str]] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    hosts: set[str] = field(default_factory=set)
    service_names: dict[str, str] = field(default_factory=dict)
    coverage: dict[str, tuple[int, int]] = field(default_factory=dict)

    def count(self, alert: _Alert) -> None:
        """Adds one to the counts."""
        self.by_day[alert.timestamp.date(), alert.variation] += 1
        self.severities[alert.severity] += 1
        self.hosts.add(alert.host.id)
        self.service_names[alert.service.id] = alert.service.name
        days = alert.baseline.coverage_days
        least, most = self.coverage.get(alert.tenant_id, (days, days))
        self.coverage[alert.tenant_id] = min(least, days), max(most, days)


@dataclass(frozen=True)
class Run:
    """All that the page is made of.

    Args:
        folder: the run's `--output`.
        summary: its counts.
        alerts: its alerts.
        cases: of all its alerts, the most urgent first.
        activities: of all activities, or of those that are alerts.
        has_verdicts: `activities` is of all.
        letters: reason -> the first dead letters, at most `EXAMPLES`.
    """

    folder: str
    summary: Summary
    alerts: Alerts
    cases: list[Case]
    activities: Activities
    has_verdicts: bool
    letters: dict[str, list[DeadLetterRow]]


def read_run(folder: str, most_alerts: int) -> Run:
    """Reads the output of a run that is done, on any file system.

    Args:
        folder: the run's `--output`.
        most_alerts: so many are listed; all are counted.

    Raises:
        ConfigurationError: it is no such folder, or a file in it is not what a run writes; names the file and line.
    """
    summary = _summary(folder)
    alerts, rows, of_cases = Alerts(), [], []
    has_verdicts = bool(files_of(folder, "verdicts"))

    def documents() -> Iterator[tuple[int, datetime, str, dict[str, Any]]]:
        for alert, document in _alerts(folder):
            alerts.count(alert)
            of_cases.append(alert)
            if not has_verdicts:
                rows.append(alert.activity_row)
            yield alert.priority, alert.timestamp, alert.alert_id, document

    first = heapq.nlargest(most_alerts, documents(), key=lambda row: row[:3])
    alerts.listed = [document for *_, document in first]
    of_alerts = iter([pa.RecordBatch.from_pylist(rows, ACTIVITY_SCHEMA)])
    activities = read_verdicts(folder, ACTIVITY_SCHEMA) if has_verdicts else of_alerts
    letters = _letters(folder, summary)
    return Run(folder, summary, alerts, cases(of_cases), Activities(activities), has_verdicts, letters)


def _summary(folder: str) -> Summary:
    path = join(folder, SUMMARY)
    require(
        exists(path),
        f"{folder}: no {SUMMARY} there: the run did not finish, or this is not the --output of a backfill or replay",
    )
    try:
        return msgspec.convert(read_summary(folder), Summary)
    except (ValueError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{path}: no summary of a run: {error}") from None


def _alerts(folder: str) -> Iterator[tuple[_Alert, dict[str, Any]]]:
    for where, line in read_lines(folder, "alerts"):
        document: Any = None
        try:
            document = msgspec.json.decode(line)
            yield msgspec.convert(document, _Alert), document
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            is_ocsf = isinstance(document, dict) and "class_uid" in document
            mend = "an OCSF finding: report reads alerts of --alert-format native" if is_ocsf else f"no alert: {error}"
            raise ConfigurationError(f"{where}: {mend}") from None


def _letters(folder: str, summary: Summary) -> dict[str, list[DeadLetterRow]]:
    """Examples of every reason; reading ends with the last one that is wanted, for the files may be large."""
    limits = {reason: min(count, EXAMPLES) for reason, count in summary.events.dead_letter.items()}
    letters: dict[str, list[DeadLetterRow]] = {reason: [] for reason in limits}
    for letter in read_rows(folder, "dead_letter", DeadLetterRow) if any(limits.values()) else ():
        if len(letters.get(letter.reason, ())) < limits.get(letter.reason, 0):
            letters[letter.reason].append(letter)
            if all(len(letters[reason]) == count for reason, count in limits.items()):
                break
    return letters
