"""Who does what how often: every regular stream of events of the organisation, as one table.

A habit is (image on a host) x (event type, destinations, rate, time of day, days). The background is drawn from this
table alone, so new kinds of ordinary behaviour are new rows here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.simulation import parameters as p
from pipeline.simulation.organisation import Host, Organisation
from pipeline.simulation.programs import Program, sha256_of
from pipeline.simulation.software import PROGRAMS, local_program, vendor_names

NETWORK, DNS, PROCESS = 0, 1, 2
WORK, FLAT, NIGHT, MORNING = 0, 1, 2, 3
HOURS = (
    (0, 0, 0, 0, 0, 0, 0.5, 2, 6, 9, 10, 9, 6, 8, 9, 9, 8, 6, 3, 1.5, 1, 0.7, 0.3, 0.1),
    (1,) * 24,
    (0, 2, 5, 4, 1) + (0,) * 19,
    (0,) * 6 + (0.5, 2, 6, 4, 1) + (0,) * 13,
)
"""Weight of each local hour, by time of day: work, flat, night, morning (judgement)."""
SYSTEM_USER = {"windows": "NT AUTHORITY\\SYSTEM", "macos": "root", "linux": "root"}

Image = dict[str, str | None]


@dataclass
class HabitTable:
    """Columns of equal length, one entry a habit, and the images they refer to."""

    images: list[Image] = field(default_factory=list)
    image_host: list[int] = field(default_factory=list)
    image: list[int] = field(default_factory=list)
    event_type: list[int] = field(default_factory=list)
    profile: list[int] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    ordinary: list[bool] = field(default_factory=list)
    hours: list[int] = field(default_factory=list)
    first_day: list[int] = field(default_factory=list)
    end_day: list[int] = field(default_factory=list)
    inbound: list[bool] = field(default_factory=list)
    daily: list[bool] = field(default_factory=list)
    resolver_of: dict[int, int] = field(default_factory=dict)


def image_of(host: Host, key: str, program: Program, version: str) -> Image:
    """The process and parent columns of one program on one host."""
    path = program.path.format(user=host.user, version=version)
    quoted = f'"{path}"' if host.os == "windows" else path
    arguments = program.arguments.format(user=host.user, version=version)
    causality = program.causality or program.parent
    return {
        "host_id": host.host_id,
        "host_name": host.host_name,
        "os": host.os,
        "user_name": SYSTEM_USER[host.os] if program.service else host.user_name,
        "process_name": program.name,
        "process_path": path,
        "process_command_line": f"{quoted} {arguments}".rstrip(),
        "process_sha256": sha256_of(f"{host.os} {key}", version),
        "process_signature_status": program.status,
        "process_signer": program.signer,
        "parent_process_name": program.parent[0],
        "parent_process_command_line": program.parent[1],
        "causality_process_name": causality[0],
        "causality_process_command_line": causality[1],
    }


class Habits:
    """Builds the table host by host."""

    def __init__(self, organisation: Organisation, profiles: dict[str, int], seed: int) -> None:
        self.organisation = organisation
        self.profiles = profiles
        self.rng = np.random.default_rng([seed, 2])
        self.table = HabitTable()
        self.vendors = vendor_names(p.LOCAL_PROGRAM_NAMES)
        self._images: dict[tuple[int, str, str], int] = {}

    def build(self) -> HabitTable:
        for host in self.organisation.hosts:
            self._everyday(host)
            self._local(host)
            if host.is_server:
                self._server(host)
            else:
                self._messengers(host)
        self._integrations(self.organisation.hosts)
        return self.table

    def _add(
        self,
        host: Host,
        key: str,
        where: str | None,
        rate: float,
        *,
        ordinary: bool = False,
        hours: int = WORK,
        event_type: int = NETWORK,
        inbound: bool = False,
        daily: bool = False,
        program: Program | None = None,
    ) -> None:
        """One habit, or one for each version of the program, rolled out in turn; `ordinary` rates are relative.

        A `daily` one has one event on each day that the host is on.
        """
        program = program or PROGRAMS[host.os].get(key)
        if program is None or rate <= 0:
            return
        days, table, versions = self.organisation.days, self.table, program.versions
        lag = host.index % 3
        for n, version in enumerate(versions):
            start = 0 if n == 0 else days * n // len(versions) + lag
            end = days if n == len(versions) - 1 else days * (n + 1) // len(versions) + lag
            table.image.append(self._image(host, key, program, version))
            table.event_type.append(event_type)
            table.profile.append(-1 if where is None else self.profiles[where])
            table.rate.append(rate)
            table.ordinary.append(ordinary)
            table.hours.append(FLAT if host.is_server and hours == WORK else hours)
            table.first_day.append(start)
            table.end_day.append(min(end, days))
            table.inbound.append(inbound)
            table.daily.append(daily)

    def _image(self, host: Host, key: str, program: Program, version: str) -> int:
        """The index of this image, made on first use."""
        at = (host.index, key, version)
        if at not in self._images:
            self._images[at] = len(self.table.images)
            self.table.images.append(image_of(host, key, program, version))
            self.table.image_host.append(host.index)
        return self._images[at]

    def _everyday(self, host: Host) -> None:
        """What every machine does: browse, update, scan, look up; rates are relative to one another."""
        lively = float(self.rng.lognormal(0.0, 0.35))
        connections = (
            ("chrome", "web", 34.0),
            ("chrome", "internal", 4.0),
            ("edge", "web", 10.0),
            ("edge", "internal", 2.0),
            ("firefox", "web", 6.0 * (self.rng.random() < 0.3)),
            ("outlook", "mail", 8.0),
            ("word", "files", 1.5),
            ("excel", "files", 1.5),
            ("onedrive", "files", 4.0),
            ("svchost", "microsoft", 5.0),
            ("defender", "microsoft", 2.5),
            ("background", "microsoft", 2.0),
            ("updater", "updates", 1.5),
        )
        for key, where, rate in connections:
            where = {"macos": "apple", "linux": "linux"}.get(host.os, where) if where == "microsoft" else where
            if host.is_server and key in ("chrome", "edge", "firefox"):
                continue
            self._add(host, key, where, rate * lively, ordinary=True)
        lookups = sum(rate for _, _, rate in connections) * p.LOOKUP_BEFORE_CONNECTION
        self._add(host, "resolver", "missing", lookups * p.FAILED_LOOKUP_SHARE, ordinary=True, event_type=DNS)
        self.table.resolver_of[host.index] = self.table.image[-1]
        if host.department == "engineering":
            for key, rate in (("code", 4.0), ("git", 5.0), ("python", 2.0)):
                self._add(host, key, "development", rate * lively, ordinary=True)
                self._add(host, key, None, rate, ordinary=True, event_type=PROCESS)
        starts = (
            ("chrome", 6.0),
            ("edge", 3.0),
            ("svchost", 5.0),
            ("conhost", 4.0),
            ("runtime", 5.0),
            ("background", 4.0),
            ("updater", 1.0),
            ("word", 1.0),
            ("excel", 1.0),
            ("outlook", 1.0),
        )
        for key, rate in starts:
            self._add(host, key, None, rate * lively, ordinary=True, event_type=PROCESS)
        self._add(host, "agent", "agent", 1.0, daily=True, hours=MORNING)
        self._add(host, "inventory", "internal", 1.5, hours=MORNING)
        for key in ("inventory", "baseline"):
            self._add(host, key, None, 1.5, event_type=PROCESS, hours=MORNING)
        if host.os == "windows":
            self._add(host, "edge", "edge-config", p.EDGE_TELEMETRY_RATE * 0.7)
            self._add(host, "background", "edge-config", p.EDGE_TELEMETRY_RATE * 0.3, hours=FLAT)

    def _local(self, host: Host) -> None:
        """A few programs that hardly anybody else has."""
        least, most = p.LOCAL_PROGRAMS
        chosen = self.rng.choice(len(self.vendors), int(self.rng.integers(least, most + 1)), replace=False)
        for vendor in (self.vendors[i] for i in chosen):
            program = local_program(vendor, host.os)
            rate = float(self.rng.lognormal(0.0, 0.5))
            self._add(host, vendor, vendor, rate, ordinary=True, program=program)
            self._add(host, vendor, None, rate, ordinary=True, event_type=PROCESS, program=program)

    def _messengers(self, host: Host) -> None:
        """Native clients by department, a web client for some, an odd visit now and then."""
        for key, shares in p.CLIENT_SHARES.items():
            has = self.rng.random() < shares[host.department]
            if not (has or (host.joined and key == "teams")) or (host.joined and key != "teams"):
                continue
            self._add(host, key, key, p.CLIENT_RATE)
            self._add(host, key, None, 1.0, event_type=PROCESS, hours=MORNING)
            if key == "teams":
                self._add(host, "webview", "teams", p.CLIENT_RATE / 3)
                self._add(host, "outlook", "teams", 0.1 * (host.os == "windows"))
            if key == "discord":
                self._add(host, "discord-update", "discord-update", 0.5, hours=MORNING)
        browser = "chrome" if self.rng.random() < 0.75 or host.os != "windows" else "edge"
        favourite = ("teams", "whatsapp", "google-chat", "slack")[int(self.rng.integers(4))]
        if self.rng.random() < p.WEB_CLIENT_SHARE and not host.joined:
            self._add(host, browser, favourite, p.WEB_CLIENT_RATE)
        if not host.joined:
            self._add(host, browser, "odd", p.ODD_VISIT_RATE)

    def _server(self, host: Host) -> None:
        """Servers: people log in, jobs run and tell a channel."""
        self._add(host, "svchost", "internal", 8.0, ordinary=True, inbound=True)
        if host.role == "ci":
            self._add(host, "ci-job", "development", 40.0, ordinary=True)
            self._add(host, "ci-notify", "slack-hooks", 5.0)
            self._add(host, "ci-notify", None, 5.0, event_type=PROCESS)
        elif host.role == "monitoring":
            self._add(host, "grafana", "internal", 40.0, ordinary=True)
            self._add(host, "grafana", "slack-hooks", 3.0)
        else:
            self._add(host, "background", "internal", 40.0, ordinary=True, hours=NIGHT)
            self._add(host, "backup-notify", "slack-hooks", 1.5, hours=NIGHT)

    def _integrations(self, hosts: Sequence[Host]) -> None:
        """One help-desk machine posts to a Teams channel."""
        helpdesk = next((h for h in hosts if h.os == "windows" and h.department == "support"), None)
        if helpdesk:
            self._add(helpdesk, "notify", "teams-hooks", 2.0)
            self._add(helpdesk, "notify", None, 2.0, event_type=PROCESS)
