"""The three questions of an alert's guidance, answered with figures (specification, first page and section 8).

Is the application legitimate? What is its parent process? Is the time of the communication unusual? All figures are
prevalence in the window before the day (section 5). That a program was *seen* means here that it communicated with the
alert's service; that an image, or a parent with its program, was seen: that it communicated with any known service;
that what a scripting engine runs was seen: that it ran.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.transforms.rules.baseline.rareness import Rareness, days_shown, figures
from uncommon_im.transforms.rules.columns.local_time import local_moment
from uncommon_im.transforms.rules.columns.text import base_name
from uncommon_im.transforms.rules.recognition.suspicion import Process, Suspicions

REASONS_IN_WORDS: Final = {
    "unsigned": "it is not signed",
    "lolbin-network": "it is a system tool that can fetch or run remote code for somebody else",
    "gtfobin-network": "it is a Unix tool that can upload or download",
    "transfer-tool": "it is a transfer tool",
    "office": "it is an Office program",
    "pdf-reader": "it is a PDF reader",
    "shell": "it is a shell",
    "untrusted_path": "it runs from a folder where programs do not belong",
    "masquerading": "it bears the name of a known program but not its signature or place",
    "double_extension": "its name hides an executable behind a document's extension",
    "office_child": "an Office program, mail client or PDF reader started it",
}
_SATURDAY: Final = 5


@dataclass(frozen=True)
class Investigator:
    """Answers the questions about the activities of one run.

    Args:
        catalogue: who the services' own clients are.
        training_days: days of the window.
        time_zone: in which hours of the day are counted.
    """

    catalogue: Catalogue
    training_days: int
    time_zone: str

    def investigate(self, activity: Mapping[str, Any], reasons: list[str], rareness: Rareness) -> dict[str, Any]:
        """The `investigation` of an alert.

        What the event does not say, or nobody has learned, is null, and `missing` says of each what it is and why.

        Args:
            activity: a row of `ACTIVITY_SCHEMA`.
            reasons: of suspicion.
            rareness: its figures.
        """
        return {
            "application": self._application(activity, reasons, rareness),
            "parent": {
                "name": activity["parent_process_name"],
                "causality": activity["causality_process_name"],
                "parentage": rareness.parentage and figures(rareness.parentage),
                "chain": causality_chain(activity),
            },
            "time": self._time(activity, rareness),
            "missing": [{"what": what, "why": why} for what, why in self._missing(activity, rareness)],
        }

    def _application(self, activity: Mapping[str, Any], reasons: list[str], rareness: Rareness) -> dict[str, Any]:
        status, signer = activity["process_signature_status"], activity["process_signer"]
        name, path = activity["process_name"], activity["process_path"]
        clients = self._suspicions.clients(Process(activity["os"], name, path, status, signer))
        own = activity["service"] in clients
        client_of = activity["service"] if own else next(iter(clients), None)
        return {
            "signer": signer,
            "own_client": own,
            "program": figures(rareness.communication),
            "binary": rareness.binary and figures(rareness.binary),
            "signature_status": status,
            "client_of": client_of,
            "client_known_by": clients.get(client_of or ""),
            "reasons": [REASONS_IN_WORDS[reason] for reason in reasons],
            "execution": rareness.execution and figures(rareness.execution),
        }

    def _time(self, activity: Mapping[str, Any], rareness: Rareness) -> dict[str, Any]:
        local = local_moment(activity["event_time"], self.time_zone)
        return {
            "hour_utc": activity["hour"] % 24,
            "weekday": local.strftime("%A"),
            "time_zone": self.time_zone,
            "local_time": local.isoformat(timespec="seconds"),
            "hour": local.hour,
            "weekend": local.weekday() >= _SATURDAY,
            "service_at_this_hour": rareness.hour_of_day and days_shown(rareness.hour_of_day),
            "covered_days": rareness.coverage_days,
            "window_days": self.training_days,
        }

    def _missing(self, activity: Mapping[str, Any], rareness: Rareness) -> Iterator[tuple[str, str]]:
        """(field of the investigation, why it is missing or says less than it could)."""
        status = activity["process_signature_status"]
        if status in (None, "unknown"):
            yield "application.signature_status", "the event does not say whether the image is signed"
        if activity["process_signer"] is None and status != "unsigned":
            yield "application.signer", "the event names no signer"
        if rareness.binary is None:
            yield "application.binary", "the event has no sha256 of the image"
        if rareness.parentage is None:
            yield "parent.parentage", "the event names no parent process"
        if activity["causality_process_name"] is None:
            yield "parent.causality", "the event names no owner of the causality group"
        if rareness.hour_of_day is None:
            yield "time.service_at_this_hour", "the activity began before hours of the day were learned"
        if rareness.coverage_days < self.training_days:
            telemetry = f"telemetry came on {rareness.coverage_days} of the {self.training_days} days of the window"
            yield "time.covered_days", f"{telemetry}: all figures are those of these days"

    @cached_property
    def _suspicions(self) -> Suspicions:
        return Suspicions(self.catalogue)


def causality_chain(activity: Mapping[str, Any]) -> list[str]:
    """Causality owner, parent, process, as far as they are known, by base name; who occurs again counts where last.

    >>> names = {"causality_process_name": "cmd.exe", "parent_process_name": "CMD.EXE", "process_name": "curl.exe"}
    >>> causality_chain(names)
    ['CMD.EXE', 'curl.exe']
    """
    named = (activity[name] for name in ("process_name", "parent_process_name", "causality_process_name"))
    backwards: dict[str, str] = {}
    for name in filter(None, (base_name(name) for name in named if name)):
        backwards.setdefault(name.lower(), name)
    return list(reversed(backwards.values()))
