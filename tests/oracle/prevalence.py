"""Sightings, prevalence and activation (the detector's specification, sections 5 and 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.oracle.options import Options


def iso_day(day: int) -> str:
    """A day number as a date."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


@dataclass(frozen=True)
class Prevalence:
    """How common a subject was in the training window before a day."""

    other_hosts: int
    host_days: int
    active_days: int
    first_day: int | None
    last_day: int | None


@dataclass
class Baseline:
    """Who showed which subject on which day, and on which days a tenant delivered anything."""

    options: Options
    sightings: dict[tuple[str, Hashable], set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))
    covered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def cover(self, tenant: str, day: int) -> None:
        """The tenant delivered a valid event on this day."""
        self.covered[tenant].add(day)

    def see(self, tenant: str, subject: Hashable, host: str, day: int) -> None:
        """This host showed this subject on this day."""
        self.sightings[tenant, subject].add((host, day))

    def coverage(self, tenant: str, day: int) -> int:
        """Days of telemetry in the training window before a day."""
        first = day - self.options.training_days
        return sum(1 for covered in self.covered[tenant] if first <= covered <= day - 1)

    def prevalence(self, tenant: str, subject: Hashable, host: str, day: int, guard: int) -> Prevalence:
        """Complete days before `day` only; other hosts only up to `guard` days before that."""
        first = day - self.options.training_days
        window = [seen for seen in self.sightings[tenant, subject] if first <= seen[1] <= day - 1]
        days = {seen_day for _, seen_day in window}
        return Prevalence(
            other_hosts=len({other for other, seen in window if other != host and seen <= day - 1 - guard}),
            host_days=len({seen_day for other, seen_day in window if other == host}),
            active_days=len(days),
            first_day=min(days, default=None),
            last_day=max(days, default=None),
        )
