"""Planted campaigns: the registry, the stage on which they act, and their labels.

A campaign is a function that acts on a `Stage`: it picks hosts and lets programs start and connect there. It is
registered with what the label says about it. Each has random numbers of its own, so a new one at the end of the list
leaves all others as they were.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np

from pipeline.simulation import parameters as p
from pipeline.simulation.destinations import addresses_of
from pipeline.simulation.habits import image_of
from pipeline.simulation.organisation import Host, Organisation, campaign_start
from pipeline.simulation.programs import Program
from pipeline.simulation.software import PROGRAMS

Row = dict[str, Any]

REAL_ADDRESSES = {
    "api.telegram.org": "149.154.167.220",
    "telegram-datacentre": "149.154.167.51",
}
"""Telegram's own addresses (core.telegram.org/resources/cidr.txt); other hosts get the simulation's."""


@dataclass(frozen=True)
class Campaign:
    """What is planted, and what a detector should make of it.

    `expected` is a variation of the detector (`base`, `suspicious_process`, `uncommon_scripting_engine`) or `none`,
    for telemetry long enough for campaigns to begin on `parameters.CAMPAIGN_DAY`.
    """

    campaign: str
    title: str
    technique: str
    malicious: bool
    expected: str
    why: str
    source: str
    act: Callable[[Stage], None]


CAMPAIGNS: list[Campaign] = []


def campaign(
    name: str,
    *,
    title: str,
    technique: str,
    expected: str,
    why: str,
    source: str = "",
    malicious: bool = True,
) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Register the decorated function as a campaign."""

    def register(act: Callable[[Stage], None]) -> Callable[[Stage], None]:
        CAMPAIGNS.append(Campaign(name, title, technique, malicious, expected, why, source, act))
        return act

    return register


@dataclass
class Stage:
    """What one campaign can do, from its 0-based `first_day` on. `at(host, day, 9)` is nine in the host's office."""

    organisation: Organisation
    first_day: int
    rng: np.random.Generator
    used: set[int]
    rows: list[Row] = field(default_factory=list)

    def pick(
        self,
        os: str,
        count: int = 1,
        department: str | None = None,
        role: str = "workstation",
        strict: bool = False,
    ) -> list[Host]:
        """Up to `count` hosts of a kind, if possible of the department and used by no other campaign.

        Small organisations may not have them: then those of other departments serve, unless `strict`, and used ones.
        """
        kind = [h for h in self.organisation.hosts if h.os == os and h.role == role and not h.joined]
        own = [h for h in kind if department in (None, h.department)]
        if strict:
            kind = own
        fresh = [[h for h in hosts if h.index not in self.used] for hosts in (own, kind)]
        pool = fresh[0] or fresh[1] or own or kind
        chosen = [pool[i] for i in self.rng.permutation(len(pool))[:count]]
        self.used.update(h.index for h in chosen)
        return sorted(chosen, key=lambda h: h.index)

    def newcomers(self) -> list[Host]:
        """Hosts that join while the campaigns run."""
        return [h for h in self.organisation.hosts if h.joined]

    def working_day(self) -> int:
        """The campaign's first day, or the first working day after it that has telemetry, or else the last day."""
        later = range(self.first_day, self.organisation.days)
        return next(
            (d for d in later if self.organisation.is_working_day(d) and d not in self.organisation.gap), later[-1]
        )

    def at(self, host: Host, day: int, hour: float) -> datetime:
        """A moment of a day, somewhere in the quarter of an hour that begins at the host's local `hour`."""
        start = datetime.combine(self.organisation.day(day), time(), UTC)
        seconds = ((hour - host.utc_offset) % 24) * 3600 + float(self.rng.uniform(0, 900))
        return start + timedelta(microseconds=int(seconds * 1e6) % 86_400_000_000)

    def start(self, host: Host, program: Program, when: datetime) -> None:
        """A process start."""
        self.rows.append(self._image(host, program) | {"event_time": when, "event_type": "process"})

    def connect(
        self,
        host: Host,
        program: Program,
        destination: str,
        when: datetime,
        *,
        sent: int = 1_800,
        received: int = 4_200,
        named: bool = True,
    ) -> None:
        """A connection (bytes each way), and 40 ms before it the lookup if the program knows a name."""
        image = self._image(host, program)
        address = REAL_ADDRESSES.get(destination) or addresses_of(destination)[0]
        reached: Row = {
            "remote_host": destination if named else None,
            "remote_ip": address,
            "direction": "outbound",
        }
        if named:
            self.rows.append(
                image
                | reached
                | {
                    "event_time": when - timedelta(milliseconds=40),
                    "event_type": "dns",
                    "remote_port": 53,
                    "protocol": "udp",
                    "dns_status": 0,
                }
            )
        self.rows.append(
            image
            | reached
            | {
                "event_time": when,
                "event_type": "network",
                "remote_port": 443,
                "protocol": "tcp",
                "bytes_sent": int(sent * self.rng.uniform(0.8, 1.25)),
                "bytes_received": int(received * self.rng.uniform(0.8, 1.25)),
            }
        )

    def _image(self, host: Host, program: Program) -> Row:
        """The process columns. What the organisation has installed keeps its hash; other programs get their own."""
        known = next((key for key, value in PROGRAMS[host.os].items() if value == program), None)
        image = image_of(host, known or program.path, program, program.versions[-1])
        pid = 300 + zlib.crc32(f"{host.host_id} {program.path} {program.arguments}".encode()) % 16_000
        return dict(image) | {"process_pid": pid * 4}


@dataclass(frozen=True)
class Planted:
    """A campaign that has been acted out; `rows` are ordered by time."""

    campaign: Campaign
    rows: list[Row]

    def label(self, event_ids: list[str]) -> dict[str, Any]:
        """What stands in `labels.jsonl`; times are RFC 3339, UTC."""
        told = self.campaign
        return {
            "campaign": told.campaign,
            "title": told.title,
            "technique": told.technique,
            "malicious": told.malicious,
            "expected_variation": told.expected,
            "why": told.why,
            "source": told.source,
            "host_ids": (hosts := sorted({row["host_id"] for row in self.rows})),
            "hosts": hosts,
            "days": sorted({row["event_time"].date().isoformat() for row in self.rows}),
            "first_event": _rfc3339(self.rows[0]["event_time"]),
            "first_time": _rfc3339(self.rows[0]["event_time"]),
            "last_time": _rfc3339(self.rows[-1]["event_time"]),
            "events": len(self.rows),
            "event_ids": event_ids,
        }


def plant(organisation: Organisation, seed: int) -> list[Planted]:
    """Act all campaigns out, each from a day on that the seed chooses. One that finds no host it needs is left out.

    Hosts on which something happens are on that day. What falls on days without telemetry is lost.
    """
    days = [d for d in range(campaign_start(organisation.days), organisation.days) if d not in organisation.gap]
    seen = {organisation.day(d): d for d in range(organisation.days) if d not in organisation.gap}
    index = {host.host_id: host.index for host in organisation.hosts}
    used: set[int] = set()
    planted = []
    for known in CAMPAIGNS:
        rng = np.random.default_rng([seed, 4, zlib.crc32(known.campaign.encode())])
        stage = Stage(organisation, days[int(rng.integers(len(days)))], rng, used)
        known.act(stage)
        rows = sorted((r for r in stage.rows if r["event_time"].date() in seen), key=lambda r: r["event_time"])
        for row in rows:
            at = index[row["host_id"]], seen[row["event_time"].date()]
            organisation.presence[at] = max(organisation.presence[at], p.WEEKEND_ACTIVITY)
        if rows:
            planted.append(Planted(known, rows))
    return planted


def has_company(organisation: Organisation) -> bool:
    """Whether there are enough hosts for campaigns that presuppose an organisation around them."""
    return len(organisation.hosts) >= p.ORDINARY_COMPANY


def _rfc3339(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
