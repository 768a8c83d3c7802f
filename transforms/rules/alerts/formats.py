"""The formats in which alerts are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from uncommon_im.transforms.rules.alerts.ocsf import detection_finding
from uncommon_im.transforms.rules.columns.json_lines import to_json

NATIVE: Final = "native"
"""Alerts as section 8 of the specification has them."""
ALERT_FORMATS: Final[dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    NATIVE: dict,
    "ocsf": detection_finding,
}
"""Name of a format -> what converts a native alert to it."""


def text_of(alert: Mapping[str, Any], alert_format: str) -> str:
    """A native alert in a format, as JSON text."""
    return to_json(ALERT_FORMATS[alert_format](alert))
