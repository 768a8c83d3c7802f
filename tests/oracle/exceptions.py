"""The user's exceptions (the detector's specification, section 7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from tests.oracle import identity
from tests.oracle.events import Event
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


def value_of(criterion: str, event: Event, service: str) -> str | None:
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


def is_excepted(entries: Iterable[dict[str, Any]], event: Event, service: str) -> bool:
    """Whether any exception matches this event."""
    return any(matches(entry, event, service) for entry in entries)
