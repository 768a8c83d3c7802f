"""Roll-outs and outbreaks cost a bounded number of alerts, as they come (specification, section 7)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import msgspec

from uncommon_im.transforms.rules.alerts.steps import with_steps
from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import Alert, Candidate, Message, Outcomes, VerdictRow, Wait
from uncommon_im.transforms.rules.stream.step import Step

LIMIT_MS: Final = 1
"""A candidate is decided this long after it was judged: those that precede it have come by then."""


class FloodState(msgspec.Struct, array_like=True):
    """What is kept of a group and variation.

    Args:
        alerts: so far.
        day: of the group; 0: not known yet.
        due: the instant (ms) at which waiting candidates are looked at; 0: none waits.
        armed: the instant (ms) for which the timer is set; 0: it is not.
    """

    alerts: int = 0
    day: int = 0
    due: int = 0
    armed: int = 0


class Flood(Step[FloodState]):
    """The step that limits floods: emits the first candidates of a group as alerts, verdict rows of all.

    The order is that of the instants, then (time of first event, event id, host): without late records just that.
    """

    state = FloodState

    def __init__(self, lateness: Lateness, limit: int) -> None:
        """At most `limit` alerts per group and variation; 0: no limit."""
        super().__init__()
        self._lateness, self._limit = lateness, limit

    def add(self, key: str, state: FloodState, message: Message) -> Outcomes:
        """Lets a candidate wait for those that precede it; a group that is full needs not wait."""
        assert isinstance(message, Candidate), message
        state.day = message.day
        if self._limit and state.alerts >= self._limit:
            yield self._verdict(message, "rolled_up")
        else:
            state.due = min(state.due or _due(message), _due(message))
            yield Wait(message)

    def fire(self, key: str, state: FloodState, now: int, waiting: Sequence[Message]) -> Outcomes:
        """Decides the candidates that are due; forgets the group when its day is over.

        Those that are not due yet are looked at together, when the last of them is: engines run a timer that is set
        for the past in a bundle of its own, and a group that fell behind would be decided one candidate a bundle.
        """
        state.due = 0
        due = []
        for message in waiting:
            assert isinstance(message, Candidate), message
            if _due(message) <= now:
                due.append((_order(message), message))
            else:
                state.due = max(state.due, _due(message))
                yield Wait(message)
        for _, candidate in sorted(due, key=lambda item: item[0]):
            if self._limit and state.alerts >= self._limit:
                yield self._verdict(candidate, "rolled_up")
            else:
                state.alerts += 1
                yield from self._alert(candidate, saturated=state.alerts == self._limit)
        if self._closing(state) <= now:
            state.alerts = state.day = 0

    def wake(self, state: FloodState) -> int | None:
        """When candidates are looked at next, or the group can be forgotten."""
        instants = [state.due] * bool(state.due) + [self._closing(state)] * bool(state.day)
        return min(instants, default=None)

    def waits(self, state: FloodState) -> bool:
        """Candidates do."""
        return bool(state.due)

    def _alert(self, candidate: Candidate, saturated: bool) -> Outcomes:
        alert = with_steps(json.loads(candidate.alert) | {"group_saturated": saturated})
        self.observed.counts[f"alerts.{alert['variation']}"] += 1
        self.observed.counts["alerts.late"] += alert["late"]
        yield Alert(alert)
        yield self._verdict(candidate, "alert")

    def _verdict(self, candidate: Candidate, verdict: str) -> VerdictRow:
        self.observed.counts[f"verdicts.{verdict}"] += 1
        return VerdictRow(candidate.row | {"verdict": verdict, "duplicate_of": None})

    def _closing(self, state: FloodState) -> int:
        return self._lateness.closing((state.day + 1) * DAY_US) + 4 * LIMIT_MS


def _due(candidate: Candidate) -> int:
    return candidate.at + LIMIT_MS


def _order(candidate: Candidate) -> tuple[int, int, str, str, str]:
    alert = json.loads(candidate.alert)
    return candidate.instant, candidate.time, alert["event_id"], alert["host"]["id"], alert["alert_id"]
