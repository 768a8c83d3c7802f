"""What the queries beside an alert ask about: its host, process, destination and time (specification, section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

AROUND: Final = timedelta(minutes=30)
"""How long before and after the first event is of interest."""


@dataclass(frozen=True)
class QuerySubject:
    """What the queries need of an alert. None of it is a command line, because these hold secrets.

    Args:
        first: first day of the window of the alert's baseline.
        end: the day after the alert's.
        moment: of the first event.
        host_id: stable id of the host's agent.
        host_name: its name, else its id.
        process_name: base name of the image.
        pid: of the process; `None` if it is not known.
        sha256: of the image; `None` if it is not known.
        domain: the catalogue's domain that the destination matched; `None`: an address range did.
        address_range: that range, as CIDR; `None`: a domain did.
        time_zone: in which hours of the day are counted.
    """

    first: date
    end: date
    moment: datetime
    host_id: str
    host_name: str
    process_name: str
    pid: int | None
    sha256: str | None
    domain: str | None
    address_range: str | None
    time_zone: str

    @classmethod
    def of(cls, alert: Mapping[str, Any]) -> QuerySubject:
        """What the queries of an alert ask about."""
        host, process, destination = alert["host"], alert["process"], alert["destination"]
        matched, by_domain = destination["matched"], destination["attribution"] == "domain"
        return cls(
            first=date.fromisoformat(alert["baseline"]["window_start"]),
            end=date.fromisoformat(alert["baseline"]["window_end"]) + timedelta(days=2),
            moment=datetime.fromisoformat(alert["timestamp"]).astimezone(UTC),
            host_id=host["id"],
            host_name=host["name"] or host["id"],
            process_name=process["name"],
            pid=process["pid"],
            sha256=process["sha256"],
            domain=matched if by_domain else None,
            address_range=None if by_domain else matched,
            time_zone=alert["investigation"]["time"]["time_zone"],
        )
