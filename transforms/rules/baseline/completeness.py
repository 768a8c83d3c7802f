"""Days that look as if part of their telemetry were missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from uncommon_im.transforms.rules.baseline.sightings import Coverage

WEEK_DAYS: Final = 7
FEW: Final = 5
"""A day is thin if it has under one `FEW`th of the events of the median day of the week before."""


@dataclass(frozen=True)
class ThinDay:
    """A day of a tenant with few events; `usual` is the median of the week before."""

    tenant: str
    day: int
    events: int
    usual: float


def thin_days(coverage: Coverage, first: int, end: int) -> Iterator[ThinDay]:
    """The thin days of `[first, end)`, by tenant and day; days without any event among them count as 0.

    A tenant is only compared with itself, and only once a week of its own lies before the day.

    Args:
        coverage: events by tenant and day number.
        first, end: day numbers.
    """
    by_tenant: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for (tenant, day), events in coverage.items():
        by_tenant[tenant][day] = events
    for tenant, days in sorted(by_tenant.items()):
        for day in range(max(first, min(days) + WEEK_DAYS), min(end, max(days) + 1)):
            usual = median(days.get(before, 0) for before in range(day - WEEK_DAYS, day))
            if days.get(day, 0) * FEW < usual:
                yield ThinDay(tenant, day, days.get(day, 0), usual)
