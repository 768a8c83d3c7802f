"""What starts say of the processes of a host, and which events wait for them (specification, section 2a)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import pyarrow as pa

from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.columns.hashes import text_hash
from uncommon_im.transforms.rules.events.event_id import details_order
from uncommon_im.transforms.rules.instances.packed import PackedRow
from uncommon_im.transforms.rules.stream.lateness import (
    FUTURE_US,
    MILLISECOND_US,
    TOGETHER_MS,
    Lateness,
    end_of_second,
)
from uncommon_im.transforms.rules.stream.messages import (
    MESSAGES,
    Completed,
    Message,
    Outcomes,
    Output,
    PackedStarts,
    Starts,
    Unfinished,
    host_of,
)
from uncommon_im.transforms.rules.stream.step import Step

COMPLETE_MS: Final = 1
"""Events of a second are completed this long after its end: the starts that count for them have been received."""
PACKED_TOGETHER: Final = 10_000
"""Starts in one packed message: a few MB before they are compressed."""
_ZSTD: Final = pa.Codec("zstd")
_START: Final = msgspec.msgpack.Decoder(tuple[list[str], list[int], list[int], list[bytes]])
_PACK: Final = msgspec.msgpack.Encoder()

Known = tuple[int, int, bytes]
"""(time in µs, instant in ms, content) of a start."""


class InstanceState(msgspec.Struct, array_like=True):
    """What is kept of a host beside starts.

    Args:
        waiting: events that are not completed yet.
        armed: the instant (ms) for which the timer is set; 0: it is not.
    """

    waiting: list[Unfinished] = []
    armed: int = 0

    @property
    def due(self) -> int | None:
        """The instant (ms) at which the first waiting event is completed; `None`: none waits."""
        return min(map(_due, self.waiting), default=None)


class Tidying(NamedTuple):
    """When the starts of a host are looked through next (ms), and which of two timers says so."""

    timer: int
    instant: int


class Instances(Step[InstanceState]):
    """The step that completes events: emits "completed", each once, at the end of the second of its instant.

    Starts are kept as they come, and neither they nor anything else of their host is read for that. A start counts for
    an event if it describes its instance, is not later and at most `lookback` older than it, and if its instant is not
    after the event's. It must not be older than anything within the late horizon can need at the event's instant
    either: so what is forgotten, and when, changes nothing.

    `tidy` forgets. A start sets a timer for it without looking whether one is set: to the end of the period of its
    instant, which is the same for all starts of that period, so nothing is put off. Two timers take turns, for starts
    come up to the lateness before their instants, and those of the next period must not move this one's end. Periods
    begin at another time of day for each host.
    """

    state = InstanceState

    def __init__(self, lateness: Lateness, lookback: int) -> None:
        """A start may be `lookback` µs older than an event."""
        super().__init__()
        self._lookback = lookback
        self._reach = lookback + lateness.horizon + lateness.allowed
        self._period = DAY_US * (1 + (lateness.allowed + FUTURE_US) // DAY_US) // MILLISECOND_US

    def add(self, key: str, state: InstanceState, message: Message) -> Outcomes:
        """Lets an event wait."""
        assert isinstance(message, Unfinished), message
        state.waiting.append(message)
        yield from ()

    def fire(self, key: str, state: InstanceState, now: int, waiting: Sequence[Message]) -> Outcomes:
        """Completes the events that are due; `waiting` are the starts, which stay."""
        due = [event for event in state.waiting if _due(event) <= now]
        state.waiting = [event for event in state.waiting if _due(event) > now]
        known = _starts_of(waiting, {event.guid for event in due})
        for event in due:
            start = self._start(key, event, known[event.guid])
            yield Output("completed", key, Completed(event, start, now), now)

    def wake(self, state: InstanceState) -> int | None:
        """When the next event is due."""
        return state.due

    def waits(self, state: InstanceState) -> bool:
        """Events do, for starts."""
        return bool(state.waiting)

    def only_waits(self, message: Message) -> bool:
        """Starts do."""
        return isinstance(message, Starts)

    def keeping(self, key: str, message: bytes) -> Tidying | None:
        """When a message is looked through that is to be kept; `None`: it holds no starts."""
        decoded = MESSAGES.decode(message)
        return self.keeping_starts(key, decoded) if isinstance(decoded, Starts) else None

    def keeping_starts(self, key: str, starts: Starts) -> Tidying:
        """When starts are looked through."""
        return self._tidying(key, max(starts.instants))

    def tidy(self, key: str, cell: bytes | None, kept: Iterable[bytes], now: int) -> tuple[list[bytes], Tidying | None]:
        """What stays of the starts that are kept, each once, and when to look again; `None`: nothing stays."""
        due = self.codec.decode(cell).due if cell else None
        needed = min(now, due - COMPLETE_MS - TOGETHER_MS) if due else now  # by the first event that is not completed
        oldest = needed * MILLISECOND_US - self._reach
        found: dict[tuple[int, str, bytes], int] = {}
        for message in kept:
            for guid, time, instant, content in zip(*columns_of(MESSAGES.decode(message)), strict=True):
                if time >= oldest:
                    start = (time, guid, content)
                    found[start] = min(instant, found.get(start, instant))
        if not found:
            return [], None
        last = (max(found)[0] + self._reach) // MILLISECOND_US + 1
        return [MESSAGES.encode(message) for message in _packed(found)], self._tidying(key, last)

    def _start(self, key: str, event: Unfinished, known: Collection[Known]) -> tuple[int, bytes] | None:
        """The start that describes an event's process, of those of its instance: as `Wanted` chooses."""
        oldest = max(event.time - self._lookback, event.instant * MILLISECOND_US - self._reach)
        found = [(time, content) for time, instant, content in known
                 if oldest <= time <= event.time and instant <= event.instant]  # fmt: skip
        if not found:
            return None
        newest = max(time for time, _ in found)
        contents = {content for time, content in found if time == newest}
        if len(contents) == 1:
            return newest, contents.pop()
        whose = host_of(key)
        return newest, min(
            contents, key=lambda content: details_order(PackedRow(*whose, event.guid, newest, content).details())
        )

    def _tidying(self, key: str, instant: int) -> Tidying:
        begins = text_hash(key) % self._period
        period = (instant - begins) // self._period
        return Tidying(period % 2, (period + 1) * self._period + begins)


def columns_of(message: Message) -> tuple[list[str], list[int], list[int], list[bytes]]:
    """Guids, times, instants and contents of starts."""
    if isinstance(message, PackedStarts):
        return _START.decode(_ZSTD.decompress(message.data, message.size))
    assert isinstance(message, Starts), message
    return message.guids, message.times, message.instants, message.contents


def _starts_of(messages: Iterable[Message], guids: Collection[str]) -> defaultdict[str, set[Known]]:
    """The starts of some instances."""
    found: defaultdict[str, set[Known]] = defaultdict(set)
    for message in messages if guids else ():
        columns = columns_of(message)
        for place, guid in enumerate(columns[0]):
            if guid in guids:
                found[guid].add((columns[1][place], columns[2][place], columns[3][place]))
    return found


def _packed(found: dict[tuple[int, str, bytes], int]) -> Iterator[PackedStarts]:
    rows = [(guid, time, instant, content) for (time, guid, content), instant in sorted(found.items())]
    for first in range(0, len(rows), PACKED_TOGETHER):
        data = _PACK.encode(tuple(zip(*rows[first : first + PACKED_TOGETHER], strict=True)))
        yield PackedStarts(len(data), _ZSTD.compress(data, asbytes=True))


def _due(event: Unfinished) -> int:
    """When an event is completed (ms)."""
    return end_of_second(event.instant) + COMPLETE_MS
