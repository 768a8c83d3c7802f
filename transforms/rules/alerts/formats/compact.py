"""Alerts in a few flat fields, for a chat, a ticket or a table that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uncommon_im.transforms.rules.alerts.formats.values import Json, known


def compact(alert: Mapping[str, Any]) -> Json:
    """A native alert as some twenty fields without any below them; what is not known is left out.

    Args:
        alert: of section 8 of the specification.
    """
    process, destination, baseline = alert["process"], alert["destination"], alert["baseline"]
    return known(
        {
            **{name: alert[name] for name in ("alert_id", "group_id", "timestamp", "severity", "priority")},
            **{name: alert[name] for name in ("title", "description", "variation", "tenant_id")},
            "host_id": alert["host"]["id"],
            "host_name": alert["host"]["name"],
            "user_name": alert["user_name"],
            "process_name": process["name"],
            "process_path": process["path"],
            "process_command_line": process["command_line"],
            "process_sha256": process["sha256"],
            "parent_name": alert["parent"]["name"],
            "service": alert["service"]["name"],
            "remote_host": destination["host"],
            "remote_ip": destination["ip"],
            "other_hosts": baseline["other_hosts"],
            "host_days": baseline["host_days"],
            "bytes_sent": alert["activity"]["bytes_sent"],
            "suspicion_reasons": ", ".join(alert["suspicion_reasons"]) or None,
        }
    )
