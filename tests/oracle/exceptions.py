"""The user's exceptions and the analysts' decisions (the detector's specification, section 7)."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from tests.oracle import identity
from tests.oracle.events import Event
from tests.oracle.options import Options
from tests.oracle.prevalence import iso_day

COLUMNS = {
    "process_name": "process_name",
    "signer": "process_signer",
    "host_id": "host_id",
    "user_name": "user_name",
    "process_path": "process_path",
    "parent_process_name": "parent_process_name",
    "remote_host": "remote_host",
}
CRITERIA = {*COLUMNS, "origin", "service_id"}


def value_of(criterion: str, event: Event, service: str | None) -> str | None:
    """The normalised value that a criterion looks at."""
    if criterion == "origin":
        return identity.origin_of(event)
    return service if criterion == "service_id" else event.text(COLUMNS[criterion])


def matches(entry: dict[str, Any], event: Event, service: str) -> bool:
    """All criteria that are given must match; a missing value matches nothing."""
    expires = entry.get("expires")
    if expires is not None:
        last = expires.isoformat() if isinstance(expires, date) else str(expires)
        if iso_day(event.day) > last:
            return False
    given = [criterion for criterion in entry if criterion in CRITERIA]
    if not given:
        raise ValueError(f"an exception without criteria: {entry}")
    for criterion in given:
        value = value_of(criterion, event, service)
        if value is None or not fnmatchcase(value.lower(), str(entry[criterion]).lower()):
            return False
    return True


def decides(entry: dict[str, Any], event: Event, service: str | None) -> bool:
    """Whether a decision is about this event: service and host are meant as they are, and days as they are given."""
    day = iso_day(event.day)
    if not str(entry.get("from") or "") <= day <= str(entry.get("until") or "9999"):
        return False
    for criterion in CRITERIA.intersection(entry):
        value, wanted = value_of(criterion, event, service), str(entry[criterion]).lower()
        if value is None:
            return False
        literal = criterion in ("service_id", "host_id")
        if not (value.lower() == wanted if literal else fnmatchcase(value.lower(), wanted)):
            return False
    return True


def is_excepted(options: Options, event: Event, service: str) -> bool:
    """Whether any exception matches this event, or it was called benign."""
    if any(matches(entry, event, service) for entry in options.exceptions):
        return True
    benign = [entry for entry in options.dispositions if entry["disposition"] == "benign"]
    return any(decides(entry, event, service) for entry in benign)


def is_malicious(options: Options, event: Event, service: str | None) -> bool:
    """Whether it was called malicious; an event that is no communication has no service."""
    malicious = [entry for entry in options.dispositions if entry["disposition"] == "malicious"]
    return any(decides(entry, event, service) for entry in malicious)
