"""The people and machines of a simulated organisation, and when they are at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from pipeline.simulation import parameters as p

FIRST_NAMES = (
    "anna",
    "ben",
    "carla",
    "david",
    "elif",
    "felix",
    "grace",
    "hugo",
    "ines",
    "jonas",
    "kira",
    "liam",
    "mara",
    "nils",
    "olga",
    "paul",
    "quinn",
    "rosa",
    "sami",
    "tara",
    "umut",
    "vera",
    "wim",
    "yara",
    "zoe",
)
LAST_NAMES = (
    "adler",
    "bauer",
    "costa",
    "diaz",
    "evans",
    "fischer",
    "graf",
    "hansen",
    "ito",
    "jansen",
    "keller",
    "lopez",
    "meyer",
    "novak",
    "okafor",
    "peters",
    "quist",
    "rossi",
    "silva",
    "tanaka",
    "ueda",
    "vogel",
    "weber",
    "young",
    "zimmer",
)
SERVER_ROLES = ("ci", "monitoring", "backup")
MACHINE_LETTER = {"windows": "w", "macos": "m", "linux": "l"}


@dataclass(frozen=True)
class Host:
    """One machine. `utc_offset` is in hours; `joined` is the first day (0-based) on which it exists."""

    index: int
    host_id: str
    host_name: str
    os: str
    role: str
    department: str
    user: str
    utc_offset: int
    joined: int = 0

    @property
    def is_server(self) -> bool:
        return self.role != "workstation"

    @property
    def user_name(self) -> str:
        """The interactive user as the agent writes it."""
        return f"CORP\\{self.user}" if self.os == "windows" else self.user


@dataclass(frozen=True)
class Organisation:
    """All hosts over all days. `presence[host, day]` scales activity: 0 is off, 1 an ordinary working day.

    On the days of the `gap` no telemetry came from any host.
    """

    hosts: tuple[Host, ...]
    first_day: date
    days: int
    presence: npt.NDArray[np.float64]
    gap: range = range(0)

    def day(self, index: int) -> date:
        """The date of a 0-based day."""
        return self.first_day + timedelta(days=index)

    def is_working_day(self, index: int) -> bool:
        return self.day(index).weekday() < 5


def campaign_start(days: int) -> int:
    """First day (0-based) on which campaigns are planted."""
    return min(p.CAMPAIGN_DAY, int(days * p.CAMPAIGN_START_SHARE))


def build_organisation(hosts: int, days: int, seed: int, first_day: date, gap_days: int = 0) -> Organisation:
    """Draw an organisation; the same arguments give the same one."""
    rng = np.random.default_rng([seed, 1])
    servers = round(hosts * p.SERVERS_PER_HOST) if hosts >= 4 else 0
    systems = _shares_to_list(p.OS_SHARES, hosts - servers)
    departments = _shares_to_list(p.DEPARTMENTS, hosts - servers)
    rng.shuffle(departments)
    offices = [p.OFFICES[i] for i in rng.choice(len(p.OFFICES), hosts, p=[share for _, _, share in p.OFFICES])]
    made = [_workstation(i, system, departments[i], offices[i][0], offices[i][1]) for i, system in enumerate(systems)]
    made += [_server(i, SERVER_ROLES[(i - len(made)) % len(SERVER_ROLES)]) for i in range(len(made), hosts)]
    made = _with_new_hire(made, days, first_day)
    presence = _presence(made, days, first_day, rng)
    gap = range(days - p.DAYS_AFTER_GAP - gap_days, days - p.DAYS_AFTER_GAP) if gap_days else range(0)
    presence[:, gap] = 0.0
    return Organisation(tuple(made), first_day, days, presence, gap)


def _shares_to_list(shares: dict[str, float], count: int) -> list[str]:
    """`count` names in proportion to their shares, as even as possible (largest remainder)."""
    names = list(shares)
    exact = np.array([shares[name] for name in names]) * count / sum(shares.values())
    whole = np.floor(exact).astype(int)
    for extra in np.argsort(whole - exact, kind="stable")[: count - int(whole.sum())]:
        whole[extra] += 1
    return [name for name, times in zip(names, whole, strict=True) for _ in range(int(times))]


def _workstation(index: int, system: str, department: str, office: str, offset: int) -> Host:
    first = FIRST_NAMES[index % len(FIRST_NAMES)]
    last = LAST_NAMES[(index * 7 + index // len(FIRST_NAMES)) % len(LAST_NAMES)]
    again = index // (len(FIRST_NAMES) * len(LAST_NAMES))
    user = f"{first}.{last}{again or ''}"
    host_id = f"{office}-{MACHINE_LETTER[system]}{index:05d}"
    return Host(index, host_id, f"{host_id}.corp.example", system, "workstation", department, user, offset)


def _server(index: int, role: str) -> Host:
    host_id = f"srv-{role}-{index:05d}"
    return Host(index, host_id, f"{host_id}.corp.example", "linux", role, "operations", f"svc-{role}", 0)


def _with_new_hire(hosts: Sequence[Host], days: int, first_day: date) -> list[Host]:
    """Let the last Windows workstation join only when the campaigns do, if the organisation is large enough."""
    start = campaign_start(days)
    joining = [d for d in range(start, days) if (first_day + timedelta(days=d)).weekday() < 5]
    windows = [host.index for host in hosts if host.os == "windows" and not host.is_server]
    made = list(hosts)
    if len(hosts) >= p.ORDINARY_COMPANY and joining and start > 0:
        old = made[windows[-1]]
        made[old.index] = Host(
            old.index,
            old.host_id,
            old.host_name,
            old.os,
            old.role,
            "finance",
            old.user,
            old.utc_offset,
            joining[0],
        )
    return made


def _presence(hosts: Sequence[Host], days: int, first_day: date, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    weekday = np.array([(first_day + timedelta(days=d)).weekday() < 5 for d in range(days)], dtype=bool)
    luck = rng.random((len(hosts), days))
    work = (luck < p.AT_WORK).astype(np.float64)
    weekend = (luck < p.WEEKEND_ON) * p.WEEKEND_ACTIVITY
    presence = np.where(weekday[None, :], work, weekend)
    for host in hosts:
        if host.is_server:
            presence[host.index] = 1.0
        if host.joined:
            presence[host.index, : host.joined] = 0.0
            presence[host.index, host.joined] = 1.0
    return presence
