"""The stage on which campaigns act: hosts are picked there, and programs start and connect."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from hashlib import blake2b
from itertools import cycle
from typing import Any

import numpy as np

from uncommon_im.pipeline.lab.simulation.campaigns.campaign import Campaign, Transfer
from uncommon_im.pipeline.lab.simulation.organisation.hosts import Host
from uncommon_im.pipeline.lab.simulation.organisation.organisation import Organisation
from uncommon_im.pipeline.lab.simulation.organisation.software import PROGRAMS
from uncommon_im.pipeline.lab.simulation.traffic.destinations import addresses_of
from uncommon_im.pipeline.lab.simulation.traffic.habit_table import image_of
from uncommon_im.transforms.rules.columns.days import DAY_US

Row = dict[str, Any]

REAL_ADDRESSES = {"api.telegram.org": "149.154.167.220", "telegram-datacentre": "149.154.167.51"}
"""Telegram's own addresses (core.telegram.org/resources/cidr.txt); other hosts get the simulation's."""


@dataclass
class Stage:
    """What a campaign can do, on its 0-based `day` and later. `at(host, day, 9)` is nine in the host's office.

    `used` are the numbers of hosts that other campaigns have picked, `rows` the events, `instances` the processes that
    were started last on each host.
    """

    campaign: Campaign
    organisation: Organisation
    day: int
    rng: np.random.Generator
    used: set[int]
    rows: list[Row] = field(default_factory=list)
    instances: dict[int, int] = field(default_factory=dict)

    def pick(self) -> list[Host]:
        """Hosts of the campaign's kind, if possible of its department, on at that day and used by no other campaign.

        Small organisations may not have enough: then others of another department serve, unless `strict`, and used
        ones. An empty list if there is none at all.
        """
        hosts, kind = self.campaign.hosts, self.all_hosts()
        own = [h for h in kind if hosts.department in (None, h.department)]
        pools = [own] if hosts.strict else [own, kind]
        picked: dict[int, Host] = {}
        for _ in range(max(hosts.count, round(hosts.share * len(kind)))):
            fresh = [[h for h in pool if h.index not in self.used] for pool in pools]
            pool = next(filter(None, [*fresh, *pools]), [])
            if pool:
                host = pool[int(self.rng.integers(len(pool)))]
                picked[host.index] = host
                self.used.add(host.index)
        return list(picked.values())

    def named(self, host: Host, day: int, number: int) -> Host:
        """The host as the campaign calls it on a day: another one to whoever knows hosts by their names."""
        if self.campaign.hosts.named is None:
            return host
        name = self.campaign.hosts.named.format(host=host.host_id, day=day, number=number)
        return replace(host, host_id=name, host_name=f"{name}.corp.example")

    def pick_many(self, count: int) -> list[Host]:
        """Up to `count` hosts of the campaign's kind, whatever other campaigns do there."""
        pool = self.all_hosts()
        return sorted((pool[i] for i in self.rng.permutation(len(pool))[:count]), key=lambda h: h.index)

    def all_hosts(self) -> list[Host]:
        """Hosts of the campaign's kind that exist all the time and, if there are such, are on that day."""
        os, role = self.campaign.hosts.os, self.campaign.hosts.role
        kind = [h for h in self.organisation.hosts if h.os == os and h.role == role and h.stays]
        return [h for h in kind if self.is_on(h, self.day)] or kind

    def newcomers(self) -> list[Host]:
        """Hosts of the campaign's system that join while campaigns run."""
        begin, os = self.organisation.campaign_day, self.campaign.hosts.os
        return [h for h in self.organisation.hosts if h.os == os and h.joined >= begin > 0]

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
        return start + timedelta(microseconds=int(seconds * 1e6) % DAY_US)

    def act(self, host: Host, when: datetime) -> None:
        """The campaign's program starts, and connects at the campaign's times."""
        rhythm = self.campaign.rhythm
        if rhythm.starts:
            self.start(host, when)
        for n, transfer in zip(range(rhythm.times), cycle(self.campaign.transfers)):
            self.connect(host, transfer, when + timedelta(seconds=rhythm.first + n * rhythm.every))

    def start(self, host: Host, when: datetime) -> None:
        """A process start."""
        named = f"{host.host_id} {self.campaign.name} {when.isoformat()}"
        self.instances[host.index] = int.from_bytes(blake2b(named.encode(), digest_size=8).digest())
        self.rows.append(self._image(host) | {"event_time": when, "event_type": "process"})

    def connect(self, host: Host, transfer: Transfer, when: datetime) -> None:
        """A connection, and 40 ms before it the lookup if the program knows a name."""
        name = transfer.to
        image = self._image(host) | {
            "remote_host": name if transfer.by_name else None,
            "remote_ip": REAL_ADDRESSES.get(name) or addresses_of(name)[0],
            "direction": "outbound",
        }
        if transfer.by_name:
            lookup = {"event_time": when - timedelta(milliseconds=40), "event_type": "dns", "dns_status": 0}
            self.rows.append(image | lookup | {"remote_port": 53, "protocol": "udp"})
        sent, received = (int(size * self.rng.uniform(0.8, 1.25)) for size in (transfer.sent, transfer.received))
        connection = {"event_time": when, "event_type": "network", "bytes_sent": sent, "bytes_received": received}
        self.rows.append(image | connection | {"remote_port": 443, "protocol": "tcp"})

    def _image(self, host: Host) -> Row:
        """The process columns, and the instance (0: the campaign did not start it).

        What the organisation has installed keeps its hash; other programs get their own.
        """
        installed, program = PROGRAMS[host.os], self.campaign.program
        key, program = (program, installed[program]) if isinstance(program, str) else (program.path, program)
        image = image_of(host, key, program, program.versions[-1])
        pid = 300 + zlib.crc32(f"{host.host_id} {program.path} {program.arguments}".encode()) % 16_000
        return dict(image) | {"process_pid": pid * 4, "instance": self.instances.get(host.index, 0)}
