"""Alerts as documents of the Elastic Common Schema (ECS).

Source: https://www.elastic.co/docs/reference/ecs/ecs-field-reference

What ECS has no field for is in `uncommon_im`, under the alert's own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from uncommon_im.transforms.rules.alerts.formats.values import PRODUCT, Json, hex_of, ip_version, known, port_of

VERSION: Final = "8.17.0"
OWN: Final = "uncommon_im"
_SEVERITIES: Final = {"Informational": 21, "Low": 21, "Medium": 47, "High": 73, "Critical": 99}
"""As Elastic's own rules number them; the severity in words is `uncommon_im.severity`."""
_SYSTEMS: Final = ("windows", "linux", "macos")
_PLACED: Final = frozenset(
    (
        *("alert_id", "detector_id", "detector_version", "tenant_id", "title", "description", "timestamp"),
        *("user_name", "parent", "attack"),
    )
)
"""Fields of an alert that have a place of their own as a whole."""


def ecs_document(alert: Mapping[str, Any]) -> Json:
    """A native alert as a document; what is not known is left out.

    Args:
        alert: of section 8 of the specification; further fields of it are put into `uncommon_im`.
    """
    host, process, destination = _host(alert["host"]), _process(alert), _destination(alert)
    return known(
        {
            "@timestamp": alert["timestamp"],
            "ecs": {"version": VERSION},
            "message": alert["description"],
            "event": _event(alert),
            "observer": {"vendor": PRODUCT, "product": PRODUCT, "version": alert["detector_version"]},
            "organization": {"id": alert["tenant_id"]},
            "rule": {
                "id": alert["detector_id"],
                "name": alert["title"],
                "version": alert["detector_version"],
                "category": alert["variation"],
            },
            "threat": _threat(alert["attack"]),
            "host": host,
            "user": {"name": alert["user_name"]},
            "process": process,
            "destination": destination,
            "source": {"bytes": alert["activity"]["bytes_sent"]},
            "network": {"direction": "egress", "application": alert["service"]["id"].lower()},
            "related": _related(host, process, destination, alert["user_name"]),
            OWN: _own(alert),
        },
        whole=OWN,
    )


def _event(alert: Mapping[str, Any]) -> Json:
    return {
        "id": alert["alert_id"],
        "kind": "alert",
        "category": ["intrusion_detection", "network"],
        "type": ["info"],
        "module": OWN,
        "dataset": f"{OWN}.alert",
        "provider": PRODUCT,
        "code": alert["variation"],
        "severity": _SEVERITIES.get(alert["severity"]),
        "risk_score": float(alert["priority"]),
        "start": alert["timestamp"],
        "reason": alert["description"],
    }


def _threat(attack: Mapping[str, Any]) -> Json:
    found = {kind: {"id": [attack[kind]["id"]], "name": [attack[kind]["name"]]} for kind in ("tactic", "technique")}
    said = attack["subtechniques"]
    sub = {"subtechnique": {key: [each[key] for each in said] for key in ("id", "name")}} if said else {}
    return {"framework": "MITRE ATT&CK", **found, "technique": found["technique"] | sub}


def _host(host: Mapping[str, Any]) -> Json:
    return {
        "id": host["id"],
        "name": host["name"] or host["id"],
        "hostname": host["name"],
        "os": {"type": host["os"] if host["os"] in _SYSTEMS else None},
    }


def _process(alert: Mapping[str, Any]) -> Json:
    process, parent, owner = alert["process"], alert["parent"], alert["causality"]
    status = process["signature_status"]
    signature = {
        "exists": {"signed": True, "invalid": True, "unsigned": False}.get(status),
        "subject_name": process["signer"],
        "status": status,
    }
    return {
        "name": process["name"],
        "executable": process["path"],
        "command_line": process["command_line"],
        "pid": process["pid"],
        "hash": {"sha256": hex_of(process["sha256"])},
        "code_signature": signature,
        "parent": {"name": parent["name"], "command_line": parent["command_line"]},
        "group_leader": {"name": owner["name"], "command_line": owner["command_line"]},
    }


def _destination(alert: Mapping[str, Any]) -> Json:
    destination = alert["destination"]
    ip = destination["ip"] if ip_version(destination["ip"]) else None
    return {
        "address": destination["host"] or ip,
        "domain": destination["host"],
        "ip": ip,
        "port": port_of(destination["port"]),
        "bytes": alert["activity"]["bytes_received"],
    }


def _related(host: Json, process: Json, destination: Json, user: str | None) -> Json:
    values = {
        "hosts": [host["hostname"], destination["domain"]],
        "ip": [destination["ip"]],
        "user": [user],
        "hash": [process["hash"]["sha256"]],
    }
    kept = {name: [value for value in found if value is not None] for name, found in values.items()}
    return {name: found for name, found in kept.items() if found}


def _own(alert: Mapping[str, Any]) -> Json:
    """What has no field, or one that may not hold it."""
    rest = {name: value for name, value in alert.items() if name not in _PLACED}
    process, destination = alert["process"], alert["destination"]
    lost = () if hex_of(process["sha256"]) else ("sha256",)
    rest["process"] = {name: process[name] for name in ("origin", "script", "completed_from", *lost) if name in process}
    ip, port = ip_version(destination["ip"]), port_of(destination["port"])
    unplaced = ("attribution", "matched", *(() if ip else ("ip",)), *(("port",) if port is None else ()))
    rest["destination"] = {name: destination[name] for name in unplaced if name in destination}
    del rest["host"], rest["causality"]
    return rest | {"os": alert["host"]["os"]}
