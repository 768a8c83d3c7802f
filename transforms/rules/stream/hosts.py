"""What a host showed, and which of its activities are due (specification, sections 1, 5, 7 and 9)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from uncommon_im.transforms.rules.activities.hourly import TOTALS
from uncommon_im.transforms.rules.baseline.subjects import KINDS
from uncommon_im.transforms.rules.baseline.tables import ACTIVITY_KEY
from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.events.event_id import details_order
from uncommon_im.transforms.rules.stream.day_sets import DaySet, Packed, forget, see, span_of
from uncommon_im.transforms.rules.stream.lateness import Lateness, end_of_second
from uncommon_im.transforms.rules.stream.messages import (
    TELEMETRY,
    Activity,
    Communication,
    HostHistory,
    HostRecords,
    Message,
    Outcomes,
    Output,
    Question,
    Row,
    Sighting,
    VerdictRow,
    key_of,
)
from uncommon_im.transforms.rules.stream.step import Step
from uncommon_im.transforms.rules.verdicts.verdict import VERDICT_COLUMNS

ASK_MS: Final = 2
"""They leave 2 ms later, so that everything stamped within that second has been received, and what had to be completed,
which takes until 1 ms after it."""


class Recent(msgspec.Struct, array_like=True):
    """What is remembered of a day until nothing of it can come any more.

    Args:
        day: the day.
        judged: digests of the activities that were sent on.
        asked: subjects that the host has asked about.
    """

    day: int
    judged: list[str] = []
    asked: list[str] = []


class HostState(msgspec.Struct, array_like=True):
    """What is kept of a host.

    Args:
        days: subject -> the days on which the host showed it.
        open: digest of an activity -> its first event so far.
        recent: what was done about each of the last days.
        armed: the instant (ms) for which the timer is set; 0: it is not.
    """

    days: dict[str, Packed] = {}
    open: dict[str, Communication] = {}
    recent: list[Recent] = []
    armed: int = 0


class Hosts(Step[HostState]):
    """The step that follows each host.

    Emits "sightings" (each subject, day once, at once), "questions" (each subject, day once) and "activities" when they
    are due, each once, represented by its first event; verdict rows of those that only train.
    """

    state = HostState

    def __init__(self, lateness: Lateness, start: int | None) -> None:
        """Activities before `start` (µs since 1970) only train; `None`: none does."""
        super().__init__()
        self._lateness, self._start = lateness, start

    def add(self, key: str, state: HostState, message: Message) -> Outcomes:
        """Takes records or history in; sightings that are news leave at once."""
        if isinstance(message, HostHistory):
            self._remember(state, message)
            return
        assert isinstance(message, HostRecords), message
        for shown in message.shown:
            if see(state.days, shown.subject, shown.day, shown.known):
                sighting = Sighting(message.tenant, shown.subject, message.host, shown.day, shown.known)
                yield Output("sightings", key_of(message.tenant, shown.subject), sighting, shown.instant)
        for communication in message.communications:
            self._open(state, communication)

    def fire(self, key: str, state: HostState, now: int, waiting: Sequence[Message]) -> Outcomes:
        """Sends the activities on that are due, asks about their subjects, forgets what is over."""
        due = sorted(
            (communication.instant, digest)
            for digest, communication in state.open.items()
            if _due(communication) <= now
        )
        for _, digest in due:
            communication = state.open.pop(digest)
            self._recent(state, _day_remembered_under(communication)).judged.append(digest)
            yield from self._settle(key, state, communication, now)
        self._forget(state, now)

    def wake(self, state: HostState) -> int | None:
        """When the next activity is due, or a day can be forgotten."""
        instants = [_due(communication) for communication in state.open.values()]
        instants += [self._lateness.closing((recent.day + 1) * DAY_US) for recent in state.recent]
        if state.days:
            instants.append(self._lateness.pruning(*span_of(state.days.values())))
        return min(instants, default=None)

    def _remember(self, state: HostState, history: HostHistory) -> None:
        days, before = DaySet.unpack(history.days), state.days.get(history.subject)
        if before:
            known = DaySet.unpack(before)
            for day in known.days():
                days.add(day, known.counts_after(day))
        state.days[history.subject] = days.pack()

    def _open(self, state: HostState, new: Communication) -> None:
        """Folds a communication into its activity, or begins one."""
        digest = _digest(new)
        number = int(new.row["events"])
        if digest in self._recent(state, _day_remembered_under(new)).judged:
            self.observed.counts["communications.folded"] += number
            return
        known = state.open.get(digest)
        if known is None:
            state.open[digest] = new
            self.observed.counts["communications.folded"] += number - 1
            return
        self.observed.counts["communications.folded"] += number
        first, other = sorted((known, new), key=_order) if _tied(known, new) else _by_time(known, new)
        state.open[digest] = msgspec.structs.replace(first, row=_with_totals(first.row, other.row))

    def _settle(self, key: str, state: HostState, communication: Communication, now: int) -> Outcomes:
        row = communication.row
        self.observed.counts["activities"] += 1
        verdict = None
        if self._start is not None and row["event_time"] < self._start:
            verdict = "training"
        elif communication.too_late_on is not None:
            verdict = "too_late"
        if verdict is not None:
            self.observed.counts[f"verdicts.{verdict}"] += 1
            yield VerdictRow({name: row[name] for name in VERDICT_COLUMNS} | {"verdict": verdict, "duplicate_of": None})
            return
        day = row["hour"] // 24
        recent = self._recent(state, day)
        for subject in (*_subjects(row), TELEMETRY):
            if subject not in recent.asked:
                recent.asked.append(subject)
                question = Question(row["tenant"], subject, row["host"], day, now)
                yield Output("questions", key_of(row["tenant"], subject), question, now)
        own = {
            subject: DaySet.unpack(packed).window(day, self._lateness.training_days)
            for subject in _subjects(row)
            if (packed := state.days.get(subject))
        }
        activity = Activity(row, communication.instant, now, communication.late, own)
        yield Output("activities", key, activity, now)

    def _recent(self, state: HostState, day: int) -> Recent:
        for recent in state.recent:
            if recent.day == day:
                return recent
        state.recent.append(Recent(day))
        return state.recent[-1]

    def _forget(self, state: HostState, now: int) -> None:
        forget(state.days, self._lateness.needed_from(now))
        state.recent = [recent for recent in state.recent if self._lateness.closing((recent.day + 1) * DAY_US) > now]


def _due(communication: Communication) -> int:
    """When an activity is sent on (ms). Lateness is of whole seconds, so a day ends and closes at the end of one."""
    return end_of_second(communication.instant) + ASK_MS


def _digest(communication: Communication) -> str:
    """What names an activity; communications that are too late are never of one activity with others."""
    row = communication.row
    parts = [row.get(name) for name in ACTIVITY_KEY] + [communication.too_late_on]
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def _day_remembered_under(communication: Communication) -> int:
    """The day under which an activity is remembered, and with which it is forgotten."""
    late = communication.too_late_on
    return int(communication.row["hour"]) // 24 if late is None else late


def _subjects(row: Row) -> Iterator[str]:
    return (row[kind] for kind in KINDS if row.get(kind) is not None)


def _tied(one: Communication, other: Communication) -> bool:
    return one.instant == other.instant and one.row["event_time"] == other.row["event_time"]


def _order(communication: Communication) -> tuple[tuple[str, str], bool]:
    return details_order(communication.row), communication.late


def _by_time(one: Communication, other: Communication) -> tuple[Communication, Communication]:
    """The one that decides when the activity is due and represents it, and the other."""
    key = (one.instant, one.row["event_time"]), (other.instant, other.row["event_time"])
    return (one, other) if key[0] < key[1] else (other, one)


def _with_totals(row: Row, other: Row) -> Row:
    """A row with the totals of both."""
    sums = {name: row.get(name, 0) + other.get(name, 0) for name in TOTALS if name in row or name in other}
    return row | sums
