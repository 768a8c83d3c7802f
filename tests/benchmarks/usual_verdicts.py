"""One key at a time: from sightings and activities to alerts, with sets and dictionaries of Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from tests.benchmarks.usual_events import Subject
from uncommon_im.schemas.detector import Detector, load_detector
from uncommon_im.transforms.rules.alerts import ids
from uncommon_im.transforms.rules.baseline import subjects
from uncommon_im.transforms.rules.columns.days import DAY_US, HOUR_US, rfc3339
from uncommon_im.transforms.rules.verdicts.deduplication import EarlierAlert
from uncommon_im.transforms.rules.verdicts.deduplication import deduplicate as repeats
from uncommon_im.transforms.rules.verdicts.verdict import matched_variations

Activity = dict[str, Any]
Joined = tuple[Subject, dict[str, Iterable[Any]]]


@cache
def detector() -> Detector:
    """The shipped card."""
    return load_detector()


def first_event(communications: Iterable[Activity]) -> Activity:
    """The communication that stands for its activity."""
    return min(communications, key=lambda item: (item["time"], item["event_id"]))


class Baseline:
    """Who showed one subject on which day."""

    def __init__(self, sightings: Iterable[tuple[str, int]]) -> None:
        """Takes (host, day) pairs in any order."""
        self._hosts: defaultdict[int, set[str]] = defaultdict(set)
        for host, day in sightings:
            self._hosts[day].add(host)
        self._windows: dict[tuple[int, int], set[str]] = {}

    def other_hosts(self, host: str, day: int, guard: int = 0) -> int:
        """Other hosts in the window before a day, without its last `guard` days."""
        key = day - detector().limits.training_days, day - guard
        if key not in self._windows:
            self._windows[key] = set().union(*(self._hosts[d] for d in range(*key) if d in self._hosts))
        shown = self._windows[key]
        return len(shown) - (host in shown)

    def host_days(self, host: str, day: int) -> int:
        """Days of the window on which the host itself showed it."""
        return sum(host in self._hosts[d] for d in self._window(day))

    def active_days(self, day: int) -> int:
        """Days of the window on which anybody showed it."""
        return len(self._window(day))

    def _window(self, day: int) -> list[int]:
        return [d for d in range(day - detector().limits.training_days, day) if d in self._hosts]


def rare_activities(joined: Joined, coverage: Mapping[str, Iterable[int]]) -> Iterator[Activity]:
    """The activities of one subject that are neither learning nor common, with their figures."""
    (tenant, _), inputs = joined
    limits = detector().limits
    baseline = Baseline(inputs["sightings"])
    covered = set(coverage[tenant])
    for activity in inputs["activities"]:
        host, day = activity["host"], activity["time"] // DAY_US
        known = sum(d in covered for d in range(day - limits.training_days, day))
        if known < limits.activation_days:
            continue
        others = baseline.other_hosts(host, day, limits.guard_days if activity["reasons"] else 0)
        own = baseline.host_days(host, day)
        if others <= limits.max_other_hosts and own <= limits.max_host_days:
            figures = {
                "coverage_days": known,
                "other_hosts": others,
                "host_days": own,
                "active_days": baseline.active_days(day),
            }
            yield {**activity, "baseline": figures}


def by_execution(activity: Activity) -> tuple[Subject, Activity]:
    """An activity under the execution that is behind it; those without one have none in common but that."""
    fingerprint = activity["fingerprint"]
    return (activity["tenant"], subjects.execution(fingerprint) if fingerprint else ""), activity


def with_variation(joined: Joined) -> Iterator[Activity]:
    """The activities of one execution with their variation, severity and ids."""
    _, inputs = joined
    limits, card = detector().limits, detector()
    baseline = Baseline(inputs["sightings"])
    for activity in inputs["activities"]:
        host, day = activity["host"], activity["time"] // DAY_US
        rare = (
            activity["fingerprint"] is not None
            and baseline.other_hosts(host, day) <= limits.execution_max_other_hosts
            and baseline.host_days(host, day) <= limits.execution_max_host_days
        )
        variation = matched_variations(bool(activity["reasons"]), rare)[0]
        facts = activity | {"program": activity["name"], "hour": activity["time"] // HOUR_US}
        yield {
            **activity,
            "variation": variation,
            "severity": card.variation(variation).severity,
            "alert_id": ids.alert_id(card.id, facts, variation),
            "group_id": ids.group_id(card.id, facts),
        }


def deduplication_key(activity: Activity) -> tuple[str, ...]:
    """What deduplication looks at together."""
    return tuple(activity[name] for name in ("tenant", "host", "name", "origin", "reduced_script", "service"))


def not_repeated(same: tuple[tuple[str, ...], Iterable[Activity]]) -> Iterator[Activity]:
    """The activities of one key that repeat nothing."""
    said = {EarlierAlert(a["time"], a["severity"], a["event_id"], a["alert_id"]): a for a in same[1]}
    for item, repeated in repeats(said, detector().limits):
        if repeated is None:
            yield said[item]


def group_key(activity: Activity) -> tuple[str, str]:
    """What flood control looks at together."""
    return activity["group_id"], activity["variation"]


def alerts(group: tuple[tuple[str, str], Iterable[Activity]]) -> Iterator[dict[str, Any]]:
    """The alerts of one group, up to the limit."""
    limit = detector().limits.max_alerts_per_group
    ordered = sorted(group[1], key=lambda a: (a["time"], a["event_id"], a["host"], a["alert_id"]))
    for position, activity in enumerate(ordered[: limit or None], start=1):
        yield {
            "alert_id": activity["alert_id"],
            "group_id": activity["group_id"],
            "tenant_id": activity["tenant"],
            "severity": activity["severity"],
            "variation": activity["variation"],
            "timestamp": rfc3339(activity["time"]),
            "host": {"id": activity["host"]},
            "process": {name: activity[name] for name in ("name", "origin", "script")},
            "execution": activity["fingerprint"],
            "service": {"id": activity["service"]},
            "baseline": activity["baseline"],
            "suspicion_reasons": list(activity["reasons"]),
            "group_saturated": position == limit,
            "event_id": activity["event_id"],
        }
