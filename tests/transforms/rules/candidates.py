"""Whole alerts for tests of what is made of them."""

from __future__ import annotations

from typing import Any

from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import Detector, load_detector
from uncommon_im.transforms.rules.alerts.alert import AlertWriter
from uncommon_im.transforms.rules.baseline.tables import ACTIVITY_SCHEMA
from uncommon_im.transforms.rules.verdicts.judgement import Candidate, candidate_of

NOON = 1_772_366_400_000_000
"""2026-03-01T12:00:00Z, a Sunday."""
NOBODY_ELSE = {"other_hosts": 0, "host_days": 0, "active_days": 0, "first_day": -1, "last_day": -1}


def candidate(
    time_zone: str = "UTC",
    coverage: int = 30,
    shown: dict[str, Any] | None = None,
    detector: Detector | None = None,
    **more: Any,
) -> Candidate:
    """A candidate of an activity whose evidence is as given; `shown` is the prevalence of its other subjects."""
    activity = dict.fromkeys(ACTIVITY_SCHEMA.names) | {
        "tenant": "default",
        "host": "h",
        "program": "app",
        "origin": "unknown:",
        "script": "",
        "service": "telegram",
        "reasons": "",
        "excepted": False,
        "reduced_script": "",
        "communication": "c",
        "event_time": NOON,
        "event_id": "e",
        "attribution": "domain",
        "matched": "t.me",
        "remote_host": "t.me",
        "process_name": "app",
        "events": 1,
    }
    activity |= more
    activity["hour"] = activity["event_time"] // 3_600_000_000
    writer = AlertWriter(detector or load_detector(), load_catalogue(), "run", "digest", None, time_zone)
    return candidate_of(
        writer, activity, dict.fromkeys(("communication", "service_use"), NOBODY_ELSE) | (shown or {}), coverage
    )
