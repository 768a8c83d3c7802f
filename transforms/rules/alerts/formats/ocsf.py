"""Alerts as the Open Cybersecurity Schema Framework has them: class Detection Finding, version 1.5.0.

Source: https://schema.ocsf.io/1.5.0/classes/detection_finding?profiles=host

What has no place in that class is in `unmapped`, under the alert's own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from uncommon_im.transforms.rules.alerts.formats.values import PRODUCT, Json, hex_of, known, milliseconds, port_of

VERSION: Final = "1.5.0"
_OTHER: Final = 99
_SEVERITIES: Final = {"Informational": 1, "Low": 2, "Medium": 3, "High": 4, "Critical": 5}
_SYSTEMS: Final = {
    "windows": (100, "Windows"),
    "linux": (200, "Linux"),
    "macos": (300, "macOS"),
    "other": (_OTHER, "Other"),
}
_PLACED: Final = frozenset(
    (
        *("alert_id", "group_id", "detector_id", "detector_version", "tenant_id", "title", "description", "severity"),
        *("matched_variations", "host", "user_name", "parent", "causality", "attack", "event_id"),
    )
)
"""Fields of an alert that have a place of their own as a whole."""


def detection_finding(alert: Mapping[str, Any]) -> Json:
    """A native alert as a Detection Finding.

    Args:
        alert: of section 8 of the specification; further fields of it are put into `unmapped`.
    """
    device, process, user = _device(alert["host"]), _process(alert), known({"name": alert["user_name"]})
    endpoint, time = _endpoint(alert), milliseconds(alert["timestamp"])
    return known(
        {
            "activity_id": 1,
            "activity_name": "Create",
            "category_uid": 2,
            "category_name": "Findings",
            "class_uid": 2004,
            "class_name": "Detection Finding",
            "type_uid": 200401,
            "type_name": "Detection Finding: Create",
            "status_id": 1,
            "status": "New",
            "is_alert": True,
            "severity": alert["severity"],
            "severity_id": _SEVERITIES.get(alert["severity"], _OTHER),
            "time": time,
            "start_time": time,
            "count": alert["activity"]["events"],
            "message": alert["description"],
            "metadata": _metadata(alert),
            "finding_info": _finding_info(alert, time),
            "device": device,
            "actor": {"process": process, "user": user},
            "evidences": [
                {
                    "uid": alert["event_id"],
                    "process": process,
                    "user": user,
                    "dst_endpoint": endpoint,
                    "connection_info": {"direction_id": 2, "direction": "Outbound"},
                }
            ],
            "observables": _observables(device, process, user, endpoint),
            "unmapped": _unmapped(alert),
        },
        whole="unmapped",
    )


def _metadata(alert: Mapping[str, Any]) -> Json:
    return {
        "version": VERSION,
        "profiles": ["host"],
        "product": {"name": PRODUCT, "vendor_name": PRODUCT, "version": alert["detector_version"]},
        "uid": alert["alert_id"],
        "correlation_uid": alert["group_id"],
        "tenant_uid": alert["tenant_id"],
    }


def _finding_info(alert: Mapping[str, Any], time: int) -> Json:
    tactic, technique = alert["attack"]["tactic"], alert["attack"]["technique"]
    said = [{"sub_technique": {"uid": each["id"], "name": each["name"]}} for each in alert["attack"]["subtechniques"]]
    return {
        "uid": alert["alert_id"],
        "title": alert["title"],
        "desc": alert["description"],
        "types": alert["matched_variations"],
        "first_seen_time": time,
        "analytic": {
            "uid": alert["detector_id"],
            "version": alert["detector_version"],
            "type_id": 2,
            "type": "Behavioral",
        },
        "attacks": [
            {
                "tactic": {"uid": tactic["id"], "name": tactic["name"]},
                "technique": {"uid": technique["id"], "name": technique["name"]},
            },
            *said,
        ],
        "related_events": [{"uid": alert["event_id"]}],
    }


def _device(host: Mapping[str, Any]) -> Json:
    number, name = _SYSTEMS.get(host["os"], (0, None))
    system = {"type_id": number, "type": name, "name": name} if name else None
    return {"type_id": 0, "type": "Unknown", "uid": host["id"], "hostname": host["name"], "os": system}


def _process(alert: Mapping[str, Any]) -> Json:
    """The process, its parent, and the causality owner as its ancestor's root.

    OCSF wants a number or an id of each process. Where an event reports no number, the id is made of the event's id and
    the role of the process.
    """
    process = alert["process"]
    file = {
        "name": process["name"],
        "path": process["path"],
        "type_id": 1,
        "type": "Regular File",
        "company_name": process["signer"],
        "hashes": _hashes(process["sha256"]),
    }
    return {
        **_identity(alert, "process", process["pid"]),
        "name": process["name"],
        "path": process["path"],
        "cmd_line": process["command_line"],
        "file": file,
        "parent_process": _relative(alert, "parent"),
        "ancestry": [owner] if (owner := _relative(alert, "causality")) else None,
    }


def _relative(alert: Mapping[str, Any], role: str) -> Json | None:
    relative = alert[role]
    if not (relative["name"] or relative["command_line"]):
        return None
    return {**_identity(alert, role), "name": relative["name"], "cmd_line": relative["command_line"]}


def _identity(alert: Mapping[str, Any], role: str, pid: int | None = None) -> Json:
    return {"uid": f"{alert['event_id']}/{role}"} if pid is None else {"pid": pid}


def _hashes(sha256: str | None) -> list[Json] | None:
    """The digest of a file, if it is written as one."""
    return [{"algorithm_id": 3, "algorithm": "SHA-256", "value": sha256}] if hex_of(sha256) else None


def _endpoint(alert: Mapping[str, Any]) -> Json:
    destination = alert["destination"]
    return {
        "hostname": destination["host"],
        "ip": destination["ip"],
        "port": port_of(destination["port"]),
        "svc_name": alert["service"]["name"],
    }


def _observables(device: Json, process: Json, user: Json, endpoint: Json) -> list[Json]:
    """Values by which to search other events, each with the path of its attribute. The numbers are OCSF's types."""
    hashes = process["file"]["hashes"] or [{"value": None}]
    values = (
        ("device.hostname", 1, "Hostname", device["hostname"]),
        ("evidences.dst_endpoint.hostname", 1, "Hostname", endpoint["hostname"]),
        ("evidences.dst_endpoint.ip", 2, "IP Address", endpoint["ip"]),
        ("actor.user.name", 4, "User Name", user.get("name")),
        ("actor.process.file.hashes.value", 8, "Hash", hashes[0]["value"]),
        ("actor.process.name", 9, "Process Name", process["name"]),
        ("actor.process.cmd_line", 13, "Command Line", process["cmd_line"]),
        ("actor.process.file.path", 45, "File Path", process["path"]),
    )
    return [
        {"name": name, "type_id": number, "type": kind, "value": value} for name, number, kind, value in values if value
    ]


def _unmapped(alert: Mapping[str, Any]) -> Json:
    process, destination = alert["process"], alert["destination"]
    rest = {name: value for name, value in alert.items() if name not in _PLACED}
    placed = ("name", "path", "command_line", "pid", *(("sha256",) if _hashes(process["sha256"]) else ()))
    rest["process"] = {name: value for name, value in process.items() if name not in placed}
    placed = ("host", "ip", *(() if port_of(destination["port"]) is None else ("port",)))
    rest["destination"] = {name: value for name, value in destination.items() if name not in placed}
    return rest
