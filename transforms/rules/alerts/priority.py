"""Which alert to open first: points of what an alert says (specification, section 8).

A part reads only what is equal in batch and stream, whatever the order of events; so do the points. No verdict reads
them. A part whose column is missing does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.schemas.detector import Detector, PriorityPart
from uncommon_im.transforms.rules.alerts.figures import is_new
from uncommon_im.transforms.rules.alerts.investigation import own_client_known_by

_Facts = Mapping[str, Any]
MOST: Final = 100
"""The highest priority; the lowest is 0."""


def prioritised(alert: _Facts, detector: Detector, catalogue: Catalogue) -> dict[str, Any]:
    """`priority` and `priority_parts` of an alert that has all else.

    Args:
        alert: of section 8.
        detector: whose card has the points, in the order in which parts are listed.
        catalogue: says which hosts only bots and scripts call.
    """
    parts = [part for part in detector.priority if part.points and _holds(part, alert, detector, catalogue)]
    return {
        "priority": max(0, min(MOST, sum(part.points for part in parts))),
        "priority_parts": [{"part": part.part, "points": part.points} for part in parts],
    }


def _holds(part: PriorityPart, alert: _Facts, detector: Detector, catalogue: Catalogue) -> bool:
    kind, _, reason = part.part.partition(":")
    if kind == "reason":
        return reason in alert["suspicion_reasons"]
    if part.at_least:
        number = alert["first_event"][part.part]
        return number is not None and number >= part.at_least
    if part.part == "bot_host":
        return _only_bots_call(alert, catalogue)
    return _HOLDS[part.part](alert, detector.limits.max_other_hosts)


def _only_bots_call(alert: _Facts, catalogue: Catalogue) -> bool:
    destination, service = alert["destination"], catalogue.services_by_id[alert["service"]["id"]]
    return bool(destination["attribution"] == "domain" and destination["matched"] in service.bot_hosts)


def _binary(alert: _Facts) -> _Facts | None:
    found: _Facts | None = alert["investigation"]["application"]["binary"]
    return found


def _parentage(alert: _Facts) -> _Facts | None:
    found: _Facts | None = alert["investigation"]["parent"]["parentage"]
    return found


def _others_have(figures: _Facts | None, most: int) -> bool:
    return figures is not None and figures["other_hosts"] > most


def _is_quiet_hour(alert: _Facts) -> bool:
    days = alert["investigation"]["time"]["service_at_this_hour"]
    return days is not None and not days["active_days"]


def _is_rare_service(alert: _Facts, most: int) -> bool:
    figures = alert["investigation"]["service"]
    return figures is not None and not is_new(figures) and not _others_have(figures, most)


_HOLDS: Final[Mapping[str, Callable[[_Facts, int], bool]]] = {
    "uncommon_execution": lambda alert, _: "uncommon_scripting_engine" in alert["matched_variations"],
    "never_seen": lambda alert, _: is_new(alert["baseline"]),
    "unused_service": lambda alert, _: is_new(alert["investigation"]["service"]),
    "rare_service": _is_rare_service,
    "new_binary": lambda alert, _: is_new(_binary(alert)),
    "new_parentage": lambda alert, _: is_new(_parentage(alert)),
    "quiet_hour": lambda alert, _: _is_quiet_hour(alert),
    "own_client": lambda alert, _: own_client_known_by(alert["investigation"]) == "signature",
    "own_publisher": lambda alert, _: alert["investigation"]["application"]["own_publisher"],
    "known_binary": lambda alert, most: _others_have(_binary(alert), most),
    "known_parentage": lambda alert, most: _others_have(_parentage(alert), most),
}
"""Part -> whether it holds of an alert, where more than so many other hosts are many."""
