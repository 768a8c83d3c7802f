"""The table of habits: every regular stream of events of the organisation, and what it is built with.

A habit is (image on a host) x (event type, destinations, rate, time of day, days). The background is drawn from this
table alone, so new kinds of ordinary behaviour are new rows here.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from uncommon_im.pipeline.lab.simulation.organisation.hosts import Host
from uncommon_im.pipeline.lab.simulation.organisation.organisation import Organisation
from uncommon_im.pipeline.lab.simulation.organisation.software import PROGRAMS, Program, sha256_of
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p

NETWORK, DNS, PROCESS = 0, 1, 2
TIMES_OF_DAY = tuple(p.hours)
SYSTEM_USER = {"windows": "NT AUTHORITY\\SYSTEM", "macos": "root", "linux": "root"}

Image = dict[str, str | None]


@dataclass(frozen=True)
class Habit:
    """What a program does regularly.

    Args:
        where: a profile of destinations; `None`: process starts have none.
        rate: events per working day; relative to one another if `ordinary`.
        ordinary: whether the rate is scaled until the whole comes to `parameters.events_per_working_day`.
        hours: time of day; "work" stands for the host's own shift.
        event_type: `NETWORK`, `DNS` or `PROCESS`.
        inbound: whether others connect to it.
        daily: exactly one event on each day that the host is on, whatever the rate.
        days: the days (0-based) of the habit; `None`: all.
        label: the label that its events belong to.
    """

    where: str | None
    rate: float
    ordinary: bool = False
    hours: str = "work"
    event_type: int = NETWORK
    inbound: bool = False
    daily: bool = False
    days: range | None = None
    label: str | None = None


def process_starts(rate: float, **more: Any) -> Habit:
    """The habit of a program that is started so often; `more` are fields of `Habit`."""
    return Habit(None, rate, event_type=PROCESS, **more)


class Row(NamedTuple):
    """A habit of an image: names are numbers, -1 where there is none."""

    image: int
    event_type: int
    profile: int
    rate: float
    ordinary: bool
    hours: int
    first_day: int
    end_day: int
    inbound: bool
    daily: bool
    label: int


@dataclass
class HabitTable:
    """The habits of all hosts, and the images that they refer to; `brief` are those of brief programs."""

    images: list[Image] = field(default_factory=list)
    image_host: list[int] = field(default_factory=list)
    brief: set[int] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)
    resolver_of: dict[int, int] = field(default_factory=dict)

    def column(self, name: str, kind: type = np.int64) -> npt.NDArray[Any]:
        """A field of all rows."""
        return np.array([getattr(row, name) for row in self.rows], dtype=kind)


def image_of(host: Host, key: str, program: Program, version: str) -> Image:
    """The process and parent columns of one program on one host."""
    values = {"user": host.user, "project": host.user.replace(".", "-"), "version": version}
    path, arguments = program.path.format_map(values), program.arguments.format_map(values)
    image = f'"{path}"' if host.os == "windows" else path
    causality = program.causality or program.parent
    return {
        "host_id": host.host_id,
        "host_name": host.host_name,
        "os": host.os,
        "user_name": SYSTEM_USER[host.os] if program.service else host.user_name,
        "process_name": program.name,
        "process_path": path,
        "process_command_line": f"{image} {arguments}".rstrip(),
        "process_sha256": sha256_of(f"{host.os} {key}", version),
        "process_signature_status": program.status,
        "process_signer": program.signer,
        "parent_process_name": program.parent[0],
        "parent_process_command_line": program.parent[1].format_map(values),
        "causality_process_name": causality[0],
        "causality_process_command_line": causality[1].format_map(values),
    }


class HabitBuilder:
    """Adds habits to a table, one host and program at a time.

    `profiles` and `labels` give the index of a profile of destinations and of a label by its name.
    """

    def __init__(
        self, organisation: Organisation, profiles: Mapping[str, int], labels: Mapping[str, int], seed: int
    ) -> None:
        self.organisation = organisation
        self.profiles = profiles
        self.labels = labels
        self.rng = np.random.default_rng([seed, 2])
        self.table = HabitTable()
        self._images: dict[tuple[int, str, str], int] = {}

    def chance(self, share: float) -> bool:
        """Whether something happens that happens with this chance."""
        return bool(self.rng.random() < share)

    def add(self, host: Host, key: str, habit: Habit, program: Program | None = None) -> None:
        """Adds a habit, or one for each version of the program, rolled out in turn. A host without it gets none.

        Args:
            host: where.
            key: the program's key among those of the host's system.
            habit: what the program does.
            program: the program, if it is none of the organisation's.
        """
        program = program or PROGRAMS[host.os].get(key)
        if program is None or habit.rate <= 0:
            return
        days = range(self.organisation.days) if habit.days is None else habit.days
        hours = host.shift if habit.hours == "work" else habit.hours
        for version, current in self._version_days(host, key, program):
            row = Row(
                image=self._image(host, key, program, version),
                event_type=habit.event_type,
                profile=-1 if habit.where is None else self.profiles[habit.where],
                rate=habit.rate,
                ordinary=habit.ordinary,
                hours=TIMES_OF_DAY.index(hours),
                first_day=max(current.start, days.start),
                end_day=min(current.stop, days.stop),
                inbound=habit.inbound,
                daily=habit.daily,
                label=-1 if habit.label is None else self.labels[habit.label],
            )
            self.table.rows.append(row)

    def _version_days(self, host: Host, key: str, program: Program) -> list[tuple[str, range]]:
        """On which days the host has which version: each program is updated in waves of its own."""
        days, count = self.organisation.days, len(program.versions)
        shift = zlib.crc32(key.encode()) % p.update_spread_days - p.update_spread_days // 2
        lag = wave_lag(host)
        starts = [min(max(days * n // count + shift + lag, 0), days) for n in range(1, count)]
        return [(v, range(*ends)) for v, ends in zip(program.versions, pairwise([0, *starts, days]), strict=True)]

    def _image(self, host: Host, key: str, program: Program, version: str) -> int:
        """The index of this image, made on first use."""
        at = (host.index, key, version)
        if at not in self._images:
            self._images[at] = len(self.table.images)
            self.table.images.append(image_of(host, key, program, version))
            self.table.image_host.append(host.index)
            if program.brief:
                self.table.brief.add(self._images[at])
        return self._images[at]


def wave_lag(host: Host) -> int:
    """How many days after the first this host gets new software."""
    return zlib.crc32(host.host_id.encode()) % p.update_wave_days
