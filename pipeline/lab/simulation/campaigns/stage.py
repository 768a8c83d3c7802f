"""The stage on which campaigns act.

A campaign is a function that acts on a `Stage`: it picks hosts and lets programs start and connect there. Each has
random numbers of its own, so a new one at the end of the registry leaves all others as they were.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from uncommon_im.pipeline.lab.simulation import parameters as p
from uncommon_im.pipeline.lab.simulation.campaigns.campaign import CAMPAIGNS
from uncommon_im.pipeline.lab.simulation.organisation.hosts import Host
from uncommon_im.pipeline.lab.simulation.organisation.organisation import Organisation
from uncommon_im.pipeline.lab.simulation.organisation.programs import Program
from uncommon_im.pipeline.lab.simulation.organisation.software import PROGRAMS
from uncommon_im.pipeline.lab.simulation.traffic.destinations import addresses_of
from uncommon_im.pipeline.lab.simulation.traffic.habit_table import image_of

Row = dict[str, Any]

REAL_ADDRESSES = {"api.telegram.org": "149.154.167.220", "telegram-datacentre": "149.154.167.51"}
"""Telegram's own addresses (core.telegram.org/resources/cidr.txt); other hosts get the simulation's."""


@dataclass(frozen=True)
class Transfer:
    """What one connection carries.

    Args:
        destination: a host name, or `telegram-datacentre`.
        sent: bytes, about.
        received: bytes, about.
        named: the program knows the name, and looks it up before.
    """

    destination: str
    sent: int = 1_800
    received: int = 4_200
    named: bool = True


@dataclass
class Stage:
    """What one campaign can do, on its 0-based `day` and later. `at(host, day, 9)` is nine in the host's office."""

    organisation: Organisation
    day: int
    rng: np.random.Generator
    used: set[int]
    rows: list[Row] = field(default_factory=list)

    def pick(
        self, os: str, *, department: str | None = None, role: str = "workstation", strict: bool = False
    ) -> list[Host]:
        """One host of a kind, if possible of the department, on at that day and used by no other campaign.

        Small organisations may not have one: then one of another department serves, unless `strict`, and a used one.
        An empty list if there is none at all.
        """
        kind = self.all_hosts(os, role)
        own = [h for h in kind if department in (None, h.department)]
        pools = [own] if strict else [own, kind]
        fresh = [[h for h in hosts if h.index not in self.used] for hosts in pools]
        pool = next(filter(None, [*fresh, *pools]), [])
        chosen = [pool[int(self.rng.integers(len(pool)))]] if pool else []
        self.used.update(h.index for h in chosen)
        return chosen

    def pick_many(self, os: str, count: int) -> list[Host]:
        """Up to `count` workstations, whatever other campaigns do there."""
        pool = self.all_hosts(os)
        return sorted((pool[i] for i in self.rng.permutation(len(pool))[:count]), key=lambda h: h.index)

    def all_hosts(self, os: str, role: str = "workstation") -> list[Host]:
        """Hosts that exist all the time and, if there are such, are on that day."""
        kind = [h for h in self.organisation.hosts if h.os == os and h.role == role and h.stays]
        return [h for h in kind if self.is_on(h, self.day)] or kind

    def newcomers(self, os: str) -> list[Host]:
        """Hosts that join while the campaigns run."""
        return [h for h in self.organisation.hosts if h.os == os and h.joined >= self.organisation.campaign_day > 0]

    def is_on(self, host: Host, day: int) -> bool:
        """Whether a host is on."""
        return bool(self.organisation.presence[host.index, day] > 0)

    def days_on(self, host: Host) -> Iterator[int]:
        """The campaign's day and the later ones on which the host is on."""
        later = range(self.day + 1, self.organisation.days)
        return iter([self.day, *(day for day in later if self.is_on(host, day))])

    def at(self, host: Host, day: int, hour: float) -> datetime:
        """A moment of a day, somewhere in the quarter of an hour that begins at the host's local `hour`."""
        start = datetime.combine(self.organisation.day(day), time(), UTC)
        seconds = ((hour - host.utc_offset) % 24) * 3600 + float(self.rng.uniform(0, 900))
        return start + timedelta(microseconds=int(seconds * 1e6) % 86_400_000_000)

    def start(self, host: Host, program: Program, when: datetime) -> None:
        """A process start."""
        self.rows.append(self._image(host, program) | {"event_time": when, "event_type": "process"})

    def connect(self, host: Host, program: Program, transfer: Transfer, when: datetime) -> None:
        """A connection, and 40 ms before it the lookup if the program knows a name."""
        name = transfer.destination
        image = self._image(host, program) | {
            "remote_host": name if transfer.named else None,
            "remote_ip": REAL_ADDRESSES.get(name) or addresses_of(name)[0],
            "direction": "outbound",
        }
        if transfer.named:
            lookup = {"event_time": when - timedelta(milliseconds=40), "event_type": "dns", "dns_status": 0}
            self.rows.append(image | lookup | {"remote_port": 53, "protocol": "udp"})
        sent, received = (int(size * self.rng.uniform(0.8, 1.25)) for size in (transfer.sent, transfer.received))
        connection = {"event_time": when, "event_type": "network", "bytes_sent": sent, "bytes_received": received}
        self.rows.append(image | connection | {"remote_port": 443, "protocol": "tcp"})

    def run(self, host: Host, program: Program, when: datetime, transfer: Transfer, seconds: Iterable[int]) -> None:
        """A process start, and a connection at each of some seconds after it."""
        self.start(host, program, when)
        for delay in seconds:
            self.connect(host, program, transfer, when + timedelta(seconds=delay))

    def _image(self, host: Host, program: Program) -> Row:
        """The process columns. What the organisation has installed keeps its hash; other programs get their own."""
        known = next((key for key, value in PROGRAMS[host.os].items() if value == program), None)
        image = image_of(host, known or program.path, program, program.versions[-1])
        pid = 300 + zlib.crc32(f"{host.host_id} {program.path} {program.arguments}".encode()) % 16_000
        return dict(image) | {"process_pid": pid * 4}


def plant(organisation: Organisation, first_label: int, seed: int) -> dict[date, list[Row]]:
    """Act all campaigns out, each on a day that the seed chooses; the rows of each day, labelled from `first_label` on.

    A campaign that finds no host of the kind it needs is left out. Hosts on which something happens are on that day.
    What falls on days without telemetry is lost.
    """
    later = [d for d in range(organisation.campaign_day, organisation.days) if d not in organisation.gap]
    days = [d for d in later if organisation.is_working_day(d)] or later
    seen = {organisation.day(d): d for d in range(organisation.days) if d not in organisation.gap}
    index = {host.host_id: host.index for host in organisation.hosts}
    used: set[int] = set()
    planted = defaultdict(list)
    for label, (campaign, act) in enumerate(CAMPAIGNS, first_label):
        rng = np.random.default_rng([seed, 4, zlib.crc32(campaign.name.encode())])
        stage = Stage(organisation, days[int(rng.integers(len(days)))], rng, used)
        act(stage)
        for row in stage.rows:
            day = row["event_time"].date()
            if day in seen:
                at = index[row["host_id"]], seen[day]
                organisation.presence[at] = max(organisation.presence[at], p.WEEKEND_ACTIVITY)
                planted[day].append(row | {"label": label})
    return planted


def has_company(organisation: Organisation) -> bool:
    """Whether there are enough hosts for campaigns that presuppose an organisation around them."""
    return len(organisation.hosts) >= p.ORDINARY_COMPANY
