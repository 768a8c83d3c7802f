"""The verdict of each activity of a host, once all answers are there (specification, sections 6 and 7)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Final

import msgspec

from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.alerts.alert import AlertWriter
from uncommon_im.transforms.rules.baseline import day_masks, formula
from uncommon_im.transforms.rules.baseline.subjects import KINDS, SubjectKind
from uncommon_im.transforms.rules.baseline.tables import ACTIVITY_SCHEMA
from uncommon_im.transforms.rules.columns.days import DAY_US, HOUR_US
from uncommon_im.transforms.rules.stream.lateness import MILLISECOND_US, Lateness
from uncommon_im.transforms.rules.stream.messages import (
    TELEMETRY,
    Activity,
    Answer,
    Candidate,
    Message,
    Outcomes,
    Output,
    Row,
    SaidBefore,
    VerdictRow,
    Wait,
    key_of,
)
from uncommon_im.transforms.rules.stream.step import Step
from uncommon_im.transforms.rules.verdicts.deduplication import EarlierAlert, deduplicate
from uncommon_im.transforms.rules.verdicts.judgement import candidate_of
from uncommon_im.transforms.rules.verdicts.verdict import UNDECIDED, VERDICT_COLUMNS, first_verdict

JUDGE_MS: Final = 1
"""An activity is judged 1 ms after its questions were asked, so that the answers have been received."""
_NO_FIGURES: Final = (0, 0, 0)
_NO_COLUMNS: Final[Row] = dict.fromkeys(ACTIVITY_SCHEMA.names)

Figures = tuple[int, int, int]
"""(hosts, guarded hosts, active days) of an answer."""


class Told(msgspec.Struct, array_like=True):
    """The answers about a day: subject -> figures."""

    day: int
    answers: dict[str, Figures] = {}


class JudgeState(msgspec.Struct, array_like=True):
    """What is kept of a host.

    Args:
        told: the answers about each of the last days.
        said: deduplication key -> (time, severity, event id, alert id) of alerts already raised or rolled up.
        due: the instant (ms) at which the first waiting activity is judged; 0: none waits.
        armed: the instant (ms) for which the timer is set; 0: it is not.
    """

    told: list[Told] = []
    said: dict[str, list[tuple[int, str, str, str]]] = {}
    due: int = 0
    armed: int = 0


@dataclass(frozen=True)
class JudgingRules:
    """How activities are judged.

    Args:
        writer: writes the alerts.
        lateness: of the stream.
        learning_since: service -> day number from which it counts coverage.
    """

    writer: AlertWriter
    lateness: Lateness
    learning_since: Mapping[str, int] = field(default_factory=dict)

    @property
    def limits(self) -> Limits:
        """The detector's limits."""
        return self.writer.detector.limits


class Judging(Step[JudgeState]):
    """The step that judges: emits "candidates" (rare activities that repeat nothing), verdict rows of all others.

    It also emits each candidate as an earlier alert ("said"), for snapshots.

    Activities of a host are judged in the order of their instants, those of one instant in deduplication's order.
    """

    state = JudgeState

    def __init__(self, rules: JudgingRules) -> None:
        """Judges by `rules`."""
        super().__init__()
        self._rules = rules

    def add(self, key: str, state: JudgeState, message: Message) -> Outcomes:
        """Lets activities and answers wait for each other."""
        if isinstance(message, SaidBefore):
            alert = (message.time, message.severity, message.event_id, message.alert_id)
            earlier = state.said.setdefault(key_of(*message.key), [])
            if alert not in earlier:
                earlier.append(alert)
            return
        yield _wait(state, message) if isinstance(message, Activity) else Wait(message)

    def fire(self, key: str, state: JudgeState, now: int, waiting: Sequence[Message]) -> Outcomes:
        """Judges the activities that are due, forgets what no later one needs."""
        state.due = 0
        due = []
        for message in waiting:
            if isinstance(message, Answer):
                figures = (message.hosts, message.guarded_hosts, message.active)
                self._answers(state, message.day)[message.subject] = figures
            elif isinstance(message, Activity) and _due(message) <= now:
                due.append(message)
            else:
                assert isinstance(message, Activity), message
                yield _wait(state, message)
        yield from self._judge(state, due)
        self._forget(state, now)

    def wake(self, state: JudgeState) -> int | None:
        """When the next activity is due, or something can be forgotten."""
        instants = [self._closing(answers.day) for answers in state.told]
        instants += [self._alert_closing(alert[0]) for alerts in state.said.values() for alert in alerts]
        return min(instants + [state.due] * bool(state.due), default=None)

    def waits(self, state: JudgeState) -> bool:
        """Activities do, and answers about them."""
        return bool(state.due)

    def only_waits(self, message: Message) -> bool:
        """Answers do."""
        return isinstance(message, Answer)

    def _judge(self, state: JudgeState, activities: list[Activity]) -> Outcomes:
        undecided = []
        for activity in activities:
            row = activity.row
            figures = {kind: self._figures(state, activity, kind) for kind in KINDS if row.get(kind) is not None}
            coverage = self._coverage(state, activity)
            other_hosts, host_days = (figures["communication"][name] for name in ("other_hosts", "host_days"))
            verdict = str(first_verdict(False, coverage, other_hosts, host_days, row["excepted"], self._rules.limits))
            self.observed.values.append(("judge_delay_ms", _due(activity) - row["event_time"] // MILLISECOND_US))
            if verdict == UNDECIDED:
                undecided.append((activity, candidate_of(self._rules.writer, _NO_COLUMNS | row, figures, coverage)))
            else:
                yield self._verdict({name: row[name] for name in VERDICT_COLUMNS}, verdict, None)
        for activity, found in sorted(undecided, key=lambda item: (item[0].instant, item[1].as_earlier.order)):
            original = self._original(state, key_of(*found.key), found.as_earlier)
            if original is not None:
                yield self._verdict(found.row, "duplicate", original)
                continue
            day = activity.row["hour"] // 24
            alert = json.dumps(found.alert | {"late": activity.late}, ensure_ascii=False)
            candidate = Candidate(activity.instant, _due(activity), found.time, day, alert, found.row)
            yield Output("candidates", key_of(*found.group), candidate, _due(activity))
            earlier_alert = SaidBefore(list(found.key), *astuple(found.as_earlier))
            yield Output("said", found.row["host"], earlier_alert, _due(activity))

    def _original(self, state: JudgeState, key: str, alert: EarlierAlert) -> str | None:
        """The id of the alert that another one repeats; one that repeats none becomes an earlier alert itself."""
        earlier = state.said.setdefault(key, [])
        ((_, original),) = deduplicate([alert], self._rules.limits, [EarlierAlert(*values) for values in earlier])
        if original is not None:
            return original.alert_id
        earlier.append(astuple(alert))
        return None

    def _verdict(self, row: Row, verdict: str, duplicate_of: str | None) -> VerdictRow:
        self.observed.counts[f"verdicts.{verdict}"] += 1
        return VerdictRow(row | {"verdict": verdict, "duplicate_of": duplicate_of})

    def _figures(self, state: JudgeState, activity: Activity, kind: SubjectKind) -> dict[str, int]:
        """The prevalence of one of an activity's subjects (specification, section 5), as `Prevalence.at` gives it."""
        limits, subject, day = self._rules.limits, activity.row[kind], activity.row["hour"] // 24
        hosts, guarded_hosts, active = self._answers(state, day).get(subject, _NO_FIGURES)
        own = activity.own.get(subject, 0)
        guarded = formula.is_guarded(bool(activity.row["reasons"]), kind)
        itself = bool(day_masks.before_guard(own, limits.training_days, limits.guard_days if guarded else 0))
        others = formula.other_hosts(guarded_hosts if guarded else hosts, itself, kind, limits)
        active_days, first_day, last_day = day_masks.span(active, day - limits.training_days)
        return {
            "other_hosts": int(others),
            "host_days": own.bit_count(),
            "active_days": active_days,
            "first_day": first_day,
            "last_day": last_day,
        }

    def _answers(self, state: JudgeState, day: int) -> dict[str, Figures]:
        for of_day in state.told:
            if of_day.day == day:
                return of_day.answers
        state.told.append(Told(day))
        return state.told[-1].answers

    def _coverage(self, state: JudgeState, activity: Activity) -> int:
        """Days of the window with telemetry that count for the service (specification, section 6)."""
        day = activity.row["hour"] // 24
        _, _, telemetry = self._answers(state, day).get(TELEMETRY, _NO_FIGURES)
        since = self._rules.learning_since.get(activity.row["service"], 0)
        return formula.coverage_days(telemetry, day, since, self._rules.limits)

    def _forget(self, state: JudgeState, now: int) -> None:
        state.told = [answers for answers in state.told if self._closing(answers.day) > now]
        open_alerts = {
            key: [alert for alert in alerts if self._alert_closing(alert[0]) > now]
            for key, alerts in state.said.items()
        }
        state.said = {key: alerts for key, alerts in open_alerts.items() if alerts}

    def _closing(self, day: int) -> int:
        """When no activity of a day can come any more."""
        return self._rules.lateness.closing((day + 1) * DAY_US) + 2 * JUDGE_MS

    def _alert_closing(self, time: int) -> int:
        """When nothing can repeat an alert of a time any more; those of a day together."""
        until = time + self._rules.limits.deduplication_hours * HOUR_US
        return self._closing(until // DAY_US)


def _wait(state: JudgeState, activity: Activity) -> Wait:
    state.due = min(state.due or _due(activity), _due(activity))
    return Wait(activity)


def _due(activity: Activity) -> int:
    return activity.at + JUDGE_MS
