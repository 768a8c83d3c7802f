"""The formats in which alerts are written and sent: pure functions of native alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from uncommon_im.transforms.rules.alerts.formats.cef import cef_line
from uncommon_im.transforms.rules.alerts.formats.compact import compact
from uncommon_im.transforms.rules.alerts.formats.ecs import ecs_document
from uncommon_im.transforms.rules.alerts.formats.ocsf import detection_finding
from uncommon_im.transforms.rules.alerts.formats.splunk import hec_event
from uncommon_im.transforms.rules.columns.json_lines import to_json

NATIVE: Final = "native"
"""Alerts as section 8 of the specification has them."""
CEF: Final = "cef"
"""Lines of text; all other formats are JSON objects."""
HEC: Final = "splunk-hec"
ALERT_FORMATS: Final[dict[str, Callable[[Mapping[str, Any]], dict[str, Any] | str]]] = {
    NATIVE: dict,
    "compact": compact,
    "ecs": ecs_document,
    "ocsf": detection_finding,
    HEC: hec_event,
    CEF: cef_line,
}
"""Name of a format -> what converts a native alert to it: to a JSON object, or to a line of text."""


@dataclass(frozen=True)
class Document:
    """An alert on its way: `text` is a line of `alert_format`, without its end, about the alert `alert_id`."""

    alert_id: str
    alert_format: str
    text: str


def document_of(alert: Mapping[str, Any], alert_format: str) -> Document:
    """A native alert in a format."""
    return Document(alert["alert_id"], alert_format, text_of(alert, alert_format))


def text_of(alert: Mapping[str, Any], alert_format: str) -> str:
    """A native alert in a format, as a line of text."""
    return line_of(ALERT_FORMATS[alert_format](alert))


def line_of(written: Mapping[str, Any] | str) -> str:
    """What a format made of an alert, as a line of text without its end."""
    return written if isinstance(written, str) else to_json(written)
