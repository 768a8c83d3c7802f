"""Processes as instances: which run of a program an event belongs to, and when that run started.

A brief program's connection, with its lookup, is made by an instance of its own. An ordinary start is that of a process
that never talks. Everything else runs for days: its instances take turns, and begin on days on which the host is on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from uncommon_im.pipeline.lab.simulation.organisation.organisation import Organisation
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.lab.simulation.telemetry.delivery import (
    Floats,
    Numbers,
    instance_numbers,
    is_lost,
    start_numbers,
    uniform,
)
from uncommon_im.pipeline.lab.simulation.telemetry.draw import Draw, Ints
from uncommon_im.pipeline.lab.simulation.traffic.habit_table import PROCESS, TIMES_OF_DAY, HabitTable
from uncommon_im.transforms.rules.columns.days import DAY_US

_LEAD: Final = np.full(1, 6, dtype=np.uint64)


@dataclass(frozen=True)
class Turns:
    """What runs on a day: images that may be `there`, how many instances of each began before, and when one begins.

    `begin` is in µs since 1970, -1 if none does; `unseen` are images whose first instance no sensor saw begin.
    """

    there: npt.NDArray[np.bool_]
    before: Ints
    begin: Ints
    unseen: npt.NDArray[np.bool_]


class Instances:
    """Instances of the images of a table of habits.

    `hour_steps` are the cumulative weights of the hours by time of day, as `Background` has them. `shown` are images
    that occur.
    """

    def __init__(
        self, organisation: Organisation, table: HabitTable, hour_steps: Floats, shown: npt.NDArray[np.bool_], seed: int
    ) -> None:
        self._seed = seed
        self._hour_steps = hour_steps
        self._host = np.array(table.image_host, dtype=np.int64)
        self._brief = np.array([image in table.brief for image in range(len(table.images))])
        self._lasts = shown & ~self._brief
        rng = np.random.default_rng([seed, 5])
        server = np.array([host.is_server for host in organisation.hosts])[self._host]
        least, most = np.where(server, np.array([p.days_of_daemon]).T, np.array([p.days_of_process]).T)
        self._days = rng.integers(least, most + 1)
        self._phase = rng.integers(0, self._days)
        self._hours = np.where(server, TIMES_OF_DAY.index("flat"), TIMES_OF_DAY.index("morning"))
        self._utc_offset = np.array([host.utc_offset for host in organisation.hosts])[self._host]
        seasoned = rng.random(len(organisation.hosts)) < p.seasoned_share
        seasoned &= np.array([not host.joined for host in organisation.hosts])
        self._presence = organisation.presence
        days_on = np.zeros((len(organisation.hosts), organisation.days + 1), dtype=np.int64)
        np.cumsum(organisation.presence > 0, axis=1, out=days_on[:, 1:])
        self._days_on = days_on
        self._first, self._end = _image_days(table, organisation.days)
        self._images_of: defaultdict[tuple[str | None, str | None], list[int]] = defaultdict(list)
        for number, image in enumerate(table.images):
            self._images_of[image["host_id"], image["process_name"]].append(number)
        self._unseen = seasoned[self._host] & (self._first == 0)

    def day(self, day: int, start: int) -> Turns:
        """What runs on a 0-based day that begins at `start` (µs since 1970)."""
        rng = np.random.default_rng([self._seed, 6, day])
        luck = rng.random((2, len(self._host)))
        age = self._days_on[self._host, day + 1] - self._days_on[self._host, np.minimum(self._first, day + 1)]
        turn = (age + self._phase) // self._days - (1 + self._phase) // self._days + 1
        born = age == 1
        begins = born | ((age + self._phase) % self._days == 0)
        there = (self._first <= day) & (day < self._end) & self._lasts
        begins &= there & (self._presence[self._host, day] > 0)
        hour = np.searchsorted(self._hour_steps, self._hours + luck[0], side="right") % 24
        second = ((hour - self._utc_offset) * 3600 + luck[1] * 3600) % 86400
        begin = start + np.floor(np.where(born, luck[1], second) * 1e6).astype(np.int64)
        return Turns(there, np.where(age > 0, turn - begins, 0), np.where(begins, begin, -1), born & self._unseen)

    def of(self, draw: Draw, turns: Turns) -> Numbers:
        """The instance that each event of a day belongs to."""
        begin = turns.begin[draw.image]
        turn = turns.before[draw.image] + ((begin >= 0) & (draw.time >= begin))
        own = self._brief[draw.image] | (draw.event_type == PROCESS)
        return np.where(own, draw.number[draw.run], instance_numbers(self._seed, draw.image, turn))

    def running(self, host_id: str, process_name: str, time: int, turns: Turns) -> int:
        """The instance of a program that runs at a time (µs since 1970) of that day; 0: there is none."""
        found = [image for image in self._images_of.get((host_id, process_name), ()) if turns.there[image]]
        if not found:
            return 0
        turn = turns.before[found] + ((turns.begin[found] >= 0) & (turns.begin[found] <= time))
        return int(instance_numbers(self._seed, np.array(found), turn)[0])

    def starts(self, drawn: Iterable[Draw], turns: Turns) -> Draw:
        """The starts, as far as they arrive, of what begins on a day and lasts, and of the brief among its events."""
        starts = sum((self._brief_starts(draw) for draw in drawn), self._lasting_starts(turns))
        return starts.take(np.flatnonzero(~is_lost(starts.number)))

    def _lasting_starts(self, turns: Turns) -> Draw:
        image = np.flatnonzero((turns.begin >= 0) & ~turns.unseen)
        return _starts(image, turns.begin[image], instance_numbers(self._seed, image, turns.before[image] + 1))

    def _brief_starts(self, draw: Draw) -> Draw:
        earliest = draw.time.copy()
        np.minimum.at(earliest, draw.run, draw.time)
        is_own = (draw.event_type != PROCESS) & (draw.run == np.arange(len(draw)))
        rows = np.flatnonzero(self._brief[draw.image] & is_own)
        least, most = p.start_lead_seconds
        lead = np.floor((least + (most - least) * uniform(draw.number[rows], _LEAD)) * 1e6).astype(np.int64)
        time = np.maximum(earliest[rows] - lead, earliest[rows] - earliest[rows] % DAY_US)
        return _starts(draw.image[rows], time, draw.number[rows])


def _starts(image: Ints, time: Ints, instances: Numbers) -> Draw:
    none, zero = np.full(len(image), -1, dtype=np.int64), np.zeros(len(image), dtype=np.int64)
    return Draw(
        image=image,
        event_type=zero + PROCESS,
        time=time,
        destination=none,
        address=none,
        inbound=zero,
        status=zero,
        label=none,
        run=np.arange(len(image)),
        number=start_numbers(instances),
        instance=instances,
    )


def _image_days(table: HabitTable, days: int) -> tuple[Ints, Ints]:
    """The first day on which each image may run, and the one after the last; an image without any begins after all."""
    first = np.full(len(table.images), days, dtype=np.int64)
    end = np.zeros(len(table.images), dtype=np.int64)
    image, begins, ends = (table.column(name) for name in ("image", "first_day", "end_day"))
    there = begins < ends
    np.minimum.at(first, image[there], begins[there])
    np.maximum.at(end, image[there], ends[there])
    return first, end
