"""One event at a time: from a record as the file holds it to communications and executions.

The scalar functions of `transforms.rules` say what is what, so that both pipelines mean the same by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from uncommon_im.schemas.catalogue import Catalogue, load_catalogue
from uncommon_im.schemas.event import (
    EARLIEST_US,
    EVENT_COLUMNS,
    EVENT_TYPES,
    LATEST_US,
    OPERATING_SYSTEMS,
    SIGNATURE_STATUSES,
)
from uncommon_im.transforms.rules.baseline import subjects
from uncommon_im.transforms.rules.columns.coerce import to_time
from uncommon_im.transforms.rules.columns.days import DAY_US, HOUR_US
from uncommon_im.transforms.rules.columns.text import base_name, clean_process_name, clean_remote_host, clean_text
from uncommon_im.transforms.rules.events.event_id import event_id
from uncommon_im.transforms.rules.recognition.destination import Destinations
from uncommon_im.transforms.rules.recognition.identity import Actor, Identities
from uncommon_im.transforms.rules.recognition.suspicion import Process

Event = dict[str, Any]
Subject = tuple[str, str]
"""(tenant, text of the subject)"""
_TEXTS: Final = tuple(n for n, kind in EVENT_COLUMNS.items() if kind == "text" and n not in ("process_name",))
_NUMBERS: Final = tuple(n for n, kind in EVENT_COLUMNS.items() if kind == "integer")


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue, read once a process."""
    return load_catalogue()


@cache
def destinations() -> Destinations:
    """What belongs to which service."""
    return Destinations(catalogue())


@cache
def identities() -> Identities:
    """Who communicates."""
    return Identities(catalogue())


def normalise(record: dict[str, Any]) -> Event | None:
    """The event of a record, its time in µs; `None` if the record is no event."""
    event: Event = {name: clean_text(record.get(name)) for name in _TEXTS}
    for name in _NUMBERS:
        event[name] = record.get(name)
    event["event_time"] = to_time(record.get("event_time"))
    event["event_type"] = _lower(event["event_type"])
    event["os"] = _one_of(event["os"], OPERATING_SYSTEMS, "other")
    event["process_signature_status"] = _one_of(event["process_signature_status"], SIGNATURE_STATUSES, "unknown")
    path = event["process_path"]
    event["process_name"] = clean_process_name(record.get("process_name")) or (base_name(path) if path else None)
    host, address = clean_remote_host(event["remote_host"])
    event["remote_host"] = host
    event["remote_ip"] = event["remote_ip"] or address
    return event if _is_valid(event) else None


def _is_valid(event: Event) -> bool:
    kind, time = event["event_type"] or "network", event["event_time"]
    if kind not in EVENT_TYPES or time is None or not EARLIEST_US <= time < LATEST_US:
        return False
    if not event["host_id"] or not event["process_name"]:
        return False
    return kind == "process" or bool(event["remote_host"] or event["remote_ip"])


def is_event(event: Event | None) -> bool:
    """True for what is no dead letter."""
    return event is not None


def covered_day(event: Event) -> tuple[str, int]:
    """(tenant, day) of an event."""
    return _tenant(event), event["event_time"] // DAY_US


def executions(event: Event) -> Iterator[tuple[Subject, tuple[str, int]]]:
    """((tenant, execution), (host, day)) if a scripting engine is at work."""
    fingerprint = identities().execution(_actor(event))
    if fingerprint:
        yield (_tenant(event), subjects.execution(fingerprint)), (event["host_id"], event["event_time"] // DAY_US)


def communications(event: Event) -> Iterator[dict[str, Any]]:
    """What later steps need of an event, if it is a communication."""
    kind = event["event_type"] or "network"
    if kind == "process" or (event["direction"] or "").lower() == "inbound":
        return
    if kind == "dns" and event["dns_status"] not in (None, 0):
        return
    match = destinations().match(event["remote_host"], event["remote_ip"])
    if match is None:
        return
    actor = _actor(event)
    identity = identities().identify(actor, match.service_id)
    if kind == "dns" and not identity.reasons and identities().suspicions.is_resolver(actor.process):
        return
    yield {
        "tenant": _tenant(event),
        "host": event["host_id"],
        "name": identity.name,
        "origin": identity.origin,
        "script": identity.script,
        "reduced_script": identity.reduced_script,
        "service": match.service_id,
        "reasons": identity.reasons,
        "fingerprint": identity.fingerprint,
        "subject": subjects.communication(identity, match.service_id),
        "time": event["event_time"],
        "event_id": event_id(event),
    }


def sighting(communication: dict[str, Any]) -> tuple[Subject, tuple[str, int]]:
    """((tenant, subject), (host, day)) of a communication."""
    day = communication["time"] // DAY_US
    return (communication["tenant"], communication["subject"]), (communication["host"], day)


def activity_key(communication: dict[str, Any]) -> tuple[Any, ...]:
    """What the communications of one activity share."""
    shared = ("tenant", "host", "name", "origin", "script", "service", "reasons", "fingerprint")
    return (*(communication[name] for name in shared), communication["time"] // HOUR_US)


def _tenant(event: Event) -> str:
    return event["tenant_id"] or "default"


def _actor(event: Event) -> Actor:
    process = Process(
        event["os"],
        event["process_name"],
        event["process_path"],
        event["process_signature_status"],
        event["process_signer"],
        event["parent_process_name"],
    )
    return Actor(
        process,
        event["process_command_line"],
        event["causality_process_name"],
        event["causality_process_command_line"],
    )


def _lower(text: str | None) -> str | None:
    return text.lower() if text else None


def _one_of(text: str | None, known: tuple[str, ...], otherwise: str) -> str | None:
    lowered = _lower(text)
    return lowered if lowered is None or lowered in known else otherwise
