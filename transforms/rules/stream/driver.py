"""The steps of the stream, driven in one process: no engine, the same rules.

Steps are taken in the order in which they feed each other, each up to the same watermark. So nothing that a step is
sent is older than what it has done, which is all that engines promise it too.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol

from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.raw_batch import RawBatch
from uncommon_im.transforms.rules.stream.arrivals import Arrivals, BlockContent
from uncommon_im.transforms.rules.stream.baselines import Baselines
from uncommon_im.transforms.rules.stream.flood import Flood
from uncommon_im.transforms.rules.stream.hosts import Hosts
from uncommon_im.transforms.rules.stream.instances import Instances, InstanceState
from uncommon_im.transforms.rules.stream.judging import Judging
from uncommon_im.transforms.rules.stream.messages import (
    MESSAGES,
    Alert,
    Completed,
    Message,
    Outcomes,
    Output,
    Row,
    Starts,
    VerdictRow,
    Wait,
)
from uncommon_im.transforms.rules.stream.step import State, Step

END: Final = 2**62
"""The watermark (ms) after which nothing comes."""


class Receiver(Protocol):
    """Takes what leaves the stream, as soon as it does."""

    def alert(self, row: Row) -> None:
        """An alert."""

    def verdict(self, row: Row) -> None:
        """What became of an activity."""

    def dead_letter(self, letter: DeadLetter) -> None:
        """A record that is no event."""

    def learned(self, table: str, key: str, message: Message, instant: int) -> None:
        """Something of one of the tables "sightings", "coverage", "said" and "starts", which counts from `instant` (ms)
        on."""


@dataclass(frozen=True)
class Steps:
    """The rules of each step."""

    instances: Instances
    hosts: Hosts
    baselines: Baselines
    judge: Judging
    flood: Flood


class Driver:
    """Runs the stream: history first, then blocks of arrivals, each followed by a watermark.

    Everything is kept in memory, as the steps' own values. What leaves does not depend on how records are cut into
    blocks, nor on how far the watermark goes at a time.
    """

    def __init__(self, steps: Steps, arrivals: Arrivals, receiver: Receiver) -> None:
        """Sends what leaves the steps to `receiver`."""
        self._arrivals, self._receiver = arrivals, receiver
        self._instances = _InstanceKeys(steps.instances, self)
        self._hosts = _Keys(steps.hosts, self)
        self._baselines = _Keys(steps.baselines, self)
        self._judge = _Keys(steps.judge, self)
        self._flood = _Keys(steps.flood, self)
        self._routes: dict[str, _Keys[Any]] = {
            "instances": self._instances,
            "hosts": self._hosts,
            "baselines": self._baselines,
            "judge": self._judge,
            "starts": self._instances,
            "unfinished": self._instances,
            "sightings": self._baselines,
            "questions": self._baselines,
            "activities": self._judge,
            "answers": self._judge,
            "candidates": self._flood,
        }
        self._completed: list[tuple[str, Completed]] = []
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[str]:
        """What was counted up to the watermark, by names of metrics."""
        return Counter(self._counts)

    def remember(self, to: str, key: str, message: Message) -> None:
        """Gives "instances", "hosts", "baselines" or "judge" what a snapshot knows, before the first block."""
        self._routes[to].add(key, message)

    def read(self, batch: RawBatch, arrival: Longs) -> Longs:
        """Takes records that arrived at given times (µs since 1970), none before the watermark; their delays (µs)."""
        content = self._arrivals.read(batch, arrival)
        self._take(content)
        return content.delays

    def advance(self, watermark: int) -> None:
        """Does all that is due up to a watermark (ms); `END`: all."""
        self._instances.fire_until(watermark)
        self._observe(self._instances.step)
        if self._completed:
            completed, self._completed = self._completed, []
            self._take(self._arrivals.complete(completed))
        for keys in (self._hosts, self._baselines, self._judge, self._flood):
            keys.fire_until(watermark)
            self._observe(keys.step)

    def emit(self, output: Output) -> None:
        """Sends what a step emits where it belongs."""
        to, key, message, instant = output
        if to == "completed":
            assert isinstance(message, Completed), message
            self._completed.append((key, message))
            return
        if to in ("sightings", "said", "starts"):
            self._receiver.learned(to, key, message, instant)
        if to in self._routes:
            self._routes[to].add(key, message)

    def row(self, outcome: Alert | VerdictRow) -> None:
        """Sends a row out."""
        if isinstance(outcome, Alert):
            self._receiver.alert(outcome.alert)
        else:
            self._receiver.verdict(outcome.row)

    def _observe(self, step: Step[Any]) -> None:
        """Takes what a step counted; what it only measured is dropped, for it would be kept until the end."""
        self._counts.update(step.observed.counts)
        step.observed.clear()

    def _take(self, content: BlockContent) -> None:
        for letter in content.dead_letters:
            self._receiver.dead_letter(letter)
        for instance in content.instances:
            self.emit(instance)
        for covered in content.covered:
            self._receiver.learned("coverage", covered.tenant, covered, covered.instant)
            self._baselines.add(covered.key, covered.sighting)
        for seen in content.hours:
            self.emit(Output("sightings", seen.key, seen.sighting, seen.instant))
        for found in content.hosts:
            self._hosts.add(found.key, found.records)
        for path, number in content.counts.items():
            self._counts[".".join(path)] += number


class _Keys(Generic[State]):
    """A step with the state, the timer and the waiting messages of each of its keys."""

    def __init__(self, step: Step[State], driver: Driver) -> None:
        self.step = step
        self._driver = driver
        self._states: dict[str, State] = {}
        self._waiting: defaultdict[str, list[Message]] = defaultdict(list)
        self._timers: list[tuple[int, str]] = []
        """A heap; of a key only that counts which its state is armed for."""

    def add(self, key: str, message: Message) -> None:
        """Takes a message in."""
        if self.step.only_waits(message):
            self._waiting[key].append(message)
            return
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = self.step.state()
        self._leave(key, self.step.add(key, state, message))
        wake = self.step.wake(state)
        if wake is not None and (not state.armed or wake < state.armed):
            self._arm(key, state, wake)

    def fire_until(self, watermark: int) -> None:
        """Fires all timers up to a watermark, the earliest first; also those that are set while it does."""
        while self._timers and self._timers[0][0] <= watermark:
            instant, key = heapq.heappop(self._timers)
            state = self._states.get(key)
            if state is not None and state.armed == instant:
                self._fire(key, state, instant)

    def _fire(self, key: str, state: State, instant: int) -> None:
        waiting = self._read(key) if self.step.waits(state) else ()
        self._leave(key, self.step.fire(key, state, instant, waiting))
        wake = self.step.wake(state)
        if wake is None:
            del self._states[key]
        else:
            self._arm(key, state, wake)

    def _read(self, key: str) -> Sequence[Message]:
        """The messages that wait; those that the step wants to see again come back."""
        return self._waiting.pop(key, [])

    def _arm(self, key: str, state: State, instant: int) -> None:
        state.armed = instant
        heapq.heappush(self._timers, (instant, key))

    def _leave(self, key: str, outcomes: Outcomes) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Output):
                self._driver.emit(outcome)
            elif isinstance(outcome, Wait):
                self._waiting[key].append(outcome.message)
            else:
                self._driver.row(outcome)


class _InstanceKeys(_Keys[InstanceState]):
    """The step that completes events: starts are kept beside its state, packed, and looked through by timers."""

    def __init__(self, step: Instances, driver: Driver) -> None:
        super().__init__(step, driver)
        self._rules = step
        self._kept: defaultdict[str, list[bytes]] = defaultdict(list)
        self._tidyings: dict[tuple[str, int], int] = {}
        self._tidying_timers: list[tuple[int, str, int]] = []

    def add(self, key: str, message: Message) -> None:
        if not isinstance(message, Starts):
            super().add(key, message)
            return
        self._kept[key].append(MESSAGES.encode(message))
        self._tidy_at(key, *self._rules.keeping_starts(key, message))

    def fire_until(self, watermark: int) -> None:
        super().fire_until(watermark)
        while self._tidying_timers and self._tidying_timers[0][0] <= watermark:
            instant, key, timer = heapq.heappop(self._tidying_timers)
            if self._tidyings.get((key, timer)) == instant:
                del self._tidyings[key, timer]
                self._tidy(key, instant)

    def _tidy(self, key: str, instant: int) -> None:
        state = self._states.get(key)
        cell = None if state is None else self._rules.codec.encode(state)
        kept, tidying = self._rules.tidy(key, cell, self._kept.pop(key, ()), instant)
        if tidying is not None:
            self._kept[key] = kept
            self._tidy_at(key, *tidying)

    def _tidy_at(self, key: str, timer: int, instant: int) -> None:
        if self._tidyings.get((key, timer)) != instant:
            self._tidyings[key, timer] = instant
            heapq.heappush(self._tidying_timers, (instant, key, timer))

    def _read(self, key: str) -> list[Message]:
        return list(self._messages(key))

    def _messages(self, key: str) -> Iterator[Message]:
        yield from map(MESSAGES.decode, self._kept.get(key, ()))
