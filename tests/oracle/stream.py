"""The stream, read as plainly: what arrival times change (the detector's specification, section 9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.oracle.activities import Activity, Communication, communication_of, execution_shown, is_nobodys
from tests.oracle.detect import HOUR, Result, activity_row, alert_row, day_number, judge, read_events
from tests.oracle.events import DeadLetterError, Event, normalise
from tests.oracle.exceptions import is_malicious
from tests.oracle.instances import JOIN, Instances, Join, completed, instance_of, is_start, newest_first
from tests.oracle.investigation import sightings_of
from tests.oracle.options import Options
from tests.oracle.prevalence import Baseline, Prevalence

DAY = 24 * HOUR
Arrival = tuple[dict[str, Any], int]
"""A record and when it arrived (µs since 1970)."""


@dataclass(frozen=True)
class Waiting:
    """How long the stream waits and how far back it goes, in µs."""

    lateness: int = 600_000_000
    horizon: int = DAY


@dataclass
class StreamResult(Result):
    """What a stream says of its records; alerts say whether they are late."""

    late: int = 0
    too_late: int = 0
    folded: int = 0


@dataclass
class LearningBaseline(Baseline):
    """A baseline that a day sees as it was when the day opened."""

    learned: dict[tuple[str, Hashable, str, int], int] = field(default_factory=dict)
    learned_coverage: dict[tuple[str, int], int] = field(default_factory=dict)

    def see_on(self, known: int, tenant: str, subject: Hashable, host: str, day: int) -> None:
        """As `see`, learned on the day `known`."""
        key = (tenant, subject, host, day)
        self.learned[key] = min(known, self.learned.get(key, known))
        self.see(tenant, subject, host, day)

    def cover_on(self, known: int, tenant: str, day: int) -> None:
        """As `cover`, learned on the day `known`."""
        self.learned_coverage[tenant, day] = min(known, self.learned_coverage.get((tenant, day), known))
        self.cover(tenant, day)

    def coverage(self, tenant: str, day: int) -> int:
        """Covered days that were known before the day."""
        first = day - self.options.training_days
        return sum(
            1
            for covered in self.covered[tenant]
            if first <= covered <= day - 1 and self.learned_coverage[tenant, covered] < day
        )

    def prevalence(self, tenant: str, subject: Hashable, host: str, day: int, guard: int) -> Prevalence:
        """Of the sightings that were known before the day."""
        then = Baseline(self.options)
        for other, seen in self.sightings[tenant, subject]:
            if self.learned[tenant, subject, other, seen] < day:
                then.see(tenant, subject, other, seen)
        return then.prevalence(tenant, subject, host, day, guard)


@dataclass(frozen=True)
class Arrived:
    """A valid event in the run's range, when it arrived (µs), and its instant (ms): when it joins, teaches, counts."""

    event: Event
    at: int
    due: int


@dataclass
class Met:
    """A communication with what its arrival makes of it."""

    communication: Communication
    due: int
    late: bool
    too_late_on: int | None

    @property
    def key(self) -> tuple[Any, ...]:
        """What the communications of one activity share: too late ones are apart, by day of arrival."""
        return (*self.communication.key, self.too_late_on)

    @property
    def order(self) -> tuple[Any, ...]:
        """The smallest makes the activity and represents it."""
        return self.due, self.communication.order, self.late


def detect_stream(
    arrivals: Iterable[Arrival],
    options: Options,
    waiting: Waiting,
    known_before: Iterable[dict[str, Any]] = (),
    join: Join = JOIN,
) -> StreamResult:
    """The alerts, verdicts and counts of a stream.

    Args:
        arrivals: records with their arrival times, in any order.
        options: of the detector.
        waiting: of the stream.
        known_before: records of the snapshot's days, that is before `options.start`: they teach, their starts describe
            what is said later, and they are no part of what is counted.
        join: how events find their process's start.
    """
    result = StreamResult()
    baseline = LearningBaseline(options)
    needed = options.process_lookback_days * DAY + waiting.horizon + waiting.lateness
    instances = Instances(options, join, needed)
    for start in learn_before(known_before, baseline, options):
        instances.add(start)
    arrived = [each for arrival in arrivals if (each := receive(arrival, options, waiting, result)) is not None]
    for each in arrived:
        instances.add(each.event, each.due)
    met = [found for each in arrived if (found := meet(each, instances, baseline, waiting, result)) is not None]
    result.communications = len(met)
    firsts: dict[tuple[Any, ...], Met] = {}
    for item in met:
        if item.key not in firsts or item.order < firsts[item.key].order:
            firsts[item.key] = item
    result.folded = len(met) - len(firsts)
    judged = [(first, judge_met(first, baseline, options)) for first in firsts.values()]
    deduplicate([pair for pair in judged if not pair[1].verdict], options)
    control_floods([pair for pair in judged if not pair[1].verdict], options)
    result.verdicts.update(activity.verdict for _, activity in judged)
    result.activities = [activity_row(activity) for _, activity in judged]
    result.alerts = [
        alert_row(activity, options) | {"late": first.late} for first, activity in judged if activity.verdict == "alert"
    ]
    return result


def receive(arrival: Arrival, options: Options, waiting: Waiting, result: StreamResult) -> Arrived | None:
    """Counts a record; its event if that is valid and in the run's range."""
    record, at = arrival
    result.read += 1
    try:
        event = normalise(record, options.tenant)
        if event.time > at + HOUR:
            raise DeadLetterError("future_timestamp")
    except DeadLetterError as reason:
        result.dead_letters[str(reason)] += 1
        return None
    result.valid += 1
    if options.end is not None and event.day >= day_number(options.end):
        result.out_of_range += 1
        return None
    result.late += at - event.time > waiting.lateness
    result.too_late += at - event.time > waiting.horizon
    return Arrived(event, at, max(event.time + waiting.lateness, at) // 1000)


def meet(
    arrived: Arrived, instances: Instances, baseline: LearningBaseline, waiting: Waiting, result: StreamResult
) -> Met | None:
    """Completes an event at its instant and learns from it; the communication that it is, if it is one."""
    event, options = instances.complete(arrived.event, arrived.due), baseline.options
    result.communications_without_process += is_nobodys(event, options)
    communication = teach(event, max(event.day, (arrived.at - waiting.lateness) // DAY), baseline, options)
    if communication is None:
        return None
    age = arrived.at - event.time
    too_late_on = arrived.at // DAY if age > waiting.horizon else None
    return Met(communication, arrived.due, age > waiting.lateness, too_late_on)


def teach(event: Event, known: int, baseline: LearningBaseline, options: Options) -> Communication | None:
    """What an event shows, known from a day on; the communication that it is, if it is one."""
    baseline.cover_on(known, event.tenant, event.day)
    communication = communication_of(event, options)
    if is_malicious(options, event, communication and communication.match.service):
        return communication
    execution = execution_shown(event, communication)
    if execution is not None:
        baseline.see_on(known, event.tenant, ("execution", execution), event.host, event.day)
    if communication is not None:
        for subject, host in sightings_of(communication, options):
            baseline.see_on(known, event.tenant, subject, host, event.day)
    return communication


def learn_before(records: Iterable[Any], baseline: LearningBaseline, options: Options) -> list[Event]:
    """Learns from records of before the stream; the starts that a snapshot keeps of them: each instance's last one."""
    events = completed(read_events(records, replace(options, end=options.start), Result()), options)
    for event in events:
        teach(event, event.day, baseline, options)
    last: dict[Hashable, Event] = {}
    for start in sorted(filter(is_start, events), key=newest_first, reverse=True):
        last[instance_of(start)] = start
    lookback = options.process_lookback_days * DAY
    as_of = None if options.start is None else day_number(options.start) * DAY
    return [start for start in last.values() if as_of is None or start.time >= as_of - lookback]


def judge_met(first: Met, baseline: LearningBaseline, options: Options) -> Activity:
    """An activity with its verdict, as far as other activities do not decide it."""
    activity = judge(first.communication, baseline, options)
    if first.too_late_on is not None and activity.verdict != "training":
        activity.verdict = "too_late"
    return activity


def deduplicate(judged: list[tuple[Met, Activity]], options: Options) -> None:
    """In the order in which activities are due: one that lies before it and within a day is repeated."""
    period = options.deduplication_hours * HOUR
    by_key: dict[tuple[Any, ...], list[tuple[Met, Activity]]] = defaultdict(list)
    for first, activity in judged:
        event = activity.first.event
        key = (event.tenant, event.host, activity.reduced, activity.first.match.service)
        by_key[key].append((first, activity))

    def order(activity: Activity) -> tuple[Any, ...]:
        return (activity.first.event.time, -activity.severity, activity.first.event.event_id, activity.alert_id)

    for same in by_key.values():
        passed: list[Activity] = []
        for _, activity in sorted(same, key=lambda pair: (pair[0].due, order(pair[1]))):
            time = activity.first.event.time
            for earlier in sorted(passed, key=order):
                near = order(earlier) <= order(activity) and time - earlier.first.event.time < period
                if near and earlier.severity >= activity.severity:
                    activity.verdict = "duplicate"
                    activity.duplicate_of = earlier.alert_id
            if activity.verdict != "duplicate":
                passed.append(activity)


def control_floods(judged: list[tuple[Met, Activity]], options: Options) -> None:
    """The first of a group and variation that are due are alerts, the rest are rolled up."""
    limit = options.max_alerts_per_group
    groups: dict[tuple[Any, ...], list[tuple[Met, Activity]]] = defaultdict(list)
    for first, activity in judged:
        event = activity.first.event
        key = (event.tenant, activity.reduced, activity.first.match.service, event.day, activity.variation)
        groups[key].append((first, activity))
    for group in groups.values():
        group.sort(key=lambda pair: (pair[0].due, pair[1].first.order, pair[1].first.event.host, pair[1].alert_id))
        for position, (_, activity) in enumerate(group, start=1):
            activity.verdict = "alert" if limit == 0 or position <= limit else "rolled_up"
            activity.saturated = position == limit
