"""Alerts as lines of the Common Event Format (CEF), version 0, which readers of version 1 take too.

Source: OpenText's "ArcSight Common Event Format (CEF) Implementation Standard": header, escaping, keys and lengths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from uncommon_im.transforms.rules.alerts.formats.values import PRODUCT, hex_of, ip_version, milliseconds, port_of

_SEVERITIES: Final = {"Informational": 1, "Low": 3, "Medium": 5, "High": 8, "Critical": 10}
_UNKNOWN: Final = 5
_OUTBOUND: Final = 1
_MOST_PID: Final = 2**31 - 1
_LONGEST: Final = {"fileHash": 255, "externalId": 40, "deviceExternalId": 255} | {
    f"cs{number}": 4000 for number in range(1, 7)
}
_LONGEST_OTHER: Final = 1023
"""Characters of a key's value, before it is escaped."""
_LONGEST_NAME: Final = 512


def cef_line(alert: Mapping[str, Any]) -> str:
    """A native alert as one line, without its end; what is not known is left out, long values are cut.

    Args:
        alert: of section 8 of the specification.
    """
    severity = _SEVERITIES.get(alert["severity"], _UNKNOWN)
    head = (PRODUCT, PRODUCT, alert["detector_version"], alert["variation"], alert["title"][:_LONGEST_NAME])
    extension = " ".join(f"{key}={_extension(key, value)}" for key, value in _values(alert) if value is not None)
    return f"CEF:0|{'|'.join(map(_header, head))}|{severity}|{extension}"


def _values(alert: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    process, destination, activity = alert["process"], alert["destination"], alert["activity"]
    technique = alert["attack"]["technique"]
    yield "externalId", alert["alert_id"]
    yield "start", milliseconds(alert["timestamp"])
    yield "msg", alert["description"]
    yield "cat", alert["attack"]["tactic"]["name"]
    yield "deviceDirection", _OUTBOUND
    yield "deviceExternalId", alert["host"]["id"]
    yield "shost", alert["host"]["name"] or alert["host"]["id"]
    yield "suser", alert["user_name"]
    yield "sproc", process["name"]
    yield "spid", process["pid"] if 0 <= (process["pid"] or 0) <= _MOST_PID else None
    yield "filePath", process["path"]
    yield "fileHash", hex_of(process["sha256"])
    yield "dhost", destination["host"]
    yield from _address(destination["ip"])
    yield "dpt", port_of(destination["port"])
    yield "destinationServiceName", alert["service"]["name"]
    yield "out", activity["bytes_sent"]
    yield "in", activity["bytes_received"]
    yield "cnt", activity["events"]
    yield from _labelled("cs1", "groupId", alert["group_id"])
    yield from _labelled("cs2", "tenantId", alert["tenant_id"])
    yield from _labelled("cs3", "commandLine", process["command_line"])
    yield from _labelled("cs4", "parentProcess", alert["parent"]["name"])
    yield from _labelled("cs5", "suspicionReasons", ", ".join(alert["suspicion_reasons"]) or None)
    yield from _labelled("cs6", "attackTechnique", technique["id"])
    yield from _labelled("cn1", "priority", alert["priority"])
    yield from _labelled("cn2", "otherHosts", alert["baseline"]["other_hosts"])


def _address(address: str | None) -> Iterator[tuple[str, Any]]:
    """`dst` is of IPv4 only."""
    version = ip_version(address)
    if version == 4:
        yield "dst", address
    elif version == 6:
        yield from _labelled("c6a3", "Destination IPv6 Address", address)


def _labelled(key: str, label: str, value: Any) -> Iterator[tuple[str, Any]]:
    if value is not None:
        yield f"{key}Label", label
        yield key, value


def _header(text: str) -> str:
    """Of a field of the header, which may have no ends of lines at all."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")


def _extension(key: str, value: Any) -> str:
    text = str(value)[: _LONGEST.get(key, _LONGEST_OTHER)]
    for plain, escaped in (("\\", "\\\\"), ("=", "\\="), ("\r", "\\r"), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return text
