"""The machines of a simulated organisation and whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

import numpy as np

from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p

SERVER_ROLES = ("ci", "monitoring", "backup")
MACHINE_LETTER = {"windows": "w", "macos": "m", "linux": "l"}


@dataclass(frozen=True)
class Host:
    """One machine. `utc_offset` is in hours, `shift` a time of day of `parameters.hours`.

    `joined` is the first day (0-based) on which it exists, `left` the first on which it does no longer.
    """

    index: int
    host_id: str
    host_name: str
    os: str
    role: str
    department: str
    user: str
    utc_offset: int
    shift: str = "work"
    joined: int = 0
    left: int | None = None

    @property
    def is_server(self) -> bool:
        return self.role != "workstation"

    @property
    def stays(self) -> bool:
        """Whether it exists all the time."""
        return not self.joined and self.left is None

    @property
    def user_name(self) -> str:
        """The interactive user as the agent writes it."""
        return f"CORP\\{self.user}" if self.os == "windows" else self.user


def make_hosts(hosts: int, rng: np.random.Generator) -> list[Host]:
    """All machines, workstations first, as if they had always been there."""
    servers = round(hosts * p.servers_per_host) if hosts >= 4 else 0
    systems = _shares_to_list(p.os_shares, hosts - servers)
    departments = _shares_to_list(p.departments, hosts - servers)
    rng.shuffle(departments)
    offices = [p.offices[i] for i in rng.choice(len(p.offices), hosts, p=[share for _, _, share in p.offices])]
    people = zip(systems, departments, offices, strict=False)
    workstations = [_workstation(i, *person) for i, person in enumerate(people)]
    workstations = [replace(host, shift=_shift(host.department, rng)) for host in workstations]
    roles = islice(cycle(SERVER_ROLES), servers)
    return workstations + [_server(i, role) for i, role in enumerate(roles, len(workstations))]


def with_new_machines(
    hosts: Sequence[Host], days: int, working_days: Sequence[int], campaigns: int, rng: np.random.Generator
) -> list[Host]:
    """Let some workstations join on a working day, a part of them in place of a colleague's older machine.

    In an organisation that is large enough one new hire, in finance and with Windows, joins when campaigns have begun.

    Args:
        hosts: all machines.
        days: how long the telemetry is.
        working_days: the days (0-based) on which machines may join, ascending.
        campaigns: the day on which campaigns begin.
        rng: draws who and when.
    """
    machines = list(hosts)
    people = [host.index for host in hosts if not host.is_server]
    if len(hosts) < p.ordinary_company or not working_days:
        return machines
    count = min(round(p.new_hosts_per_month * days / 30 * len(people)), len(people) // 4)
    first_days = working_days[p.first_replacement :] or working_days
    order = [int(i) for i in rng.choice(people, 2 * count, replace=False)]
    for new, old in zip(order[:count], order[count:], strict=True):
        machines[new] = replace(machines[new], joined=int(rng.choice(first_days)))
        if rng.random() < p.replacement_share:
            machines[old] = replace(machines[old], left=machines[new].joined)
            person = {name: getattr(machines[old], name) for name in ("user", "department", "shift")}
            machines[new] = replace(machines[new], **person)
    later = [day for day in working_days if day >= campaigns]
    windows = [i for i in people if machines[i].os == "windows" and machines[i].stays]
    if later and windows:
        machines[windows[-1]] = replace(machines[windows[-1]], department="finance", shift="work", joined=later[0])
    return machines


def _shares_to_list(shares: dict[str, float], count: int) -> list[str]:
    """`count` names in proportion to their shares, as even as possible (largest remainder)."""
    names = list(shares)
    exact = np.array([shares[name] for name in names]) * count / sum(shares.values())
    whole = np.floor(exact).astype(int)
    for extra in np.argsort(whole - exact, kind="stable")[: count - int(whole.sum())]:
        whole[extra] += 1
    return list(np.repeat(names, whole).tolist())


def _shift(department: str, rng: np.random.Generator) -> str:
    shares = p.shifts.get(department, {"work": 1.0})
    return str(rng.choice(list(shares), p=list(shares.values())))


def _workstation(index: int, system: str, department: str, office: tuple[str, int, float]) -> Host:
    code, offset, _ = office
    first, last = len(p.first_names), len(p.last_names)
    again = index // (first * last)
    user = f"{p.first_names[index % first]}.{p.last_names[(index * 7 + index // first) % last]}{again or ''}"
    host_id = f"{code}-{MACHINE_LETTER[system]}{index:05d}"
    return Host(index, host_id, f"{host_id}.corp.example", system, "workstation", department, user, offset)


def _server(index: int, role: str) -> Host:
    host_id = f"srv-{role}-{index:05d}"
    name = f"{host_id}.corp.example"
    return Host(index, host_id, name, "linux", role, "operations", f"svc-{role}", 0, shift="flat")
