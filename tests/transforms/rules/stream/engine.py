"""A stream without an engine: the steps' rules under the worst that an engine may do.

Elements are delivered in random order, timers fire in random order, keys and steps interleave at random; nothing is
kept but what Beam promises: a step's watermark does not pass an element that is on its way to it, nor a timer of a step
before it. State goes through its bytes at every call.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from uncommon_im.transforms.rules.events.tally import Tally
from uncommon_im.transforms.rules.stream.arrivals import BlockContent
from uncommon_im.transforms.rules.stream.instances import Instances
from uncommon_im.transforms.rules.stream.messages import MESSAGES, Alert, Completed, Message, Output, VerdictRow
from uncommon_im.transforms.rules.stream.step import Effects, Step, add_message, fire_timer

END = 2**61
ROUTES = {"sightings": "baselines", "questions": "baselines", "activities": "judge", "answers": "judge"}
ROUTES |= {"candidates": "flood"}
Recognise = Callable[[list[tuple[str, Completed]]], BlockContent]
Element = tuple[int, str, bytes]
"""(timestamp in ms, key, message)."""
Timer = TypeVar("Timer", str, tuple[str, int])


class Inbox:
    """Elements on their way, in no order, and the least of their timestamps."""

    def __init__(self) -> None:
        self._elements: list[Element] = []
        self._instants: list[int] = []
        self._taken: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._elements)

    def append(self, element: Element) -> None:
        self._elements.append(element)
        heapq.heappush(self._instants, element[0])

    def take(self, chooser: random.Random) -> Element:
        """Any element."""
        number = chooser.randrange(len(self._elements))
        self._elements[number], self._elements[-1] = self._elements[-1], self._elements[number]
        element = self._elements.pop()
        self._taken[element[0]] += 1
        return element

    @property
    def least(self) -> int:
        """The least timestamp; `END` if nothing is on its way."""
        while self._instants and self._taken[self._instants[0]]:
            self._taken[heapq.heappop(self._instants)] -= 1
        return self._instants[0] if self._instants else END


@dataclass
class Stage:
    """A step with its keys, and the elements on their way to it."""

    step: Step[Any]
    upstream: list[str]
    cells: dict[str, bytes] = field(default_factory=dict)
    bags: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    timers: dict[str, int] = field(default_factory=dict)
    inbox: Inbox = field(default_factory=Inbox)
    kept: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    tidyings: dict[tuple[str, int], int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether anything is left of any key."""
        return bool(self.cells or self.bags or self.timers or self.kept or self.tidyings)


def due(timers: Mapping[Timer, int], watermark: int) -> list[Timer]:
    """The timers that the watermark has passed."""
    if min(timers.values(), default=END + 1) > watermark:
        return []
    return [timer for timer, at in timers.items() if at <= watermark]


class Engine:
    """Runs the five stateful steps."""

    def __init__(self, steps: Mapping[str, Step[Any]], recognise: Recognise, seed: int) -> None:
        self.random = random.Random(seed)
        self.source = -END
        self.ends = True
        upstream = {
            "instances": [],
            "hosts": ["instances"],
            "baselines": ["instances", "hosts"],
            "judge": ["hosts", "baselines"],
            "flood": ["judge"],
        }
        self.stages = {name: Stage(steps[name], before) for name, before in upstream.items()}
        self.recognise = recognise
        self.completed: list[tuple[str, Completed]] = []
        self.counted: Tally = Tally()
        self.alerts: list[dict[str, Any]] = []
        self.verdicts: list[dict[str, Any]] = []
        self.sightings: list[Message] = []
        self.said: list[Message] = []
        self.starts: list[tuple[str, Message]] = []
        self.firings: Counter[str] = Counter()

    def give(self, stage: str, key: str, message: Message, instant: int) -> None:
        """Puts an element on its way to a step."""
        assert instant >= self.source, "behind the source's watermark"
        self.stages[stage].inbox.append((instant, key, MESSAGES.encode(message)))

    def run(self, feed: Iterable[Callable[[Engine], None]], laziness: float = 0.5) -> None:
        """Feeds the source's steps in, with anything happening in between; then, unless it is killed, up to the end."""
        for more in feed:
            more(self)
            while self.random.random() < laziness and self.act():
                pass
        if self.ends:
            self.source = END
            self.settle()

    def settle(self) -> None:
        """Does everything that the watermark allows."""
        while self.act():
            pass

    def act(self) -> bool:
        """Delivers an element or fires a timer, any of them."""
        watermarks = self.watermarks()
        choices: list[tuple[str, str | tuple[str, int]]] = []
        for name, stage in self.stages.items():
            choices += [(name, "deliver")] * bool(stage.inbox)
            choices += [(name, key) for key in due(stage.timers, watermarks[name])]
            choices += [(name, tidying) for tidying in due(stage.tidyings, watermarks[name])]
        choices += [("instances", "recognise")] * bool(self.completed)
        if not choices:
            return False
        name, what = self.random.choice(choices)
        stage = self.stages[name]
        if what == "recognise":
            self._recognise()
        elif isinstance(what, tuple):
            self._tidy(stage, *what)
        elif what == "deliver":
            at, key, data = stage.inbox.take(self.random)
            self._deliver(stage, key, data, at)
        else:
            now = stage.timers.pop(what)
            self.firings[name] += 1
            effects = fire_timer(stage.step, what, stage.cells.get(what), lambda: self._waiting(stage, what), now)
            if effects.read_waiting or effects.cell is None:
                stage.bags.pop(what, None)
            self._apply(stage, what, effects, now)
        return True

    def watermarks(self) -> dict[str, int]:
        """Input watermark of each step."""
        inputs: dict[str, int] = {}
        outputs: dict[str, int] = {}
        for name, stage in self.stages.items():
            before = [self.source, *(outputs[upstream] for upstream in stage.upstream)]
            inputs[name] = min([*before, stage.inbox.least])
            outputs[name] = min(inputs[name], min(stage.timers.values(), default=END))
            if name == "instances":
                outputs[name] = min([outputs[name], *(completed.at for _, completed in self.completed)])
        return inputs

    def _deliver(self, stage: Stage, key: str, data: bytes, at: int) -> None:
        """An element reaches a step; starts of processes are kept unread."""
        tidying = stage.step.keeping(key, data) if isinstance(stage.step, Instances) else None
        if tidying is None:
            self._apply(stage, key, add_message(stage.step, key, lambda: stage.cells.get(key), data), at)
        else:
            stage.kept[key].append(data)
            stage.tidyings[key, tidying.timer] = tidying.instant

    def _tidy(self, stage: Stage, key: str, timer: int) -> None:
        assert isinstance(stage.step, Instances)
        now = stage.tidyings.pop((key, timer))
        kept, tidying = stage.step.tidy(key, stage.cells.get(key), stage.kept.pop(key, []), now)
        if tidying is not None:
            stage.kept[key] = kept
            stage.tidyings[key, tidying.timer] = tidying.instant

    def _recognise(self) -> None:
        """Some of what was completed goes on, as a bundle."""
        self.random.shuffle(self.completed)
        size = self.random.randint(1, len(self.completed))
        bundle, self.completed = self.completed[:size], self.completed[size:]
        content = self.recognise(bundle)
        self.counted.update(content.counts)
        for found in content.hosts:
            self.stages["hosts"].inbox.append((found.instant, found.key, MESSAGES.encode(found.records)))
        for seen in content.hours:
            self.sightings.append(seen.sighting)
            self.stages["baselines"].inbox.append((seen.instant, seen.key, MESSAGES.encode(seen.sighting)))

    def _waiting(self, stage: Stage, key: str) -> list[bytes]:
        """The messages that wait under a key, in any order."""
        waiting = [*stage.bags.get(key, ()), *stage.kept.get(key, ())]
        self.random.shuffle(waiting)
        return waiting

    def _apply(self, stage: Stage, key: str, effects: Effects, now: int) -> None:
        if effects.changed and effects.cell is None:
            stage.cells.pop(key, None)
        elif effects.cell is not None:
            stage.cells[key] = effects.cell
        stage.bags[key] += effects.wait
        if not stage.bags[key]:
            del stage.bags[key]
        if effects.timer is not None:
            stage.timers[key] = effects.timer
        for outcome in effects.outcomes:
            if isinstance(outcome, Output):
                assert outcome.instant >= now, (outcome, now)
                if isinstance(outcome.message, Completed):
                    self.completed.append((outcome.key, outcome.message))
                    continue
                if outcome.to == "said":
                    self.said.append(outcome.message)
                    continue
                if outcome.to == "sightings":
                    self.sightings.append(outcome.message)
                element = (outcome.instant, outcome.key, MESSAGES.encode(outcome.message))
                self.stages[ROUTES[outcome.to]].inbox.append(element)
            elif isinstance(outcome, Alert):
                self.alerts.append(outcome.alert)
            else:
                assert isinstance(outcome, VerdictRow), outcome
                self.verdicts.append(outcome.row)

    @property
    def counts(self) -> Counter[str]:
        """What the steps counted."""
        total: Counter[str] = Counter()
        for stage in self.stages.values():
            total += stage.step.observed.counts
        return total
