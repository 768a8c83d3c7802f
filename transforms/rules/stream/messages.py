"""What travels between the steps of the stream, under text keys, as bytes (`stream.codec`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from uncommon_im.transforms.rules.baseline.subjects import NO_HOST
from uncommon_im.transforms.rules.stream.codec import Codec
from uncommon_im.transforms.rules.stream.day_sets import Packed

TELEMETRY: Final = '["telemetry"]'
"""The subject that every event of a tenant shows: the days on which it was seen are the tenant's coverage."""

Row = dict[str, Any]
"""A row of `ACTIVITY_SCHEMA` without its nulls."""


class _Message(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A value that travels."""


class Communication(msgspec.Struct, frozen=True, array_like=True):
    """A communication, or several of one activity that came together.

    Args:
        row: its activity so far.
        instant: when it counts (ms).
        late: it took longer than allowed.
        too_late_on: the day on which it arrived too late to be judged; else `None`.
    """

    row: Row
    instant: int
    late: bool = False
    too_late_on: int | None = None


class Shown(NamedTuple):
    """A host showed a subject on a day; baselines of days after `known` see it, it counts from `instant` (ms) on."""

    subject: str
    day: int
    known: int
    instant: int


class HostRecords(_Message, frozen=True, tag="records"):
    """What one block of arrivals says of one host."""

    tenant: str
    host: str
    shown: list[Shown]
    communications: list[Communication]


class Starts(_Message, frozen=True, tag="starts"):
    """Starts of processes of one host: columns of equal length.

    Args:
        guids: of the instances.
        times: of the starts, in µs.
        instants: from which they count, in ms.
        contents: the rest of each, as `instances.packed` has it.
    """

    guids: list[str]
    times: list[int]
    instants: list[int]
    contents: list[bytes]


class PackedStarts(_Message, frozen=True, tag="packed_starts"):
    """`Starts`, compressed; `size` is that of their bytes."""

    size: int
    data: bytes


class Unfinished(_Message, frozen=True, tag="unfinished"):
    """An event that may be a communication once the start of its process is known.

    Args:
        guid: of the instance.
        time: of the event, in µs.
        arrival: when it arrived, in µs.
        instant: from which it counts, in ms.
        content: the rest of it, as `instances.packed` has it.
    """

    guid: str
    time: int
    arrival: int
    instant: int
    content: bytes


class Completed(_Message, frozen=True, tag="completed"):
    """An event that waits no more.

    Args:
        event: it.
        start: (time in µs, content) of the start of its process; `None`: none is known.
        at: when that was decided (ms): what it shows counts from then on.
    """

    event: Unfinished
    start: tuple[int, bytes] | None
    at: int


class HostHistory(_Message, frozen=True, tag="history"):
    """What a host showed before the stream began."""

    subject: str
    days: Packed


class Sighting(_Message, frozen=True, tag="sighting"):
    """This host of this tenant showed this subject on this day; baselines of days after `known` see it."""

    tenant: str
    subject: str
    host: str
    day: int
    known: int


class Covered(_Message, frozen=True, tag="covered"):
    """A tenant delivered so many events of a day; baselines of days after `known` see it, it counts from `instant`."""

    tenant: str
    day: int
    known: int
    events: int
    instant: int

    @property
    def key(self) -> str:
        """The key of the sighting."""
        return key_of(self.tenant, TELEMETRY)

    @property
    def sighting(self) -> Sighting:
        """As a sighting of the subject that every event shows, which is not counted per host."""
        return Sighting(self.tenant, TELEMETRY, NO_HOST, self.day, self.known)


class Question(_Message, frozen=True, tag="question"):
    """A host wants to know how common a subject was before a day; asked at an instant (ms)."""

    tenant: str
    subject: str
    host: str
    day: int
    at: int


class Answer(_Message, frozen=True, tag="answer"):
    """How common a subject was in the organisation before a day.

    Args:
        hosts: distinct hosts of the window, counted up to `Limits.hosts_kept`.
        guarded_hosts: the same without the guard days.
        active: the days on which any host showed it: bit `i` is day `day - training_days + i`.
    """

    subject: str
    day: int
    hosts: int
    guarded_hosts: int
    active: int


class Activity(_Message, frozen=True, tag="activity"):
    """An activity whose time has come.

    Args:
        row: its first event, of `ACTIVITY_SCHEMA` without nulls.
        instant: when it was due (ms).
        at: when it was sent on (ms): its questions were asked at the same time.
        late: a late record made it.
        own: subject -> its host's days of the window, bits as in `Answer`.
    """

    row: Row
    instant: int
    at: int
    late: bool
    own: dict[str, int]


class SaidBefore(_Message, frozen=True, tag="said"):
    """An alert already raised or rolled up; a repeat of one is a duplicate. Fields as in `SAID_SCHEMA`."""

    key: list[str]
    time: int
    severity: str
    event_id: str
    alert_id: str


class Candidate(_Message, frozen=True, tag="candidate"):
    """A rare activity that repeats nothing; flood control decides whether its alert is raised.

    Args:
        instant: when it was due (ms).
        at: when it was judged (ms).
        time: of its first event (µs).
        day: of its first event.
        alert: its alert as JSON.
        row: its verdict row.
    """

    instant: int
    at: int
    time: int
    day: int
    alert: str
    row: Row


Message = (
    HostRecords | HostHistory | Sighting | Covered | Question | Answer | Activity | SaidBefore | Candidate
    | Starts | PackedStarts | Unfinished | Completed
)  # fmt: skip


class Output(NamedTuple):
    """What a step emits: to which output, under which key, and when at the earliest it counts (ms)."""

    to: str
    key: str
    message: Message
    instant: int


class VerdictRow(NamedTuple):
    """What became of an activity."""

    row: Row


class Alert(NamedTuple):
    """An alert, as JSON text without line ends."""

    alert: Row


class Wait(NamedTuple):
    """A message that the step wants to see again when its timer fires."""

    message: Message


Outcome = Output | VerdictRow | Alert | Wait
Outcomes = Iterator[Outcome]


MESSAGES: Final[Codec[Message]] = Codec(Message)


def key_of(*parts: str) -> str:
    """The text of a key.

    >>> key_of("default", "laptop-7")
    '["default","laptop-7"]'
    """
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def host_of(key: str) -> tuple[str, str]:
    """(tenant, host) of a key.

    >>> host_of('["default","laptop-7"]')
    ('default', 'laptop-7')
    """
    tenant, host = json.loads(key)
    return tenant, host
