"""Whose process it is: events completed from the start of their process (the detector's specification, section 2a)."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.oracle.activities import destination_of
from tests.oracle.events import Event
from tests.oracle.options import Options

DAY = 86_400_000_000
COLUMNS = (
    "process_name", "process_path", "process_command_line", "process_sha256", "process_pid", "user_name", "os",
    "parent_process_name", "parent_process_command_line", "causality_process_name", "causality_process_command_line",
)  # fmt: skip
"""What a start says of its process, each column by itself."""
STATUS, SIGNER = "process_signature_status", "process_signer"
ALWAYS = 0
"""The instant from which everything counts that does not arrive in a stream."""


def is_start(event: Event) -> bool:
    """Whether it describes an instance."""
    return event.columns["event_type"] == "process" and "process_guid" in event.columns


def instance_of(event: Event) -> Hashable:
    """The process that a start describes, or that an event points to."""
    return event.tenant, event.host, event.text("process_guid")


def may_be_completed(event: Event, options: Options) -> bool:
    """Whether it points to a process and would be a communication but for it."""
    return "process_guid" in event.columns and destination_of(event, options) is not None


def in_reach(start: int, event: int, options: Options) -> bool:
    """Whether a start of one time (µs) may describe the process of an event of another."""
    return 0 <= event - start <= options.process_lookback_days * DAY


def newest_first(start: Event) -> Any:
    """The smallest of these is the start that is read."""
    return -start.time, start.event_id, start.document


def taken(event: Event, start: Event) -> dict[str, Any]:
    """What the event lacks and the start has; a status that is known comes with its signer, or with none."""
    found = {name: start.columns[name] for name in COLUMNS if name in start.columns and name not in event.columns}
    if not signature_known(event) and signature_known(start):
        found |= {STATUS: start.columns[STATUS], SIGNER: start.text(SIGNER)}
    return found


def signature_known(event: Event) -> bool:
    """Whether it says how its process is signed."""
    return event.columns.get(STATUS, "unknown") != "unknown"


@dataclass(frozen=True)
class Join:
    """How events find their process's start. The defaults are the specification's; tests put faults in their place."""

    instance: Callable[[Event], Hashable] = instance_of
    may_be_completed: Callable[[Event, Options], bool] = may_be_completed
    in_reach: Callable[[int, int, Options], bool] = in_reach
    counts: Callable[[int, int], bool] = operator.le
    """Whether a start of one instant (ms) counts for an event of another."""
    order: Callable[[Event], Any] = newest_first
    read: int | None = 1
    """How many of the starts in that order are read; None reads all."""
    taken: Callable[[Event, Event], dict[str, Any]] = taken


JOIN = Join()


@dataclass
class Instances:
    """The starts of processes, by instance, each with the instant (ms) from which it counts.

    Args:
        options: of the detector.
        join: how events find their process's start.
        kept: how much older than an event's instant (µs) a start may be, in a stream; None: of any age.
    """

    options: Options
    join: Join = JOIN
    kept: int | None = None
    starts: dict[Hashable, list[tuple[Event, int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, event: Event, instant: int = ALWAYS) -> None:
        """Keeps an event if it is a start."""
        if is_start(event):
            self.starts[self.join.instance(event)].append((event, instant))

    def complete(self, event: Event, instant: int = ALWAYS) -> Event:
        """The event with what its process's start says that it does not say itself."""
        if not self.options.process_lookback_days or not self.join.may_be_completed(event, self.options):
            return event
        found = [
            start
            for start, since in self.starts[self.join.instance(event)]
            if self.join.in_reach(start.time, event.time, self.options) and self.join.counts(since, instant)
            if self.kept is None or instant * 1000 - start.time <= self.kept
        ]
        for start in sorted(found, key=self.join.order)[: self.join.read]:
            event = filled(event, start, self.join.taken(event, start))
        return event


def completed(events: Sequence[Event], options: Options, join: Join = JOIN) -> list[Event]:
    """Events that all are there, each completed from the others."""
    instances = Instances(options, join)
    for event in events:
        instances.add(event)
    return [instances.complete(event) for event in events]


def filled(event: Event, start: Event, columns: dict[str, Any]) -> Event:
    """The event with columns from a start; None takes one away."""
    if not columns:
        return event
    merged = {name: value for name, value in (event.columns | columns).items() if value is not None}
    return replace(event, columns=merged, completed_from=start)
