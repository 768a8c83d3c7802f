"""What a run would have said with other limits, or with one more exception, from its evidence alone.

The rules are those of the run itself: rareness, variations, deduplication, flood control and exceptions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.detector import Detector, Limits
from schemas.exceptions import ExceptionEntry
from transforms.rules import ids
from transforms.rules.columns import Longs, Mask
from transforms.rules.deduplication import Said
from transforms.rules.exceptions import Exceptions
from transforms.rules.flood_control import control_flood
from transforms.rules.judgement import (
    DEDUPLICATION_KEY,
    Candidate,
    DeduplicationKey,
    VerdictRow,
    said_before,
    without_repeats,
)
from transforms.rules.verdicts import matched_variations

Activity = dict[str, Any]
"""A row of `RARE_ACTIVITY_SCHEMA`."""


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

    def __init__(self, activities: pa.Table, said: pa.Table, detector: Detector) -> None:
        """Of `activities`, of `RARE_ACTIVITY_SCHEMA`.

        Args:
            activities: all of a run.
            said: what deduplication had let through before it, of `SAID_SCHEMA`.
            detector: of the run.
        """
        self._activities, self._detector = activities, detector
        self._before: Mapping[DeduplicationKey, list[Said]] = said_before(said)
        self._candidates: dict[tuple[int, str], Candidate] = {}

    def preview(self, limits: Limits, exception: ExceptionEntry | None = None) -> Preview:
        """What a run with these limits, and with one more exception, would say.

        Args:
            limits: of which the evidence knows enough.
            exception: of fields that all events of an activity have in common: process name, origin, service, host.
        """
        rare = self._rare(limits, "")
        excepted = self._numbers("excepted").astype(np.bool_)
        if exception is not None:
            excepted = excepted | self._matched(exception, rare & ~excepted)
        unusual = self._rare(limits, "execution_")
        keyed: defaultdict[DeduplicationKey, list[Candidate]] = defaultdict(list)
        for row in np.flatnonzero(rare & ~excepted).tolist():
            candidate = self._candidate(row, bool(unusual[row]))
            keyed[candidate.key].append(candidate)
        kept, duplicates = without_repeats(keyed, self._before, limits)
        alerts, rolled_up = _limited(kept, limits.max_alerts_per_group)
        counts = Counter(
            excepted=int((rare & excepted).sum()),
            duplicate=len(duplicates),
            rolled_up=len(rolled_up),
            alert=len(alerts),
        )
        return Preview(counts, alerts, duplicates + rolled_up)

    def _rare(self, limits: Limits, kind: str) -> Mask:
        """Activities whose communication (or `execution_`) is rare."""
        other_hosts, host_days = self._numbers(f"{kind}other_hosts"), self._numbers(f"{kind}host_days")
        most_hosts, most_days = getattr(limits, f"{kind}max_other_hosts"), getattr(limits, f"{kind}max_host_days")
        return (other_hosts >= 0) & (other_hosts <= most_hosts) & (host_days <= most_days)

    def _matched(self, exception: ExceptionEntry, among: Mask) -> Mask:
        exceptions = Exceptions((exception,))
        matched = np.zeros(len(among), np.bool_)
        for row in np.flatnonzero(among).tolist():
            activity = self._rows[row]
            matched[row] = exceptions.match(exception_values(activity), activity["hour"] // 24) is not None
        return matched

    def _candidate(self, row: int, execution_rare: bool) -> Candidate:
        activity = self._rows[row]
        variation = matched_variations(bool(activity["reasons"]), execution_rare)[0]
        known = self._candidates.get((row, variation))
        if known is None:
            known = self._candidates[row, variation] = _candidate_of(activity, variation, self._detector)
        return known

    def _numbers(self, name: str) -> Longs:
        """A column; -1 where there is no value."""
        return self._columns[name]

    @cached_property
    def _columns(self) -> dict[str, Longs]:
        names = ("other_hosts", "host_days", "execution_other_hosts", "execution_host_days", "excepted")
        return {name: _filled(self._activities.column(name)) for name in names}

    @cached_property
    def _rows(self) -> list[Activity]:
        rows: list[Activity] = self._activities.to_pylist()
        return rows


def exception_values(activity: Activity) -> dict[str, str]:
    """Fields of an exception -> values that all events of an activity have in common."""
    columns = {"process_name": "program", "origin": "origin", "service_id": "service", "host_id": "host"}
    return {field: activity[column] for field, column in columns.items()}


def _candidate_of(activity: Activity, variation: str, detector: Detector) -> Candidate:
    """As `judgement.candidate_of`, of evidence: the alert holds what deduplication and flood control look at."""
    name, origin, tenant = activity["program"], activity["origin"], activity["tenant"]
    host, service, hour = activity["host"], activity["service"], activity["hour"]
    alert = {
        "alert_id": ids.alert_id(
            detector.id, tenant, host, (name, origin, activity["script"]), service, variation, hour
        ),
        "variation": variation,
        "severity": detector.variation(variation).severity,
        "event_id": activity["event_id"],
        "host": {"id": host},
    }
    group = ids.group_id(detector.id, tenant, (name, origin, activity["reduced_script"]), service, hour // 24)
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
    numbers: Longs = column.cast(pa.int64()).fill_null(-1).to_numpy()
    return numbers
