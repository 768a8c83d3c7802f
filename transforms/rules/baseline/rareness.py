"""The figures of one activity, as an alert writes them (specification, sections 5 and 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from uncommon_im.transforms.rules.columns.days import day_of


@dataclass(frozen=True)
class Rareness:
    """How rare an activity is: prevalence by kind of subject, `None` where the event names none; coverage in days."""

    communication: Mapping[str, int]
    execution: Mapping[str, int] | None
    parentage: Mapping[str, int] | None
    binary: Mapping[str, int] | None
    hour_of_day: Mapping[str, int] | None
    coverage_days: int


def figures(prevalence: Mapping[str, int]) -> dict[str, Any]:
    """All that is counted of a subject."""
    return {name: prevalence[name] for name in ("other_hosts", "host_days")} | days_shown(prevalence)


def days_shown(prevalence: Mapping[str, int]) -> dict[str, Any]:
    """The days of the window on which anybody showed a subject; dates are null if there are none."""
    first_last = {name: prevalence[name] for name in ("first_day", "last_day")}
    return {
        "active_days": prevalence["active_days"],
        **{name: _written(day) if day >= 0 else None for name, day in first_last.items()},
    }


@lru_cache(1 << 12)
def _written(day: int) -> str:
    return str(day_of(day))
