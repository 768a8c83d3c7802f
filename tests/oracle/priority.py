"""Which alert to open first (the detector's specification, section 8)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.oracle import catalogue
from tests.oracle.activities import Activity
from tests.oracle.options import Options

CARD = Path(__file__).resolve().parents[2] / "schemas" / "detector.yaml"
Figures = dict[str, Any] | None


@cache
def read_points() -> list[dict[str, Any]]:
    """The parts of the card, with their points."""
    points: list[dict[str, Any]] = yaml.safe_load(CARD.read_text(encoding="utf-8"))["priority"]
    return points


def priority_row(activity: Activity, options: Options) -> dict[str, Any]:
    """Points of the parts that hold, in the card's order, and their sum within 0 and 100."""
    holding = parts(activity, options)
    event = activity.first.event
    found = []
    for entry in read_points():
        name, least = entry["part"], entry.get("at_least")
        if least is None:
            holds = name in holding
        else:
            number = event.columns.get(name)
            holds = number is not None and number >= least
        if holds and entry["points"]:
            found.append({"part": name, "points": entry["points"]})
    total = sum(entry["points"] for entry in found)
    return {"priority": min(max(total, 0), 100), "priority_parts": found}


def parts(activity: Activity, options: Options) -> set[str]:
    """The parts that hold, but for those of bytes."""
    said = activity.investigation
    application, most = said["application"], options.max_other_hosts
    communication, service = application["program"], said["service"]
    binary, parentage = application["binary"], said["parent"]["parentage"]
    hour = said["time"]["service_at_this_hour"]
    found = {f"reason:{reason}" for reason in activity.first.reasons}
    facts = {
        "uncommon_execution": "uncommon_scripting_engine" in activity.matched,
        "never_seen": is_new(communication),
        "unused_service": is_new(service),
        "rare_service": not is_new(service) and service["other_hosts"] <= most,
        "new_binary": is_new(binary),
        "new_parentage": is_new(parentage),
        "quiet_hour": hour["active_days"] == 0,
        "bot_host": is_for_bots(activity),
        "own_client": application["own_client"] and application["client_known_by"] == "signature",
        "own_publisher": application["own_publisher"],
        "known_binary": binary is not None and binary["other_hosts"] > most,
        "known_parentage": parentage is not None and parentage["other_hosts"] > most,
    }
    return found | {name for name, holds in facts.items() if holds}


def is_new(figures: Figures) -> bool:
    """Nobody showed it in the window."""
    return figures is not None and (figures["other_hosts"], figures["host_days"]) == (0, 0)


def is_for_bots(activity: Activity) -> bool:
    """The catalogue says that only bots call the host whose name matched."""
    match = activity.first.match
    if match.attribution != "domain":
        return False
    (service,) = (entry for entry in catalogue.read_yaml("services.yaml")["services"] if entry["id"] == match.service)
    listed = service["hosts"].get("api", [])
    return any(entry["host"].lower() == match.matched and entry.get("use") == "bot-only" for entry in listed)
