"""When each machine is on: working days, holidays, silent agents, machines that come and go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from uncommon_im.pipeline.lab.simulation.organisation.hosts import Host
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p

Floats = npt.NDArray[np.float64]


def presence_of(hosts: Sequence[Host], days: int, first_day: date, gap: range, rng: np.random.Generator) -> Floats:
    """How much happens on each host on each day: 0 off, 1 an ordinary working day; hosts x days.

    On the days of the `gap` no telemetry comes from any host.
    """
    server = np.array([host.is_server for host in hosts])
    presence = np.where(server[:, None], 1.0, _at_work(len(hosts), days, first_day, rng))
    presence[_silent(len(hosts), days, rng)] = 0.0
    for host in hosts:
        presence[host.index, : host.joined] = 0.0
        if host.joined:
            presence[host.index, host.joined] = 1.0
        if host.left is not None:
            presence[host.index, host.left :] = 0.0
    presence[:, gap] = 0.0
    return presence


def _at_work(hosts: int, days: int, first_day: date, rng: np.random.Generator) -> Floats:
    """People's working days, weekends and holidays."""
    working = np.array([(first_day + timedelta(days=d)).weekday() < 5 for d in range(days)], dtype=bool)
    luck = rng.random((hosts, days))
    desktop = rng.random(hosts) < p.desktop_share
    weekend = ((luck < p.weekend_on) | desktop[:, None]) * p.weekend_activity
    presence = np.where(working, (luck < p.at_work).astype(np.float64), weekend)
    longest = p.holiday_days[1]
    away = rng.integers(-longest, p.holiday_every_days - longest, hosts)
    length = rng.integers(*p.holiday_days, hosts)
    since = (np.arange(days) - away[:, None]) % p.holiday_every_days
    presence[since < length[:, None]] = 0.0
    return presence


def _silent(hosts: int, days: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Days on which a host's agent says nothing although the host is on."""
    length = np.where(rng.random((hosts, days)) < p.host_gap_rate, rng.integers(*p.host_gap_days, (hosts, days)), 0)
    until = np.maximum.accumulate(np.arange(days) + length, axis=1)
    return until > np.arange(days)
