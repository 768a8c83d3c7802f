"""The three questions of an alert's guidance, answered with figures (specification, first page and section 8).

Is the application legitimate? What is its parent process? Is the time of the communication unusual? All figures are
prevalence in the window before the day (section 5). What counts as *seen* depends on the subject:

- a program: it communicated with the alert's service
- an image, or a parent with its program: it communicated with any known service
- the code of a scripting engine: it ran
- a service: any program communicated with it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.schemas.event import PROCESS_GUID
from uncommon_im.transforms.rules.alerts.figures import ActivityFigures, day_figures, subject_figures
from uncommon_im.transforms.rules.columns.local_time import local_moment
from uncommon_im.transforms.rules.columns.text import base_name
from uncommon_im.transforms.rules.recognition.suspicion import Process, Suspicions

REASONS_IN_WORDS: Final = {
    "unsigned": "it has no valid signature",
    "lolbin-network": "it is a system tool that can fetch or run remote code",
    "gtfobin-network": "it is a Unix tool that can upload or download files",
    "transfer-tool": "it is a file transfer tool",
    "office": "it is an Office program",
    "pdf-reader": "it is a PDF reader",
    "shell": "it is a shell",
    "untrusted_path": "it runs from a folder where programs do not belong",
    "masquerading": "it has the name of a known program but not its publisher or folder",
    "double_extension": "its name hides a program behind the extension of another kind of file",
    "office_child": "it was started by an Office program, mail client or PDF reader",
}
"""Reason of suspicion (section 4) -> a clause about the process."""
_SATURDAY: Final = 5


@dataclass(frozen=True)
class Investigator:
    """Answers the three questions about the activities of one run.

    Args:
        catalogue: which programs are the services' own clients.
        training_days: days of the window.
        process_lookback: days before an event in which the start of its process was looked for.
        time_zone: in which hours of the day are counted (IANA name).
    """

    catalogue: Catalogue
    training_days: int
    process_lookback: int
    time_zone: str

    def investigate(self, activity: Mapping[str, Any], figures: ActivityFigures) -> dict[str, Any]:
        """The `investigation` of an alert.

        What is not known is null. `missing` lists each such field, and says why it is null or says less than it could.

        Args:
            activity: a row of `ACTIVITY_SCHEMA`.
            figures: how rare it is.
        """
        return {
            "application": self._application(activity, figures),
            "parent": {
                "name": activity["parent_process_name"],
                "causality": activity["causality_process_name"],
                "parentage": figures.parentage and subject_figures(figures.parentage),
                "chain": causality_chain(activity),
            },
            "time": self._time(activity, figures),
            "service": figures.service_use and subject_figures(figures.service_use),
            "missing": [{"what": what, "why": why} for what, why in self._missing(activity, figures)],
        }

    def _application(self, activity: Mapping[str, Any], figures: ActivityFigures) -> dict[str, Any]:
        status, signer = activity["process_signature_status"], activity["process_signer"]
        name, path = activity["process_name"], activity["process_path"]
        process = Process(activity["os"], name, path, status, signer)
        clients = self._suspicions.clients(process)
        own = activity["service"] in clients
        client_of = activity["service"] if own else next(iter(clients), None)
        return {
            "signer": signer,
            "own_client": own,
            "own_publisher": not own and self._suspicions.is_of_publisher(process, activity["service"]),
            "program": subject_figures(figures.communication),
            "binary": figures.binary and subject_figures(figures.binary),
            "signature_status": status,
            "client_of": client_of,
            "client_known_by": clients.get(client_of or ""),
            "reasons": [REASONS_IN_WORDS[reason] for reason in reasons_of(activity)],
            "execution": figures.execution and subject_figures(figures.execution),
        }

    def _time(self, activity: Mapping[str, Any], figures: ActivityFigures) -> dict[str, Any]:
        local = local_moment(activity["event_time"], self.time_zone)
        return {
            "hour_utc": activity["hour"] % 24,
            "weekday": local.strftime("%A"),
            "time_zone": self.time_zone,
            "local_time": local.isoformat(timespec="seconds"),
            "hour": local.hour,
            "weekend": local.weekday() >= _SATURDAY,
            "service_at_this_hour": figures.hour_of_day and day_figures(figures.hour_of_day),
            "covered_days": figures.coverage_days,
            "window_days": self.training_days,
        }

    def _missing(self, activity: Mapping[str, Any], figures: ActivityFigures) -> Iterator[tuple[str, str]]:
        """(field of the investigation, why it is missing or says less than it could)."""
        for field, what in _unreported(activity, figures):
            yield field, self._unknown(activity, what)
        if figures.hour_of_day is None:
            yield "time.service_at_this_hour", "the stream had not yet learned hours of the day when the activity began"
        if figures.service_use is None:
            yield "service", "the stream had not yet learned who uses a service when the activity began"
        if figures.coverage_days < self.training_days:
            days = f"{figures.coverage_days} of the {self.training_days} days of the window"
            yield "time.covered_days", f"only {days} have telemetry, and all figures count only these"

    def _unknown(self, activity: Mapping[str, Any], what: str) -> str:
        """Why nobody knows something of the process: the event does not say it, nor does the start of its process."""
        days = f"{self.process_lookback} day{'s' * (self.process_lookback != 1)}"
        if activity["start_time"] is not None:
            return f"neither the event nor the start of its process reports {what}"
        if not self.process_lookback:
            return f"the event does not report {what}; starts of processes are not looked up (--process-lookback 0)"
        if activity[PROCESS_GUID] is None:
            return f"the event does not report {what}, nor a process_guid by which the start of its process is found"
        return (
            f"the event does not report {what}; no start of its process is known from the {days} before: it started "
            "earlier, or before the sensor was installed, or its start was lost"
        )

    @cached_property
    def _suspicions(self) -> Suspicions:
        return Suspicions(self.catalogue)


def _unreported(activity: Mapping[str, Any], figures: ActivityFigures) -> Iterator[tuple[str, str]]:
    """(field of the investigation, what it takes) of what is not known of the process."""
    status = activity["process_signature_status"]
    if status in (None, "unknown"):
        yield "application.signature_status", "whether the image is signed"
    if activity["process_signer"] is None and status != "unsigned":
        yield "application.signer", "a signer"
    if figures.binary is None:
        yield "application.binary", "the SHA-256 of the image"
    if figures.parentage is None:
        yield "parent.parentage", "the parent process"
    if activity["causality_process_name"] is None:
        yield "parent.causality", "the owner of the causality group"


def own_client_known_by(investigation: Mapping[str, Any]) -> str | None:
    """`signature` or `name`: by what the process is known as the service's own client; `None`: it is not."""
    application = investigation["application"]
    return application["client_known_by"] if application["own_client"] else None


def reasons_of(activity: Mapping[str, Any]) -> list[str]:
    """The reasons of suspicion of an activity, sorted."""
    return activity["reasons"].split(",") if activity["reasons"] else []


def causality_chain(activity: Mapping[str, Any]) -> list[str]:
    """Base names of causality owner, parent and process, as far as they are known.

    A name that occurs twice is kept only at its last place.

    >>> names = {"causality_process_name": "cmd.exe", "parent_process_name": "CMD.EXE", "process_name": "curl.exe"}
    >>> causality_chain(names)
    ['CMD.EXE', 'curl.exe']
    """
    named = (activity[name] for name in ("process_name", "parent_process_name", "causality_process_name"))
    backwards: dict[str, str] = {}
    for name in filter(None, (base_name(name) for name in named if name)):
        backwards.setdefault(name.lower(), name)
    return list(reversed(backwards.values()))
