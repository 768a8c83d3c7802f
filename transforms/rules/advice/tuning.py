"""What a run would find with other limits, or with one more exception, from its evidence alone.

The rules are those of the run itself: rareness, variations, deduplication, flood control and exceptions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from uncommon_im.schemas.detector import Detector, Limits
from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.transforms.rules.advice.exception_findings import ALWAYS_THERE
from uncommon_im.transforms.rules.advice.exception_matches import VERDICT_COLUMN
from uncommon_im.transforms.rules.alerts import ids
from uncommon_im.transforms.rules.baseline import formula
from uncommon_im.transforms.rules.baseline.subjects import SubjectKind
from uncommon_im.transforms.rules.columns.column import Longs, Mask
from uncommon_im.transforms.rules.recognition.exceptions import Exceptions
from uncommon_im.transforms.rules.verdicts.deduplication import EarlierAlert
from uncommon_im.transforms.rules.verdicts.flood_control import control_flood
from uncommon_im.transforms.rules.verdicts.judgement import (
    DEDUPLICATION_KEY,
    Candidate,
    DeduplicationKey,
    VerdictRow,
    earlier_alerts,
    without_repeats,
)
from uncommon_im.transforms.rules.verdicts.verdict import matched_variations

Activity = dict[str, Any]
"""A row of `RARE_ACTIVITY_SCHEMA`, of the columns that say who it was, when, and why it is suspicious."""

_FIGURES: Final = ("other_hosts", "host_days", "execution_other_hosts", "execution_host_days", "excepted")
_NEEDED: Final = [*DEDUPLICATION_KEY, "script", "reasons", "hour", "event_time", "event_id"]


@dataclass(frozen=True)
class RaisedAlert:
    """An alert that would be raised: its id, its variation and its activity."""

    alert_id: str
    variation: str
    activity: Activity

    @property
    def day(self) -> int:
        """Its day number."""
        return int(self.activity["hour"]) // 24


@dataclass(frozen=True)
class Preview:
    """What became of the activities that are rare under some limits.

    Args:
        verdicts: `excepted`, `duplicate`, `rolled_up` and `alert` -> activities.
        alerts: in no order.
        others: activities that are no alerts only because these precede them: `duplicate` and `rolled_up`.
    """

    verdicts: Counter[str]
    alerts: list[RaisedAlert]
    others: list[Activity]

    def days(self) -> Counter[tuple[int, str]]:
        """(day number, variation) -> alerts."""
        return Counter((alert.day, alert.variation) for alert in self.alerts)


class Tuning:
    """The evidence of a run, ready to be judged again and again."""

    def __init__(self, activities: pa.Table, alerts: pa.Table, detector: Detector) -> None:
        """Knows all that the evidence tells.

        Args:
            activities: all of a run's evidence, of `RARE_ACTIVITY_SCHEMA`.
            alerts: those before the run, of `SAID_SCHEMA`.
            detector: of the run.
        """
        self._activities, self._detector = activities.select(_NEEDED), detector
        self._columns = {name: _filled(activities.column(name)) for name in _FIGURES}
        self._known: dict[int, Activity] = {}
        self._earlier: Mapping[DeduplicationKey, list[EarlierAlert]] = earlier_alerts(alerts)
        self._candidates: dict[tuple[int, str], Candidate] = {}

    def preview(self, limits: Limits, exception: ExceptionEntry | None = None) -> Preview:
        """What a run with these limits, and with one more exception, would say.

        Args:
            limits: of which the evidence knows enough.
            exception: of fields that all events of an activity have in common: process name, origin, service, host.
        """
        rare = self._rare(limits, "communication")
        excepted = self._columns["excepted"] == 1
        if exception is not None:
            excepted = excepted | self._matched(exception, rare & ~excepted)
        unusual = self._rare(limits, "execution")
        keyed: defaultdict[DeduplicationKey, list[Candidate]] = defaultdict(list)
        for row, activity in self._rows(rare & ~excepted):
            candidate = self._candidate(row, activity, bool(unusual[row]))
            keyed[candidate.key].append(candidate)
        kept, duplicates = without_repeats(keyed, self._earlier, limits)
        alerts, rolled_up = _limited(kept, limits.max_alerts_per_group)
        counts = Counter(
            excepted=int((rare & excepted).sum()),
            duplicate=len(duplicates),
            rolled_up=len(rolled_up),
            alert=len(alerts),
        )
        return Preview(counts, alerts, duplicates + rolled_up)

    def _rare(self, limits: Limits, kind: SubjectKind) -> Mask:
        """Activities whose communication is rare, or whose execution, if they have one."""
        prefix = "execution_" if kind == "execution" else ""
        other_hosts, host_days = self._columns[f"{prefix}other_hosts"], self._columns[f"{prefix}host_days"]
        return (other_hosts >= 0) & formula.is_rare(other_hosts, host_days, kind, limits)

    def _matched(self, exception: ExceptionEntry, among: Mask) -> Mask:
        exceptions = Exceptions((exception,))
        matched = np.zeros(len(among), np.bool_)
        for row, activity in self._rows(among):
            matched[row] = exceptions.match(exception_values(activity), activity["hour"] // 24) is not None
        return matched

    def _candidate(self, row: int, activity: Activity, execution_rare: bool) -> Candidate:
        variation = matched_variations(bool(activity["reasons"]), execution_rare)[0]
        known = self._candidates.get((row, variation))
        if known is None:
            known = self._candidates[row, variation] = _candidate_of(activity, variation, self._detector)
        return known

    def _rows(self, which: Mask) -> Iterator[tuple[int, Activity]]:
        """(number, activity) of some rows; only those that are ever looked at become Python objects."""
        rows = np.flatnonzero(which).tolist()
        unknown = [row for row in rows if row not in self._known]
        self._known.update(zip(unknown, self._activities.take(pa.array(unknown, pa.int64())).to_pylist(), strict=True))
        return ((row, self._known[row]) for row in rows)


def exception_values(activity: Activity) -> dict[str, str]:
    """Fields of an exception -> values that all events of an activity have in common."""
    return {field: activity[VERDICT_COLUMN[field]] for field in ALWAYS_THERE}


def _candidate_of(activity: Activity, variation: str, detector: Detector) -> Candidate:
    """As `judgement.candidate_of`, of evidence: the alert holds what deduplication and flood control look at."""
    alert = {
        "alert_id": ids.alert_id(detector.id, activity, variation),
        "variation": variation,
        "severity": detector.variation(variation).severity,
        "event_id": activity["event_id"],
        "host": {"id": activity["host"]},
    }
    group = ids.group_id(detector.id, activity)
    key = tuple(activity[part] for part in DEDUPLICATION_KEY)
    return Candidate(alert, key, (group, variation), activity["event_time"], activity)


def _limited(candidates: Sequence[Candidate], limit: int) -> tuple[list[RaisedAlert], list[VerdictRow]]:
    """(alerts, what is rolled up) after flood control."""
    groups: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        groups[candidate.group].append(candidate)
    alerts, rolled_up = [], []
    for group in groups.values():
        for alert, row in control_flood(group, limit):
            if alert is None:
                rolled_up.append(row)
            else:
                alerts.append(RaisedAlert(alert["alert_id"], alert["variation"], row))
    return alerts, rolled_up


def _filled(column: pa.ChunkedArray) -> Longs:
    """A column as numbers; -1 where there is no value."""
    numbers: Longs = column.cast(pa.int64()).fill_null(-1).to_numpy()
    return numbers
