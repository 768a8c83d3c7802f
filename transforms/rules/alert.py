"""What an alert says (specification, section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from schemas.catalogue import Catalogue
from schemas.detector import DETECTOR_VERSION, Detector
from transforms.rules import ids
from transforms.rules.activities import event_id
from transforms.rules.days import day_of, rfc3339
from transforms.rules.destination import MATCHED_BY
from transforms.rules.suspicion import Suspicions

Alert = dict[str, Any]

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


@dataclass(frozen=True)
class Rareness:
    """The figures of one activity: prevalence by kind of subject, and coverage in days."""

    communication: Mapping[str, int]
    execution: Mapping[str, int] | None
    parentage: Mapping[str, int] | None
    binary: Mapping[str, int] | None
    coverage_days: int


@dataclass(frozen=True)
class AlertWriter:
    """Writes alerts of one run.

    Args:
        detector: the card.
        catalogue: names of services, and who their own clients are.
        run_id: names the run.
        config_digest: of limits, catalogue and identity rules.
        as_of: date of the snapshot that the run started from, RFC 3339; `None` without one.
    """

    detector: Detector
    catalogue: Catalogue
    run_id: str
    config_digest: str
    as_of: str | None = None

    def write(self, activity: Mapping[str, Any], variations: tuple[str, ...], rareness: Rareness) -> Alert:
        """The alert of an activity; flood control may still set `group_saturated`.

        Args:
            activity: a row of `ACTIVITY_SCHEMA`.
            variations: all that hold, the deciding one first.
            rareness: its figures.
        """
        card = self.detector.variation(variations[0])
        service = self.catalogue.services_by_id[activity["service"]]
        day = activity["hour"] // 24
        name, origin, reduced = activity["program"], activity["origin"], activity["reduced_script"]
        reasons = activity["reasons"].split(",") if activity["reasons"] else []
        return {
            "alert_id": self.alert_id(activity, variations[0]),
            "group_id": ids.group_id(self.detector.id, activity["tenant"], (name, origin, reduced), service.id, day),
            "detector_id": self.detector.id,
            "detector_version": DETECTOR_VERSION,
            "tenant_id": activity["tenant"],
            "title": card.title,
            "description": self._description(activity, service.name, rareness, reasons),
            "severity": card.severity,
            "variation": card.id,
            "matched_variations": list(variations),
            "timestamp": rfc3339(activity["event_time"]),
            **_who(activity),
            "service": {"id": service.id, "name": service.name, "category": service.category},
            "destination": {
                "host": activity["remote_host"],
                "ip": activity["remote_ip"],
                "port": activity["remote_port"],
                "attribution": activity["attribution"],
                "matched": activity["matched"],
            },
            "baseline": self._baseline(day, rareness),
            "suspicion_reasons": reasons,
            "investigation": self._investigation(activity, rareness),
            "attack": {
                "tactic": {"id": self.detector.tactic_id, "name": self.detector.tactic},
                "technique": {"id": self.detector.technique_id, "name": self.detector.technique},
            },
            "activity": {
                "events": activity["events"],
                "bytes_sent": activity["total_sent"],
                "bytes_received": activity["total_received"],
            },
            "config_digest": self.config_digest,
            "run_id": self.run_id,
            "group_saturated": False,
            "late": False,
            "event_id": event_id(activity),
        }

    def alert_id(self, activity: Mapping[str, Any], variation: str) -> str:
        """The id of an activity's alert."""
        program = (activity["program"], activity["origin"], activity["script"])
        tenant, host, service = activity["tenant"], activity["host"], activity["service"]
        return ids.alert_id(self.detector.id, tenant, host, program, service, variation, activity["hour"])

    def _baseline(self, day: int, rareness: Rareness) -> dict[str, Any]:
        limits = self.detector.limits
        return {
            "window_start": str(day_of(day - limits.training_days)),
            "window_end": str(day_of(day - 1)),
            "coverage_days": rareness.coverage_days,
            "guard_days": limits.guard_days,
            **(_figures(rareness.communication) or {}),
            "as_of": self.as_of,
        }

    def _description(self, activity: Mapping[str, Any], service: str, rareness: Rareness, reasons: list[str]) -> str:
        figures, window = rareness.communication, self.detector.limits.training_days
        who = activity["process_name"]
        if activity["script"]:
            who += f" ({activity['script'].partition('|')[2]})"
        where = activity["host_name"] or activity["host"]
        what = activity["remote_host"] or activity["remote_ip"]
        hosts = _counted(figures["other_hosts"], "other host", self.detector.limits.max_other_hosts)
        text = (
            f"{who} on {where} communicated with {service} ({what}, known by {MATCHED_BY[activity['attribution']]}). "
            f"In the {window} days before, this program was seen talking to {service} on {hosts} "
            f"and, on this host, on {_counted(figures['host_days'], 'day')}."
        )
        if reasons:
            text += f" It is suspicious because {', and '.join(REASONS_IN_WORDS[r] for r in reasons)}."
        if rareness.execution:
            run = _counted(
                rareness.execution["other_hosts"], "other host", self.detector.limits.execution_max_other_hosts
            )
            text += f" What its scripting engine runs was seen on {run}."
        return text

    @cached_property
    def _suspicions(self) -> Suspicions:
        return Suspicions(self.catalogue)

    def _investigation(self, activity: Mapping[str, Any], rareness: Rareness) -> dict[str, Any]:
        client = self._suspicions.client_of(activity["process_name"], activity["process_signer"], activity["os"])
        return {
            "application": {
                "signer": activity["process_signer"],
                "own_client": client == activity["service"],
                "program": _figures(rareness.communication),
                "binary": _figures(rareness.binary),
            },
            "parent": {
                "name": activity["parent_process_name"],
                "causality": activity["causality_process_name"],
                "parentage": _figures(rareness.parentage),
            },
            "time": {"hour_utc": activity["hour"] % 24, "weekday": day_of(activity["hour"] // 24).strftime("%A")},
        }


def _who(activity: Mapping[str, Any]) -> dict[str, Any]:
    fingerprint = activity["fingerprint"]
    return {
        "host": {"id": activity["host"], "name": activity["host_name"], "os": activity["os"]},
        "user_name": activity["user_name"],
        "process": {
            "name": activity["process_name"],
            "path": activity["process_path"],
            "command_line": activity["process_command_line"],
            "sha256": activity["process_sha256"],
            "pid": activity["process_pid"],
            "signature_status": activity["process_signature_status"],
            "signer": activity["process_signer"],
            "origin": activity["origin"],
            "script": activity["script"],
        },
        "execution": fingerprint and {"engine": fingerprint.partition("|")[0], "fingerprint": fingerprint},
        "parent": {
            "name": activity["parent_process_name"],
            "command_line": activity["parent_process_command_line"],
        },
        "causality": {
            "name": activity["causality_process_name"],
            "command_line": activity["causality_process_command_line"],
        },
    }


def _figures(prevalence: Mapping[str, int] | None) -> dict[str, Any] | None:
    """Prevalence as an alert writes it; `None`: the event did not name the subject, so nothing is known."""
    if prevalence is None:
        return None
    return {
        **{name: prevalence[name] for name in ("other_hosts", "host_days", "active_days")},
        **{name: _written(prevalence[name]) if prevalence[name] >= 0 else None for name in ("first_day", "last_day")},
    }


@lru_cache(1 << 12)
def _written(day: int) -> str:
    return str(day_of(day))


def _counted(number: int, noun: str, maximum: int | None = None) -> str:
    """ "no other hosts", "1 other host", "more than 3 other hosts"."""
    if maximum is not None and number > maximum:
        return f"more than {maximum} {noun}s"
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
