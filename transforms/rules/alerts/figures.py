"""The figures of one activity, as an alert writes them (specification, sections 5 and 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from uncommon_im.transforms.rules.columns.days import day_of


@dataclass(frozen=True)
class ActivityFigures:
    """How rare an activity is.

    Args:
        communication: prevalence of the program's communication with the service.
        execution: prevalence of what its scripting engine ran; `None` if it has no execution.
        parentage: prevalence of the parent with this program; `None` if the event names no parent.
        binary: prevalence of the image; `None` if the event has no digest of it.
        service_use: prevalence of the service itself, whoever's program used it; `None` where streams had not learned
            it yet.
        hour_of_day: prevalence of the service at this hour of the day; `None` where streams had not learned it yet.
        coverage_days: days of the window with telemetry.
    """

    communication: Mapping[str, int]
    execution: Mapping[str, int] | None
    parentage: Mapping[str, int] | None
    binary: Mapping[str, int] | None
    service_use: Mapping[str, int] | None
    hour_of_day: Mapping[str, int] | None
    coverage_days: int


def is_new(prevalence: Mapping[str, Any] | None) -> bool:
    """Seen on no other host, and never on this one; `None`, of what is not known, is not new."""
    return prevalence is not None and not prevalence["other_hosts"] and not prevalence["host_days"]


def subject_figures(prevalence: Mapping[str, int]) -> dict[str, Any]:
    """The figures of a subject: other hosts, days of this host, days of anybody."""
    return {name: prevalence[name] for name in ("other_hosts", "host_days")} | day_figures(prevalence)


def day_figures(prevalence: Mapping[str, int]) -> dict[str, Any]:
    """The days of the window on which anybody showed a subject; dates are null if there are none."""
    first_last = {name: prevalence[name] for name in ("first_day", "last_day")}
    return {
        "active_days": prevalence["active_days"],
        **{name: _date(day) if day >= 0 else None for name, day in first_last.items()},
    }


@lru_cache(1 << 12)
def _date(day: int) -> str:
    return str(day_of(day))
