"""Ids of alerts and groups: the same for the same facts, whoever computes them (specification, section 7)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def digest_of(parts: list[str | int]) -> str:
    """First 32 hex digits of the sha256 over a JSON list, UTF-8, no spaces, non-ASCII not escaped."""
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def alert_id(detector: str, activity: Mapping[str, Any], variation: str) -> str:
    """Id of an alert.

    Args:
        detector: id of the detector.
        activity: its tenant, host, program, origin, script, service and hour (hours since 1970).
        variation: the deciding one.
    """
    program = (activity[part] for part in ("program", "origin", "script"))
    tenant, host, service = activity["tenant"], activity["host"], activity["service"]
    return digest_of([detector, tenant, host, *program, service, variation, activity["hour"]])


def group_id(detector: str, activity: Mapping[str, Any]) -> str:
    """Id that the alerts of a roll-out or an outbreak share.

    Args:
        detector: id of the detector.
        activity: its tenant, program, origin, reduced script, service and hour (hours since 1970).
    """
    program = (activity[part] for part in ("program", "origin", "reduced_script"))
    return digest_of([detector, activity["tenant"], *program, activity["service"], activity["hour"] // 24])
