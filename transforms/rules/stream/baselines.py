"""How common a subject is in the organisation: bounded sets of hosts by day (specification, sections 5, 6 and 9)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.baseline import day_masks
from uncommon_im.transforms.rules.baseline.sightings import host_rank
from uncommon_im.transforms.rules.stream.day_sets import DaySet, Packed, forget, keep, see, span_of
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import (
    Answer,
    Message,
    Outcome,
    Outcomes,
    Output,
    Question,
    Sighting,
    Wait,
    key_of,
)
from uncommon_im.transforms.rules.stream.step import Step


class BaselineState(msgspec.Struct, array_like=True):
    """What is kept of a (tenant, subject).

    Args:
        hosts: host -> the days on which it showed the subject, at most `Limits.hosts_kept` hosts per day.
        open_day: the newest day that is known to be open; its questions need not wait.
        asked_at: the instant (ms) of the first question that waits; 0: none does.
        armed: the instant (ms) for which the timer is set; 0: it is not.
    """

    hosts: dict[str, Packed] = {}
    open_day: int = 0
    asked_at: int = 0
    armed: int = 0


class Baselines(Step[BaselineState]):
    """The step that answers: emits "answers", one per question, from what was known when the question's day opened.

    A question of a day that may not be open yet waits; one timer answers all that wait for that day.
    """

    state = BaselineState

    def __init__(self, lateness: Lateness, limits: Limits) -> None:
        """The window, its guard days and the hosts to keep are those of `limits`."""
        super().__init__()
        self._lateness, self._limits = lateness, limits

    def add(self, key: str, state: BaselineState, message: Message) -> Outcomes:
        """Takes a sighting in, or answers a question."""
        if isinstance(message, Sighting):
            self._see(state, message)
            return
        yield self._take(state, message)

    def fire(self, key: str, state: BaselineState, now: int, waiting: Sequence[Message]) -> Outcomes:
        """Answers the questions of all days that are open, forgets days that no baseline needs any more."""
        state.open_day = max(state.open_day, self._lateness.last_open_day(now))
        state.asked_at = 0
        for message in waiting:
            yield self._take(state, message)
        forget(state.hosts, self._lateness.needed_from(now))

    def wake(self, state: BaselineState) -> int | None:
        """When the first question can be answered, or a day can be forgotten."""
        instants = [self._lateness.pruning(*span_of(state.hosts.values()))] if state.hosts else []
        return min(instants + [state.asked_at] * bool(state.asked_at), default=None)

    def waits(self, state: BaselineState) -> bool:
        """Questions do."""
        return bool(state.asked_at)

    def _take(self, state: BaselineState, message: Message) -> Outcome:
        """The answer to a question whose day is open; others wait."""
        assert isinstance(message, Question), message
        if message.day <= state.open_day:
            return self._answer(state, message)
        answered = max(message.at, self._lateness.opening(message.day))
        state.asked_at = min(state.asked_at or answered, answered)
        return Wait(message)

    def _see(self, state: BaselineState, sighting: Sighting) -> None:
        news = see(state.hosts, sighting.host, sighting.day, sighting.known)
        if news and len(state.hosts) > self._limits.hosts_kept:
            self._cap(state, sighting)

    def _cap(self, state: BaselineState, sighting: Sighting) -> None:
        """At most `hosts_kept` hosts per day and day after which it counts: the smallest by hash."""
        those = []
        for host, packed in state.hosts.items():
            days = DaySet.unpack(packed)
            if sighting.day in days and days.counts_after(sighting.day) == sighting.known:
                those.append((host_rank(host), host, days))
        if len(those) > self._limits.hosts_kept:
            _, host, days = max(those, key=lambda item: item[:2])
            days.discard(sighting.day)
            keep(state.hosts, host, days)

    def _answer(self, state: BaselineState, question: Question) -> Output:
        length, guard = self._limits.training_days, self._limits.guard_days
        windows = [DaySet.unpack(packed).window(question.day, length) for packed in state.hosts.values()]
        active = 0
        for window in windows:
            active |= window
        kept = self._limits.hosts_kept
        answer = Answer(
            question.subject,
            question.day,
            min(sum(map(bool, windows)), kept),
            min(sum(bool(day_masks.before_guard(window, length, guard)) for window in windows), kept),
            active,
        )
        return Output("answers", key_of(question.tenant, question.host), answer, question.at)
