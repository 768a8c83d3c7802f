"""From records to verdicts and alerts (the detector's specification, sections 5 to 8)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.oracle.activities import (
    Activity,
    Communication,
    communication_of,
    execution_shown,
    first_communications,
    is_nobodys,
)
from tests.oracle.events import EPOCH, DeadLetterError, Event, normalise
from tests.oracle.exceptions import is_malicious
from tests.oracle.instances import JOIN, Join, completed
from tests.oracle.investigation import investigate, sightings_of
from tests.oracle.options import Options
from tests.oracle.prevalence import Baseline, iso_day
from tests.oracle.priority import priority_row

HOUR = 3_600_000_000
DEFAULTS = Options()
SEVERITIES = ("Informational", "Low")


@dataclass
class Result:
    """What a run says about its records."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    read: int = 0
    valid: int = 0
    out_of_range: int = 0
    communications: int = 0
    communications_without_process: int = 0


def detect(records: Iterable[dict[str, Any]], options: Options = DEFAULTS, join: Join = JOIN) -> Result:
    """The alerts, verdicts and counts of a backfill over these records."""
    result = Result()
    events = completed(read_events(records, options, result), options, join)
    result.communications_without_process = sum(is_nobodys(event, options) for event in events)
    found = [communication_of(event, options) for event in events]
    communications = [item for item in found if item is not None]
    result.communications = len(communications)
    baseline = learn(events, found, options)
    activities = [judge(first, baseline, options) for first in first_communications(communications)]
    deduplicate([activity for activity in activities if not activity.verdict], options)
    control_floods([activity for activity in activities if not activity.verdict], options)
    result.verdicts.update(activity.verdict for activity in activities)
    result.activities = [activity_row(activity) for activity in activities]
    result.alerts = [alert_row(activity, options) for activity in activities if activity.verdict == "alert"]
    return result


def read_events(records: Iterable[Any], options: Options, result: Result) -> list[Event]:
    """Valid events in the run's range; counts what was read."""
    events = []
    end = None if options.end is None else day_number(options.end)
    for record in records:
        result.read += 1
        try:
            event = normalise(record, options.tenant)
        except DeadLetterError as reason:
            result.dead_letters[str(reason)] += 1
            continue
        result.valid += 1
        if end is not None and event.day >= end:
            result.out_of_range += 1
        else:
            events.append(event)
    return events


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - date(1970, 1, 1)).days


def learn(events: list[Event], found: list[Communication | None], options: Options) -> Baseline:
    """Sightings of what events show, each with the communication that it is, and covered days."""
    baseline = Baseline(options)
    for event, item in zip(events, found, strict=True):
        baseline.cover(event.tenant, event.day)
        if is_malicious(options, event, item and item.match.service):
            continue
        execution = execution_shown(event, item)
        if execution is not None:
            baseline.see(event.tenant, ("execution", execution), event.host, event.day)
        for subject, host in sightings_of(item, options) if item is not None else ():
            baseline.see(event.tenant, subject, host, event.day)
    return baseline


def judge(first: Communication, baseline: Baseline, options: Options) -> Activity:
    """An activity with its verdict, as far as other activities do not decide it."""
    event = first.event
    guard = options.guard_days if first.reasons else 0
    subject = ("communication", first.program, first.match.service)
    prevalence = baseline.prevalence(event.tenant, subject, event.host, event.day, guard)
    activity = Activity(
        first=first,
        prevalence=prevalence,
        coverage=baseline.coverage(event.tenant, event.day),
        matched=matched_variations(first, baseline, options),
    )
    if options.start is not None and event.day < day_number(options.start):
        activity.verdict = "training"
    elif activity.coverage < options.activation_days:
        activity.verdict = "learning"
    elif prevalence.other_hosts > options.max_other_hosts:
        activity.verdict = "common_in_organisation"
    elif prevalence.host_days > options.max_host_days:
        activity.verdict = "common_on_host"
    elif first.excepted:
        activity.verdict = "excepted"
    else:
        activity.investigation = investigate(first, baseline, activity.coverage, options)
    return activity


def matched_variations(first: Communication, baseline: Baseline, options: Options) -> list[str]:
    """All variations that hold; `base` only if no other does."""
    matched = []
    if first.reasons:
        matched.append("suspicious_process")
    if first.execution is not None:
        event = first.event
        subject = ("execution", first.execution)
        shown = baseline.prevalence(event.tenant, subject, event.host, event.day, guard=0)
        few_hosts = shown.other_hosts <= options.execution_max_other_hosts
        if few_hosts and shown.host_days <= options.execution_max_host_days:
            matched.append("uncommon_scripting_engine")
    return matched or ["base"]


def deduplicate(activities: list[Activity], options: Options) -> None:
    """A milder or equal one within a day of one that was no duplicate does not repeat it."""
    period = options.deduplication_hours * HOUR
    by_key: dict[tuple[Any, ...], list[Activity]] = defaultdict(list)
    for activity in activities:
        event = activity.first.event
        key = (event.tenant, event.host, activity.reduced, activity.first.match.service)
        by_key[key].append(activity)
    for same in by_key.values():
        same.sort(key=lambda a: (a.first.event.time, -a.severity, a.first.event.event_id, a.alert_id))
        passed: list[Activity] = []
        for activity in same:
            time = activity.first.event.time
            for earlier in passed:
                if earlier.severity >= activity.severity and time - earlier.first.event.time < period:
                    activity.verdict = "duplicate"
                    activity.duplicate_of = earlier.alert_id
            if activity.verdict != "duplicate":
                passed.append(activity)


def control_floods(activities: list[Activity], options: Options) -> None:
    """The first of a group and variation are alerts, the rest are rolled up."""
    limit = options.max_alerts_per_group
    groups: dict[tuple[Any, ...], list[Activity]] = defaultdict(list)
    for activity in activities:
        event = activity.first.event
        key = (event.tenant, activity.reduced, activity.first.match.service, event.day, activity.variation)
        groups[key].append(activity)
    for group in groups.values():
        group.sort(key=lambda a: (a.first.order, a.first.event.host, a.alert_id))
        for position, activity in enumerate(group, start=1):
            activity.verdict = "alert" if limit == 0 or position <= limit else "rolled_up"
            activity.saturated = position == limit


def activity_row(activity: Activity) -> dict[str, Any]:
    """One row per activity, as `--verdicts` writes it."""
    first = activity.first
    named = activity.verdict in ("alert", "rolled_up")
    return {
        "tenant": first.event.tenant,
        "host": first.event.host,
        "program": tuple(first.program),
        "service": first.match.service,
        "hour": first.event.hour,
        "verdict": activity.verdict,
        "alert_id": activity.alert_id if named else None,
        "duplicate_of": activity.duplicate_of,
        "event_id": first.event.event_id,
        "variation": activity.variation,
        "suspicion_reasons": list(first.reasons),
        "execution": first.execution,
    }


def timestamp(microseconds: int) -> str:
    """RFC 3339, UTC, microseconds."""
    return (EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def baseline_row(activity: Activity, options: Options) -> dict[str, Any]:
    """The figures that an alert shows of the baseline."""
    day = activity.first.event.day
    shown = activity.prevalence
    return {
        "coverage_days": activity.coverage,
        "other_hosts": min(shown.other_hosts, options.max_other_hosts + 1),
        "host_days": shown.host_days,
        "active_days": shown.active_days,
        "first_day": None if shown.first_day is None else iso_day(shown.first_day),
        "last_day": None if shown.last_day is None else iso_day(shown.last_day),
        "window_start": iso_day(day - options.training_days),
        "window_end": iso_day(day - 1),
    }


def process_row(first: Communication) -> dict[str, Any]:
    """The process of an alert, and by which start its event was completed."""
    columns, start = first.event.columns, first.event.completed_from
    own = ("name", "path", "sha256", "pid", "signature_status", "signer")
    return {
        **{name: columns.get(f"process_{name}") for name in own},
        "origin": first.program.origin,
        "script": first.program.script,
        "completed_from": start and {"event_id": start.event_id, "event_time": timestamp(start.time)},
    }


def alert_row(activity: Activity, options: Options) -> dict[str, Any]:
    """What an alert says, as far as every implementation says the same."""
    first, event = activity.first, activity.first.event
    return {
        "alert_id": activity.alert_id,
        "group_id": activity.group_id,
        "tenant_id": event.tenant,
        "severity": SEVERITIES[activity.severity],
        "variation": activity.variation,
        "matched_variations": list(activity.matched),
        "timestamp": timestamp(event.time),
        "event_id": event.event_id,
        "host": {"id": event.host, "os": event.os},
        "user_name": event.text("user_name"),
        "process": process_row(first),
        "parent": {"name": event.text("parent_process_name")},
        "execution": first.execution,
        "service": {"id": first.match.service},
        "destination": {
            "host": event.text("remote_host"),
            "ip": event.text("remote_ip"),
            "port": event.columns.get("remote_port"),
            "attribution": first.match.attribution,
            "matched": first.match.matched,
        },
        "baseline": baseline_row(activity, options),
        "suspicion_reasons": list(first.reasons),
        "investigation": activity.investigation,
        "first_event": {name: event.columns.get(name) for name in ("bytes_sent", "bytes_received")},
        **priority_row(activity, options),
        "group_saturated": activity.saturated,
    }
