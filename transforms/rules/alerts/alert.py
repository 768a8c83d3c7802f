"""What an alert says (specification, section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.schemas.detector import DETECTOR_VERSION, Detector
from uncommon_im.transforms.rules.activities.host_names import NO_NAMES, HostNames
from uncommon_im.transforms.rules.alerts import ids
from uncommon_im.transforms.rules.alerts.attack import attack_of
from uncommon_im.transforms.rules.alerts.description import describe
from uncommon_im.transforms.rules.alerts.figures import ActivityFigures, subject_figures
from uncommon_im.transforms.rules.alerts.investigation import Investigator, own_client_known_by, reasons_of
from uncommon_im.transforms.rules.alerts.priority import prioritised
from uncommon_im.transforms.rules.columns.days import day_of, rfc3339
from uncommon_im.transforms.rules.columns.local_time import UTC_ZONE
from uncommon_im.transforms.rules.events.event_id import event_id

Alert = dict[str, Any]


@dataclass(frozen=True)
class AlertWriter:
    """Writes the alerts of one run.

    Args:
        detector: the card.
        catalogue: names of services, and which programs are their own clients.
        run_id: names the run.
        config_digest: of limits, catalogue and identity rules.
        as_of: date of the snapshot that the run started from, RFC 3339; `None` without one.
        time_zone: in which hours of the day are counted (IANA name).
        host_names: of hosts whose events do not tell their names.
    """

    detector: Detector
    catalogue: Catalogue
    run_id: str
    config_digest: str
    as_of: str | None = None
    time_zone: str = UTC_ZONE
    host_names: HostNames = NO_NAMES

    def write(self, activity: Mapping[str, Any], variations: tuple[str, ...], figures: ActivityFigures) -> Alert:
        """The alert of an activity, with its priority.

        Flood control sets `group_saturated`, and writes the `steps` of the alerts that it raises.

        Args:
            activity: a row of `ACTIVITY_SCHEMA`.
            variations: all that hold, the deciding one first.
            figures: how rare it is.
        """
        alert = self._without_points(activity, variations, figures)
        return alert | prioritised(alert, self.detector, self.catalogue)

    def _without_points(
        self, activity: Mapping[str, Any], variations: tuple[str, ...], figures: ActivityFigures
    ) -> Alert:
        held = [self.detector.variation(id) for id in variations]
        variation, investigation = held[0], self._investigator.investigate(activity, figures)
        service, reasons = self.catalogue.services_by_id[activity["service"]], reasons_of(activity)
        named = self.host_names.named(activity)
        return {
            "alert_id": ids.alert_id(self.detector.id, activity, variation.id),
            "group_id": ids.group_id(self.detector.id, activity),
            "detector_id": self.detector.id,
            "detector_version": DETECTOR_VERSION,
            "tenant_id": activity["tenant"],
            "title": variation.title,
            "description": describe(
                named, service.name, own_client_known_by(investigation), held, figures, self.detector.limits
            ),
            "severity": variation.severity,
            "variation": variation.id,
            "matched_variations": list(variations),
            "priority": 0,  # its place; what it is depends on all that follows
            "priority_parts": [],
            "timestamp": rfc3339(activity["event_time"]),
            **_who(named),
            "service": {"id": service.id, "name": service.name, "category": service.category},
            "destination": _destination(activity),
            "baseline": self._baseline(activity["hour"] // 24, figures),
            "suspicion_reasons": reasons,
            "investigation": investigation,
            "steps": [],
            "attack": attack_of(
                self.detector, {*reasons, *variations}, activity["process_name"], activity["fingerprint"]
            ),
            "first_event": {"bytes_sent": activity["bytes_sent"], "bytes_received": activity["bytes_received"]},
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

    def _baseline(self, day: int, figures: ActivityFigures) -> dict[str, Any]:
        limits = self.detector.limits
        return {
            "window_start": str(day_of(day - limits.training_days)),
            "window_end": str(day_of(day - 1)),
            "coverage_days": figures.coverage_days,
            "guard_days": limits.guard_days,
            **subject_figures(figures.communication),
            "as_of": self.as_of,
        }

    @cached_property
    def _investigator(self) -> Investigator:
        limits = self.detector.limits
        return Investigator(self.catalogue, limits.training_days, limits.process_lookback, self.time_zone)


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
            "completed_from": _start(activity),
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


def _start(activity: Mapping[str, Any]) -> dict[str, Any] | None:
    """The start of its process from which the event was completed (section 2a)."""
    if activity["start_event_id"] is None:
        return None
    return {"event_id": activity["start_event_id"], "event_time": rfc3339(activity["start_time"])}


def _destination(activity: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "host": activity["remote_host"],
        "ip": activity["remote_ip"],
        "port": activity["remote_port"],
        "attribution": activity["attribution"],
        "matched": activity["matched"],
    }
