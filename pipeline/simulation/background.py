"""Ordinary traffic, drawn a day at a time from the table of habits. No loop touches a single event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.simulation import parameters as p
from pipeline.simulation.destinations import Destinations, build_destinations
from pipeline.simulation.habits import DNS, HOURS, NETWORK, PROCESS, Habits, HabitTable
from pipeline.simulation.organisation import Organisation
from pipeline.simulation.software import vendor_names
from pipeline.simulation.thinning import read_by_detectors
from pipeline.simulation.write import SCHEMA, event_ids

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_US = 86_400_000_000
EVENT_TYPES = pa.array(["network", "dns", "process"])
DIRECTIONS = pa.array(["outbound", "inbound"])
PROTOCOLS = pa.array(["tcp", "udp"])
NXDOMAIN, TIMEOUT = 9003, 1460
"""Windows error codes that Sysmon reports for failed lookups."""


@dataclass
class Draw:
    """Events of one day as parallel arrays. `address` and `destination` are -1 where there is none."""

    image: Ints
    event_type: Ints
    time: Ints
    destination: Ints
    address: Ints
    inbound: Ints
    status: Ints

    def __len__(self) -> int:
        return len(self.image)


class Background:
    """The ordinary events of an organisation, day by day.

    Each day has random numbers of its own, and so has what detectors read of it: that is the same whether or not the
    rest is drawn too.
    """

    def __init__(self, organisation: Organisation, seed: int, thinned: bool = False) -> None:
        self.organisation = organisation
        self.seed = seed
        self.destinations: Destinations = build_destinations(vendor_names(p.LOCAL_PROGRAM_NAMES))
        self.table: HabitTable = Habits(organisation, self.destinations.profiles, seed).build()
        read = read_by_detectors(self.table, self.destinations.profiles)
        self.parts = [np.flatnonzero(read)] if thinned else [np.flatnonzero(read), np.flatnonzero(~read)]
        self.image = np.array(self.table.image, dtype=np.int64)
        self.host = np.array(self.table.image_host, dtype=np.int64)[self.image]
        self.event_type = np.array(self.table.event_type, dtype=np.int64)
        self.profile = np.array(self.table.profile, dtype=np.int64)
        self.hours = np.array(self.table.hours, dtype=np.int64)
        self.inbound = np.array(self.table.inbound, dtype=np.int64)
        self.first_day = np.array(self.table.first_day, dtype=np.int64)
        self.end_day = np.array(self.table.end_day, dtype=np.int64)
        self.daily = np.array(self.table.daily, dtype=bool)
        self.rate = self._calibrated()
        self.resolver = np.array([self.table.resolver_of[h.index] for h in organisation.hosts], dtype=np.int64)
        self.utc_offset = np.array([h.utc_offset for h in organisation.hosts], dtype=np.int64)
        weights = np.array(HOURS, dtype=np.float64)
        cumulative = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
        self.hour_steps = (cumulative + np.arange(len(HOURS))[:, None]).ravel()
        shown = np.zeros(len(self.table.images), dtype=bool)
        shown[self.image[np.concatenate(self.parts)]] = shown[self.resolver] = True
        self.columns = _image_columns(self.table, shown)
        self.host_names = pa.array(self.destinations.hosts)
        self.addresses = pa.array(self.destinations.addresses)

    def _calibrated(self) -> Floats:
        """Rates a full day, ordinary ones scaled so that the whole comes to `EVENTS_PER_HOST_DAY`."""
        rate = np.array(self.table.rate, dtype=np.float64)
        ordinary = np.array(self.table.ordinary, dtype=bool)
        days = np.arange(self.organisation.days)
        on = (days >= self.first_day[:, None]) & (days < self.end_day[:, None])
        expected = rate * (on * self.organisation.presence[self.host]).sum(axis=1)
        expected = expected * np.where(self.event_type == NETWORK, 1 + p.LOOKUP_BEFORE_CONNECTION, 1.0)
        host_days = sum(self.organisation.days - host.joined for host in self.organisation.hosts)
        total = p.EVENTS_PER_HOST_DAY * host_days
        starts = self.event_type == PROCESS
        for kind, share in ((starts, p.PROCESS_START_SHARE), (~starts, 1 - p.PROCESS_START_SHARE)):
            fixed = float(expected[kind & ~ordinary].sum())
            free = float(expected[kind & ordinary].sum())
            rate[kind & ordinary] *= max(total * share - fixed, 0.0) / max(free, 1e-9)
        return rate

    def day(self, day: int) -> pa.Table:
        """All ordinary events of one UTC day, in no particular order."""
        return pa.concat_tables(self._part(part, day) for part in range(len(self.parts)))

    def _part(self, part: int, day: int) -> pa.Table:
        rng = np.random.default_rng([self.seed, 3, day, part])
        habits = self.parts[part]
        on = (self.first_day[habits] <= day) & (day < self.end_day[habits])
        presence = self.organisation.presence[self.host[habits], day] * on
        counts = np.where(self.daily[habits], presence > 0, rng.poisson(self.rate[habits] * presence))
        draw = self._with_lookups(self._draw(np.repeat(habits, counts), day, rng), rng)
        ids = event_ids(self.seed, self.organisation.day(day), part, len(draw))
        return self._as_table(draw, rng).add_column(0, "event_id", ids)

    def _draw(self, habit: Ints, day: int, rng: np.random.Generator) -> Draw:
        hour = np.searchsorted(self.hour_steps, self.hours[habit] + rng.random(len(habit)), side="right") % 24
        second = (hour - self.utc_offset[self.host[habit]]) * 3600 + rng.random(len(habit)) * 3600
        time = np.floor((second % 86400) * 1e6).astype(np.int64)
        destination = np.full(len(habit), -1, dtype=np.int64)
        address = destination.copy()
        reaches = np.flatnonzero(self.profile[habit] >= 0)
        destination[reaches] = self.destinations.pick(self.profile[habit[reaches]], rng)
        address[reaches] = self.destinations.pick_address(destination[reaches], rng)
        kind = self.event_type[habit]
        failed = kind == DNS
        address[failed] = -1
        return Draw(
            self.image[habit],
            kind,
            self._start_of(day) + time,
            destination,
            address,
            self.inbound[habit],
            np.where(failed, NXDOMAIN, 0),
        )

    def _start_of(self, day: int) -> int:
        """Start of a 0-based day, in µs since 1970."""
        return (self.organisation.day(day).toordinal() - 719_163) * DAY_US

    def _with_lookups(self, draw: Draw, rng: np.random.Generator) -> Draw:
        """Add the lookup in front of some connections, made by the program itself or by the system's resolver."""
        candidates = (draw.event_type == NETWORK) & (draw.inbound == 0)
        looked = np.flatnonzero(candidates & (rng.random(len(draw)) < p.LOOKUP_BEFORE_CONNECTION))
        image_host = np.array(self.table.image_host, dtype=np.int64)
        resolved = rng.random(len(looked)) < p.LOOKUP_BY_RESOLVER
        image = np.where(resolved, self.resolver[image_host[draw.image[looked]]], draw.image[looked])
        lead = np.floor(rng.uniform(*p.LOOKUP_LEAD_SECONDS, len(looked)) * 1e6).astype(np.int64)
        time = draw.time[looked]
        time = np.maximum(time - lead, time - time % DAY_US)
        timeout = rng.random(len(looked)) < p.LOOKUP_TIMEOUT_SHARE
        address = np.where(timeout, -1, draw.address[looked])
        return Draw(
            image=np.concatenate([draw.image, image]),
            event_type=np.concatenate([draw.event_type, np.full(len(looked), DNS)]),
            time=np.concatenate([draw.time, time]),
            destination=np.concatenate([draw.destination, draw.destination[looked]]),
            address=np.concatenate([draw.address, address]),
            inbound=np.concatenate([draw.inbound, np.zeros(len(looked), dtype=np.int64)]),
            status=np.concatenate([draw.status, np.where(timeout, TIMEOUT, 0)]),
        )

    def _as_table(self, draw: Draw, rng: np.random.Generator) -> pa.Table:
        n = len(draw)
        network, lookup = draw.event_type == NETWORK, draw.event_type == DNS
        reaches = network | lookup
        nameless = network & (rng.random(n) < p.NAMELESS_SHARE) & (draw.inbound == 0)
        host = np.where(nameless | (draw.inbound == 1), -1, draw.destination)
        pids = rng.integers(300, 16_000, len(self.table.images)) * 4
        port = np.where(lookup, 53, np.where(draw.inbound == 1, rng.integers(40_000, 60_000, n), 443))
        sent = np.floor(rng.lognormal(7.2, 1.1, n)).astype(np.int64)
        received = np.floor(rng.lognormal(8.6, 1.6, n)).astype(np.int64)
        made: dict[str, pa.Array] = {
            name: _dictionary(indices[draw.image], values) for name, (indices, values) in self.columns.items()
        }
        made |= {
            "event_time": pa.array(draw.time).cast(pa.timestamp("us", tz="UTC")),
            "event_type": _dictionary(draw.event_type, EVENT_TYPES),
            "process_pid": pa.array(pids[draw.image]),
            "remote_host": _dictionary(host, self.host_names),
            "remote_ip": _dictionary(draw.address, self.addresses),
            "remote_port": pa.array(port, mask=~reaches),
            "protocol": _dictionary(np.where(reaches, lookup.astype(np.int64), -1), PROTOCOLS),
            "direction": _dictionary(np.where(reaches, draw.inbound, -1), DIRECTIONS),
            "bytes_sent": pa.array(sent, mask=~network),
            "bytes_received": pa.array(received, mask=~network),
            "dns_status": pa.array(draw.status, mask=~lookup),
        }
        return pa.table([made[name] for name in SCHEMA.names], schema=SCHEMA)


def _dictionary(indices: Ints, values: pa.Array) -> pa.DictionaryArray:
    """A dictionary column; negative indices are null."""
    return pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int32), mask=indices < 0), values)


def _image_columns(table: HabitTable, shown: npt.NDArray[np.bool_]) -> dict[str, tuple[Ints, pa.Array]]:
    """For every process column: the code of each image, and what the codes of those that are shown stand for."""
    columns = {}
    for name in table.images[0]:
        values = [image[name] if show else None for image, show in zip(table.images, shown, strict=True)]
        encoded = pa.array(values, type=pa.string()).dictionary_encode()
        columns[name] = (encoded.indices.fill_null(-1).to_numpy().astype(np.int64), encoded.dictionary)
    return columns
