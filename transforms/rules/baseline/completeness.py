"""Days that look as if part of their telemetry were missing."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.baseline.formula import is_active
from uncommon_im.transforms.rules.baseline.sightings import Coverage

WEEK_DAYS: Final = 7
WEEKS: Final = 4
"""So many weeks at most say what a weekday usually has."""
FEW: Final = 5
"""A day is thin if it has under one `FEW`th of the usual events."""


@dataclass(frozen=True)
class ThinDay:
    """A day of a tenant with few events; `usual` is what the week before or the same weekdays had, the less of both."""

    tenant: str
    day: int
    events: int
    usual: float


def thin_days(coverage: Coverage, first: int, end: int) -> Iterator[ThinDay]:
    """The thin days of `[first, end)`, by tenant and day; days without any event among them count as 0.

    A tenant is only compared with itself, and only once a week of its own lies before the day. Medians are compared: of
    the week before, and of the same weekday in the weeks before, so that a quiet Sunday is not thin.

    Args:
        coverage: events by tenant and day number.
        first, end: day numbers.
    """
    by_tenant: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for (tenant, day), events in coverage.items():
        by_tenant[tenant][day] = events
    for tenant, days in sorted(by_tenant.items()):
        for day in range(max(first, min(days) + WEEK_DAYS), min(end, max(days) + 1)):
            of_week = median(days.get(before, 0) for before in range(day - WEEK_DAYS, day))
            first_known = max(min(days), day - WEEKS * WEEK_DAYS)
            of_weekday = median(days.get(before, 0) for before in range(day - WEEK_DAYS, first_known - 1, -WEEK_DAYS))
            usual = min(of_week, of_weekday)
            if days.get(day, 0) * FEW < usual:
                yield ThinDay(tenant, day, days.get(day, 0), usual)


def active_from(days: Collection[int], day: int, limits: Limits) -> int:
    """The number of the first day, from `day` on, with an active detector if all days until then have telemetry.

    Args:
        days: numbers of days before `day` with telemetry.
        day: the number of a day.
        limits: the length of the window, and how many of its days are needed, which are no more than it has.
    """

    def covered(active: int) -> int:
        return active - day + sum(active - limits.training_days <= each < day for each in days)

    return next(active for active in itertools.count(day) if is_active(covered(active), limits))
