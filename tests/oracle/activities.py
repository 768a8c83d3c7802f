"""Communications and activities (the detector's specification, sections 1 and 3)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from tests.oracle import catalogue, identity
from tests.oracle.catalogue import Match
from tests.oracle.command_lines import execution_of
from tests.oracle.events import Event
from tests.oracle.exceptions import is_excepted
from tests.oracle.identity import Program
from tests.oracle.options import Options
from tests.oracle.prevalence import Prevalence

DETECTOR = "uncommon-im-communication"


@dataclass(frozen=True)
class Communication:
    """A valid, outbound event whose destination is a known IM server."""

    event: Event
    match: Match
    program: Program
    reasons: tuple[str, ...]
    execution: str | None
    excepted: bool

    @property
    def key(self) -> tuple[Any, ...]:
        """What the communications of one activity share."""
        place = (self.event.tenant, self.event.host, self.program, self.match.service)
        return (*place, self.reasons, self.execution, self.excepted, self.event.hour)

    @property
    def order(self) -> tuple[int, str]:
        """The smallest of these represents the activity."""
        return self.event.time, self.event.event_id


@dataclass
class Activity:
    """All communications of one key in one hour, represented by the first, and what became of it."""

    first: Communication
    prevalence: Prevalence
    coverage: int
    matched: list[str]
    verdict: str = ""
    duplicate_of: str | None = None
    saturated: bool = False
    investigation: dict[str, Any] = field(default_factory=dict)
    reduced: Program = field(init=False)

    def __post_init__(self) -> None:
        """The program as deduplication and flood control see it."""
        program = self.first.program
        self.reduced = program._replace(script=identity.reduced_script(program.script, self.first.event.os))

    @property
    def variation(self) -> str:
        """The worst variation that holds."""
        return self.matched[0]

    @property
    def severity(self) -> int:
        """0 Informational, 1 Low."""
        return 0 if self.variation == "base" else 1

    @property
    def alert_id(self) -> str:
        """What names this activity's alert."""
        event = self.first.event
        return short_digest(
            [
                DETECTOR,
                event.tenant,
                event.host,
                *self.first.program,
                self.first.match.service,
                self.variation,
                event.hour,
            ]
        )

    @property
    def group_id(self) -> str:
        """What a roll-out or an outbreak across hosts shares."""
        event = self.first.event
        return short_digest([DETECTOR, event.tenant, *self.reduced, self.first.match.service, event.day])


def short_digest(values: list[Any]) -> str:
    """First 32 hex digits of sha256 over a JSON list."""
    document = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(document.encode()).hexdigest()[:32]


def execution_shown(event: Event, communication: Communication | None) -> str | None:
    """The execution that an event shows the organisation; what only points to its process's start shows none."""
    lacks = not event.name or "process_command_line" not in event.columns
    points = event.columns["event_type"] != "process" and "process_guid" in event.columns and lacks
    return None if points and communication is None else execution_of(event)


def destination_of(event: Event, options: Options) -> Match | None:
    """The IM server that an event would communicate with, whoever its process is; None if it is no communication."""
    kind = event.columns["event_type"]
    if kind == "process" or (event.text("direction") or "").lower() == "inbound":
        return None
    if kind == "dns" and event.columns.get("dns_status", 0) != 0:
        return None
    if event.failed:
        return None
    return catalogue.match_destination(event.text("remote_host"), event.text("remote_ip"), options.operator_ranges)


def is_nobodys(event: Event, options: Options) -> bool:
    """Whether it would be a communication if anybody knew whose process it was."""
    return not event.name and destination_of(event, options) is not None


def communication_of(event: Event, options: Options) -> Communication | None:
    """The communication that an event is, if it is one; `event` is completed from its process's start."""
    match = destination_of(event, options)
    if match is None or not event.name:
        return None
    reasons = identity.suspicion_reasons(event, match.service)
    resolver = catalogue.load().classes["resolver"].has(event.name, event.os)
    if event.columns["event_type"] == "dns" and resolver and not reasons:
        return None
    return Communication(
        event=event,
        match=match,
        program=identity.program_of(event),
        reasons=reasons,
        execution=execution_of(event),
        excepted=is_excepted(options, event, match.service),
    )


def first_communications(communications: list[Communication]) -> list[Communication]:
    """The first communication of every activity, in the order of their times."""
    firsts: dict[tuple[Any, ...], Communication] = {}
    for communication in communications:
        known = firsts.get(communication.key)
        if known is None or communication.order < known.order:
            firsts[communication.key] = communication
    return sorted(firsts.values(), key=lambda first: (first.order, first.event.host))
