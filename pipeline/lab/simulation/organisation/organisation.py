"""A simulated organisation: its machines, when they are on, and when campaigns begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from uncommon_im.pipeline.lab.simulation.organisation.hosts import Host, make_hosts, with_new_machines
from uncommon_im.pipeline.lab.simulation.organisation.presence import presence_of
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p


@dataclass(frozen=True)
class Organisation:
    """All hosts over all days. `presence[host, day]` scales activity: 0 is off, 1 an ordinary working day.

    On the days of the `gap` no telemetry came from any host.
    """

    hosts: tuple[Host, ...]
    first_day: date
    days: int
    presence: npt.NDArray[np.float64]
    gap: range

    def day(self, index: int) -> date:
        """The date of a 0-based day."""
        return self.first_day + timedelta(days=index)

    def is_working_day(self, index: int) -> bool:
        """Whether it is one, and has telemetry."""
        return self.day(index).weekday() < 5 and index not in self.gap

    @property
    def campaign_day(self) -> int:
        """First day (0-based) on which campaigns are planted."""
        return campaign_day(self.days)


def campaign_day(days: int) -> int:
    """First day (0-based) on which campaigns are planted, of so many days."""
    return min(p.campaign_day, int(days * p.campaign_start_share))


def build_organisation(hosts: int, days: int, seed: int, first_day: date, gap_days: int = 0) -> Organisation:
    """Draw an organisation; the same arguments give the same one."""
    rng = np.random.default_rng([seed, 1])
    gap = range(days - p.days_after_gap - gap_days, days - p.days_after_gap) if gap_days else range(0)
    working = [d for d in range(1, days) if (first_day + timedelta(days=d)).weekday() < 5 and d not in gap]
    machines = with_new_machines(make_hosts(hosts, rng), days, working, campaign_day(days), rng)
    return Organisation(tuple(machines), first_day, days, presence_of(machines, days, first_day, gap, rng), gap)
