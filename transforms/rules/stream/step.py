"""What every stateful step of the stream is: a state per key, messages in, outcomes out, one timer.

`add_message` and `fire_timer` take a step's rules from bytes to bytes: an engine adds nothing but storage, time and
transport.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from uncommon_im.transforms.rules.stream.codec import Codec
from uncommon_im.transforms.rules.stream.messages import MESSAGES, Message, Outcome, Outcomes, Wait


class Armed(Protocol):
    """A state that knows the instant (ms) for which its timer is set; 0: it is not."""

    armed: int


State = TypeVar("State", bound=Armed)


class Observations:
    """What a step counts and measures beside its outcomes; whoever drives it takes and empties them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.values: list[tuple[str, int]] = []

    def clear(self) -> None:
        """Forgets them."""
        self.counts.clear()
        self.values.clear()


class Step(ABC, Generic[State]):
    """The rules of a stateful step.

    `add` and `fire` change the state that they are given. Messages may come in any order and any number of times.
    `fire` may be called at any instant that the watermark has passed, again and again: what is not due stays.
    """

    state: type[State]
    """Its default is the state of a key that has not been seen."""

    def __init__(self) -> None:
        self.codec: Codec[State] = Codec(self.state)
        self.observed = Observations()

    @abstractmethod
    def add(self, key: str, state: State, message: Message) -> Outcomes:
        """Takes a message in."""

    @abstractmethod
    def fire(self, key: str, state: State, now: int, waiting: Sequence[Message]) -> Outcomes:
        """Does what is due at an instant (ms), with the messages that wait; forgets what is over."""

    @abstractmethod
    def wake(self, state: State) -> int | None:
        """The instant (ms) at which to fire next; `None`: nothing is left, the state can go."""

    def waits(self, state: State) -> bool:
        """False if no message waits that `fire` could need."""
        return False

    def only_waits(self, message: Message) -> bool:
        """True if a message does nothing but wait, whatever the state: the state is not even read then."""
        return False


@dataclass
class Effects:
    """What a call of a step does to its key.

    Args:
        cell: the state to keep; `None`: nothing is left of the key.
        changed: whether `cell` differs from what it was.
        read_waiting: whether the messages that waited were taken out.
        timer: the instant (ms) to set the timer to; `None`: leave it.
        wait: messages to add to those that wait.
        outcomes: what leaves the step.
    """

    cell: bytes | None
    changed: bool
    read_waiting: bool = False
    timer: int | None = None
    wait: list[bytes] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


def add_message(step: Step[State], key: str, read_cell: Callable[[], bytes | None], message: bytes) -> Effects:
    """What a message does to a key. The timer is set only if it is to fire earlier than it is.

    Args:
        read_cell: reads the key's state, which costs a round trip to the engine.
    """
    decoded = MESSAGES.decode(message)
    if step.only_waits(decoded):
        return Effects(None, False, wait=[message])
    cell = read_cell()
    state = step.codec.decode(cell) if cell else step.state()
    effects = Effects(None, False)
    _sort(step.add(key, state, decoded), effects)
    wake = step.wake(state)
    if wake is not None and (not state.armed or wake < state.armed):
        state.armed = effects.timer = wake
    effects.cell = step.codec.encode(state)
    effects.changed = effects.cell != cell
    return effects


def fire_timer(
    step: Step[State], key: str, cell: bytes | None, read_waiting: Callable[[], Iterable[bytes]], now: int
) -> Effects:
    """What the timer does at `now` (ms) to a key; if messages that waited were taken out, `wait` replaces them."""
    state = step.codec.decode(cell) if cell else step.state()
    effects = Effects(None, True, read_waiting=step.waits(state))
    waiting = [MESSAGES.decode(message) for message in read_waiting()] if effects.read_waiting else []
    _sort(step.fire(key, state, now, waiting), effects)
    wake = step.wake(state)
    if wake is not None:
        state.armed = effects.timer = wake
        effects.cell = step.codec.encode(state)
    return effects


def _sort(outcomes: Outcomes, effects: Effects) -> None:
    for outcome in outcomes:
        if isinstance(outcome, Wait):
            effects.wait.append(MESSAGES.encode(outcome.message))
        else:
            effects.outcomes.append(outcome)
