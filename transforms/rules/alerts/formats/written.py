"""Lines that alerts were written as, read again: whatever the format, a line says which alert it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from uncommon_im.transforms.rules.alerts.formats import CEF, HEC, NATIVE, Document, document_of

_OWN: Final = ("alert_id", "detector_id", "investigation", "priority_parts")
"""Fields that every native alert has, and nothing else has together at its top."""
_CEF_ID: Final = re.compile(r"(?<!\\)\|externalId=([0-9a-f]{32}) ")
_ID: Final[dict[str, Callable[[Mapping[str, Any]], Any]]] = {
    NATIVE: lambda written: written["alert_id"],
    "compact": lambda written: written["alert_id"],
    "ecs": lambda written: written["event"]["id"],
    "ocsf": lambda written: written["finding_info"]["uid"],
    HEC: lambda written: written["event"]["alert_id"],
}


def document_in(line: str, alert_format: str) -> Document:
    """The alert on a line, in a format: written in it already, or native, which any format is made of.

    Raises:
        ValueError: it is neither; says so.
    """
    text = line.strip()
    if text.startswith("CEF:"):
        found = _CEF_ID.search(text)
        if alert_format == CEF and found:
            return Document(found[1], CEF, text)
        raise ValueError(f"no {alert_format} alert, but a line of CEF")
    try:
        written = json.loads(text)
        if isinstance(written, dict) and all(name in written for name in _OWN):
            return document_of(written, alert_format)
        return Document(_text(_ID[alert_format](written)), alert_format, text)
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ValueError(f"neither an alert in the format {alert_format} nor a native one") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("an id is a text")
    return value
