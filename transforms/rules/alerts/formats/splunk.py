"""Alerts as events of Splunk's HTTP Event Collector (HEC).

Source: https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from uncommon_im.transforms.rules.alerts.formats.values import PRODUCT, Json, milliseconds

SOURCE_TYPE: Final = "uncommon_im:alert"
_INDEXED: Final = ("alert_id", "group_id", "severity", "variation", "tenant_id")


def hec_event(alert: Mapping[str, Any]) -> Json:
    """A native alert as HEC's envelope: the alert is its `event`, and some texts are `fields` that Splunk indexes.

    Args:
        alert: of section 8 of the specification.
    """
    return {
        "time": milliseconds(alert["timestamp"]) / 1000,
        "host": alert["host"]["name"] or alert["host"]["id"],
        "source": PRODUCT,
        "sourcetype": SOURCE_TYPE,
        "event": dict(alert),
        "fields": {name: alert[name] for name in _INDEXED} | {"service": alert["service"]["id"]},
    }
