"""What the records of a file are: their formats, what their events cannot tell, and why some are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from uncommon_im.schemas.event import EVENT_COLUMNS, EVENT_TYPES
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.normalise import Events

MOST_SAMPLES: Final = 3

COSTS: Final[dict[str, str]] = {
    "remote_host": "servers are found by their addresses only, so services without address ranges are missed",
    "process_name": "nobody knows whose the connection is, unless the start of its process is read too",
    "process_path": "programs are not told by their folder, and `untrusted_path` is never found",
    "process_command_line": "all scripts of one interpreter count as one program",
    "process_signature_status": "programs are told by their folder only; `unsigned` and `masquerading` are not found",
    "process_sha256": "an alert does not say how common the binary is",
    "process_guid": "what an event lacks cannot be completed from the start of its process",
    "parent_process_name": "`office_child` is never found, and an alert does not say who started the process",
    "user_name": "an alert does not say whose session it was",
    "os": "names count as on any system, and `unsigned` is never found",
}
"""Columns of connections and lookups -> what the detector cannot tell without them."""


class Kind(NamedTuple):
    """What a record was recognised as.

    Args:
        format: `native`, a mapping's id, or that nobody recognised it.
        wrapping: what it came in, outermost first.
    """

    format: str
    wrapping: tuple[str, ...] = ()


@dataclass
class Dead:
    """Records that are no events for one reason: how many, and the first of them."""

    count: int
    example: DeadLetter


@dataclass
class Survey:
    """What was found in some records; surveys of parts add up by `add`.

    Attributes:
        events: (kind, event type) -> valid events.
        dead: (kind, reason) -> dead letters.
        given: column -> connections and lookups that have a value there; of a signature's status one that is known.
        asked: connections and lookups.
        days: the first and the last day of an event (days since 1970); `None` if there is none.
        samples: the first events, each of another kind or type if there are some: normalised columns.
    """

    events: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    dead: dict[tuple[Kind, str], Dead] = field(default_factory=dict)
    given: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    days: tuple[int, int] | None = None
    samples: dict[tuple[Kind, str], dict[str, Any]] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """Records, valid or not."""
        return self.events.total() + sum(dead.count for dead in self.dead.values())

    def add(self, events: Events, kinds: Sequence[Kind], letters: Iterable[tuple[Kind, DeadLetter]]) -> None:
        """Takes in a batch.

        Args:
            events: the batch.
            kinds: of each of its rows.
            letters: what was given up before it was a row.
        """
        rejections = events.rejections()
        own = zip(rejections, events.raw.dead_letters(rejections), strict=True)
        for kind, letter in [*letters, *((kinds[rejection.row], letter) for rejection, letter in own)]:
            self._add_dead(kind, letter)
        rows = np.flatnonzero(events.valid)
        types = [EVENT_TYPES[code] for code in events.kind[rows].tolist()]
        for row, type in zip(rows.tolist(), types, strict=True):
            key = (kinds[row], type)
            self.events[key] += 1
            if key not in self.samples and len(self.samples) < MOST_SAMPLES:
                self.samples[key] = _columns_of(events, row)
        self._add_given(events, rows[~events.is_kind("process", rows)])
        if len(rows):
            days = events.time.values[rows] // 86_400_000_000
            known = self.days or (int(days[0]), int(days[0]))
            self.days = min(known[0], int(days.min())), max(known[1], int(days.max()))

    def _add_dead(self, kind: Kind, letter: DeadLetter) -> None:
        known = self.dead.setdefault((kind, letter.reason), Dead(0, letter))
        known.count += 1

    def _add_given(self, events: Events, rows: Longs) -> None:
        self.asked += len(rows)
        for name in COSTS if len(rows) else ():
            text = events.text_at(name, rows)
            known = text.present
            if name == "process_signature_status":
                known = text.lookup(lambda value: value != "unknown", False, np.bool_)
            self.given[name] += int(known.sum())


def _columns_of(events: Events, row: int) -> dict[str, Any]:
    """The normalised columns of one event that have a value; its time in µs since 1970."""
    rows = np.array([row])
    found: dict[str, Any] = {}
    for name, kind in EVENT_COLUMNS.items():
        if kind == "text":
            found[name] = events.text_at(name, rows).at(0)
        elif kind == "flag":
            found[name] = bool(events.failed_at(rows)[0]) or None
        elif name == "event_time":
            found[name] = int(events.time.values[row])
        else:
            numbers = events.numbers_at(name, rows)
            found[name] = int(numbers.values[0]) if numbers.present[0] else None
    return {name: value for name, value in found.items() if value is not None}
