"""The three questions of an alert's guidance (the detector's specification, first page and sections 5 and 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle import catalogue
from tests.oracle.activities import Communication
from tests.oracle.events import EPOCH, Event, base_name
from tests.oracle.identity import signer_names
from tests.oracle.options import Options
from tests.oracle.prevalence import Baseline, Prevalence, iso_day

NO_HOST = ""
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def subjects_of(item: Communication, options: Options) -> dict[str, tuple[Any, ...] | None]:
    """What a communication shows, by kind; None if its event does not name it."""
    event = item.event
    parent = base_name(event.text("parent_process_name") or "").lower()
    image = event.text("process_sha256")
    return {
        "communication": ("communication", item.program, item.match.service),
        "parentage": ("parentage", parent, item.program) if parent else None,
        "binary": ("binary", image.lower()) if image else None,
        "service": ("service", item.match.service),
        "hour_of_day": ("hour of day", item.match.service, local(event, options).hour),
    }


def sightings_of(item: Communication, options: Options) -> Iterator[tuple[tuple[Any, ...], str]]:
    """(subject, who showed it) of a communication; when a service is used, nobody in particular shows."""
    for kind, subject in subjects_of(item, options).items():
        if subject is not None:
            yield subject, NO_HOST if kind == "hour_of_day" else item.event.host


def local(event: Event, options: Options) -> Any:
    """The event's time on the clocks of the run's zone."""
    return (EPOCH + timedelta(microseconds=event.time)).astimezone(ZoneInfo(options.time_zone))


def investigate(item: Communication, baseline: Baseline, coverage: int, options: Options) -> dict[str, Any]:
    """All figures of the investigation; of words only that there are some."""
    event, guard = item.event, options.guard_days if item.reasons else 0
    shown = {
        kind: None if subject is None else baseline.prevalence(event.tenant, subject, event.host, event.day, guard)
        for kind, subject in subjects_of(item, options).items()
    }
    application = {"program": all_figures(shown["communication"], options), **who_made_it(event, item.match.service)}
    application |= {"binary": all_figures(shown["binary"], options), "reasons": len(item.reasons), "execution": None}
    if item.execution is not None:
        ran = baseline.prevalence(event.tenant, ("execution", item.execution), event.host, event.day, guard=0)
        limits = replace(options, max_other_hosts=options.execution_max_other_hosts)
        application["execution"] = all_figures(ran, limits)
    parent = {
        "name": event.text("parent_process_name"),
        "causality": event.text("causality_process_name"),
        "parentage": all_figures(shown["parentage"], options),
        "chain": chain(event),
    }
    when = local(event, options)
    time = {
        "hour_utc": event.hour % 24,
        "time_zone": options.time_zone,
        "local_time": when.isoformat(timespec="seconds"),
        "hour": when.hour,
        "weekday": DAY_NAMES[when.weekday()],
        "weekend": DAY_NAMES[when.weekday()] in ("Saturday", "Sunday"),
        "service_at_this_hour": days(shown["hour_of_day"]),
        "covered_days": coverage,
        "window_days": options.training_days,
    }
    return {
        "application": application,
        "parent": parent,
        "time": time,
        "service": all_figures(shown["service"], options),
        "missing": missing(event, shown, coverage, options),
    }


def missing(event: Event, shown: dict[str, Prevalence | None], coverage: int, options: Options) -> list[str]:
    """What the event does not say, or the window does not hold."""
    status = event.text("process_signature_status")
    absent = {
        "application.signature_status": status in (None, "unknown"),
        "application.signer": event.text("process_signer") is None and status != "unsigned",
        "application.binary": shown["binary"] is None,
        "parent.parentage": shown["parentage"] is None,
        "parent.causality": event.text("causality_process_name") is None,
        "time.covered_days": coverage != options.training_days,
    }
    return sorted(what for what, holds in absent.items() if holds)


def who_made_it(event: Event, service: str) -> dict[str, Any]:
    """The signature, and whose client the program is: by name, unless its signature says that it is not."""
    status, signer = event.text("process_signature_status"), event.text("process_signer")
    known: dict[str, str] = {}
    makers = catalogue.load().clients[service].publishers
    for name, client in catalogue.load().clients.items():
        if not client.has(event.name, event.os):
            continue
        publishers = client.publishers
        theirs = bool(signer and signer_names(signer) & publishers)
        if signer and publishers and not theirs:
            continue
        if event.os in ("windows", "macos") and status in ("unsigned", "invalid"):
            continue
        known[name] = "signature" if theirs and status == "signed" else "name"
    client_of = service if service in known else next(iter(known), None)
    return {
        "signer": signer,
        "signature_status": status,
        "own_client": service in known,
        "own_publisher": status == "signed"
        and bool(signer and signer_names(signer) & makers)
        and known.get(service) != "signature",
        "client_of": client_of,
        "client_known_by": None if client_of is None else known[client_of],
    }


def chain(event: Event) -> list[str]:
    """Causality owner, parent, process; a name that comes again is left out where it came first."""
    columns = ("causality_process_name", "parent_process_name", "process_name")
    names = [base_name(event.text(column) or "") for column in columns]
    return [
        name
        for place, name in enumerate(names)
        if name and name.lower() not in [later.lower() for later in names[place + 1 :]]
    ]


def all_figures(shown: Prevalence | None, options: Options) -> dict[str, Any] | None:
    """All that is counted of a subject."""
    if shown is None:
        return None
    hosts = {"other_hosts": min(shown.other_hosts, options.max_other_hosts + 1), "host_days": shown.host_days}
    return hosts | (days(shown) or {})


def days(shown: Prevalence | None) -> dict[str, Any] | None:
    """The days on which anybody showed a subject."""
    if shown is None:
        return None
    return {
        "active_days": shown.active_days,
        "first_day": None if shown.first_day is None else iso_day(shown.first_day),
        "last_day": None if shown.last_day is None else iso_day(shown.last_day),
    }
