"""Ordinary traffic, drawn a day at a time from the table of habits. No loop touches a single event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uncommon_im.pipeline.lab.simulation.organisation.organisation import Organisation
from uncommon_im.pipeline.lab.simulation.organisation.software import vendor_names
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.lab.simulation.telemetry.delivery import event_numbers
from uncommon_im.pipeline.lab.simulation.telemetry.draw import Draw, Ints
from uncommon_im.pipeline.lab.simulation.telemetry.write import ROW_SCHEMA
from uncommon_im.pipeline.lab.simulation.traffic.destinations import Destinations, build_destinations
from uncommon_im.pipeline.lab.simulation.traffic.habit_table import DNS, NETWORK, PROCESS, HabitBuilder, HabitTable
from uncommon_im.pipeline.lab.simulation.traffic.habits import build_habits
from uncommon_im.pipeline.lab.simulation.traffic.instances import Instances
from uncommon_im.pipeline.lab.simulation.traffic.thinning import fewer_starts, read_by_detectors
from uncommon_im.transforms.rules.columns.days import DAY_US

Floats = npt.NDArray[np.float64]

_EPOCH = datetime.fromtimestamp(0, UTC)
EVENT_TYPES = pa.array(["network", "dns", "process"])
DIRECTIONS = pa.array(["outbound", "inbound"])
PROTOCOLS = pa.array(["tcp", "udp"])
NXDOMAIN, TIMEOUT = 9003, 1460
"""Windows error codes that Sysmon reports for failed lookups."""
PARTS = 2
"""What detectors read of a day, and the rest."""


class Background:
    """The ordinary events of an organisation, day by day.

    Each day has random numbers of its own, and so has what detectors read of it: that is the same whether or not the
    rest is drawn too. `labels` gives the index of each label that ordinary events may belong to by its name. With
    `instances` each event belongs to one. Their starts are told, and fewer of the others.
    """

    def __init__(
        self, organisation: Organisation, labels: Mapping[str, int], seed: int, thinned: bool, instances: bool = False
    ) -> None:
        self.organisation = organisation
        self.seed = seed
        vendors = vendor_names(round(p.local_program_names * len(organisation.hosts)))
        self.destinations: Destinations = build_destinations(vendors)
        self.table: HabitTable = build_habits(
            HabitBuilder(organisation, self.destinations.profiles, labels, seed), vendors
        )
        read = read_by_detectors(self.table, self.destinations.profiles)
        self.parts = [np.flatnonzero(read)] if thinned else [np.flatnonzero(read), np.flatnonzero(~read)]
        column = self.table.column
        self.image = column("image")
        self.image_host = np.array(self.table.image_host, dtype=np.int64)
        self.host = self.image_host[self.image]
        self.event_type, self.profile, self.hours = column("event_type"), column("profile"), column("hours")
        self.inbound, self.label, self.daily = column("inbound"), column("label"), column("daily", bool)
        self.first_day, self.end_day = column("first_day"), column("end_day")
        self.rate = self._calibrated()
        self.resolver = np.array([self.table.resolver_of[h.index] for h in organisation.hosts], dtype=np.int64)
        self.utc_offset = np.array([h.utc_offset for h in organisation.hosts], dtype=np.int64)
        weights = np.array(list(p.hours.values()), dtype=np.float64)
        cumulative = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
        self.hour_steps = (cumulative + np.arange(len(weights))[:, None]).ravel()
        shown = self._shown()
        self.columns = _image_columns(self.table, shown)
        self.instances = Instances(organisation, self.table, self.hour_steps, shown, seed) if instances else None
        self.host_names = pa.array(self.destinations.hosts)
        self.addresses = pa.array(self.destinations.addresses)

    def _calibrated(self) -> Floats:
        """Rates a full day, ordinary ones scaled so that the whole comes to `EVENTS_PER_WORKING_DAY`."""
        rate, ordinary = self.table.column("rate", float), self.table.column("ordinary", bool)
        so_far = np.zeros((len(self.organisation.hosts), self.organisation.days + 1))
        np.cumsum(self.organisation.presence, axis=1, out=so_far[:, 1:])
        last = np.maximum(self.end_day, self.first_day)
        expected = rate * (so_far[self.host, last] - so_far[self.host, np.minimum(self.first_day, last)])
        expected = expected * np.where(self.event_type == NETWORK, 1 + p.lookup_before_connection, 1.0)
        total = p.events_per_working_day * float(self.organisation.presence.sum())
        starts = self.event_type == PROCESS
        for kind, share in ((starts, p.process_start_share), (~starts, 1 - p.process_start_share)):
            fixed = float(expected[kind & ~ordinary].sum())
            free = float(expected[kind & ordinary].sum())
            rate[kind & ordinary] *= max(total * share - fixed, 0.0) / max(free, 1e-9)
        return rate

    def _shown(self) -> npt.NDArray[np.bool_]:
        """The images that can occur: of a thinned background few of those that there are."""
        shown = np.zeros(len(self.table.images), dtype=bool)
        shown[self.image[np.concatenate(self.parts)]] = shown[self.resolver] = True
        return shown

    def day(self, day: int) -> list[pa.Table]:
        """All ordinary events of one UTC day, in no particular order: tables of `ROW_SCHEMA`."""
        pids = np.random.default_rng([self.seed, 3, day]).integers(300, 16_000, len(self.table.images)) * 4
        turns = self.instances.day(day, self._start_of(day)) if self.instances else None
        drawn, tables = [], []
        for part, habits in enumerate(self.parts):
            rng = np.random.default_rng([self.seed, 3, day, part])
            on = (self.first_day[habits] <= day) & (day < self.end_day[habits])
            presence = self.organisation.presence[self.host[habits], day] * on
            counts = np.where(self.daily[habits], presence > 0, rng.poisson(self.rate[habits] * presence))
            draw = self._draw(np.repeat(habits, counts), day, rng)
            draw += self._lookups(draw, rng)
            draw = replace(draw, number=event_numbers(self.seed, self.organisation.day(day), part, len(draw)))
            if self.instances and turns:
                draw = replace(draw, instance=self.instances.of(draw, turns))
            drawn.append(draw)
            tables.append(self._as_table(draw, pids, rng))
        if self.instances and turns:
            starts = self.instances.starts(drawn, turns)
            told = self._as_table(starts, pids, np.random.default_rng([self.seed, 3, day, PARTS]))
            tables = [*fewer_starts(tables, len(starts)), told]
        return tables

    def _draw(self, habit: Ints, day: int, rng: np.random.Generator) -> Draw:
        hour = np.searchsorted(self.hour_steps, self.hours[habit] + rng.random(len(habit)), side="right") % 24
        second = (hour - self.utc_offset[self.host[habit]]) * 3600 + rng.random(len(habit)) * 3600
        destination = np.full(len(habit), -1, dtype=np.int64)
        address = destination.copy()
        reaches = np.flatnonzero(self.profile[habit] >= 0)
        destination[reaches] = self.destinations.pick(self.profile[habit[reaches]], rng)
        address[reaches] = self.destinations.pick_address(destination[reaches], rng)
        failed = self.event_type[habit] == DNS
        return Draw(
            image=self.image[habit],
            event_type=self.event_type[habit],
            time=self._start_of(day) + np.floor((second % 86400) * 1e6).astype(np.int64),
            destination=destination,
            address=np.where(failed, -1, address),
            inbound=self.inbound[habit],
            status=np.where(failed, NXDOMAIN, 0),
            label=self.label[habit],
            run=np.arange(len(habit)),
            number=np.zeros(len(habit), np.uint64),
            instance=np.zeros(len(habit), np.uint64),
        )

    def running(self, day: int) -> Callable[[Mapping[str, Any]], int] | None:
        """Tells the instance that a planted event of a 0-based day belongs to; `None` if none are told apart."""
        if self.instances is None:
            return None
        turns, running = self.instances.day(day, self._start_of(day)), self.instances.running
        return lambda row: running(row["host_id"], row["process_name"], _micros(row["event_time"]), turns)

    def _start_of(self, day: int) -> int:
        """Start of a 0-based day, in µs since 1970."""
        return (self.organisation.day(day).toordinal() - 719_163) * DAY_US

    def _lookups(self, draw: Draw, rng: np.random.Generator) -> Draw:
        """The lookup in front of some connections, made by the program itself or by the system's resolver."""
        candidates = (draw.event_type == NETWORK) & (draw.inbound == 0)
        lookups = draw.take(np.flatnonzero(candidates & (rng.random(len(draw)) < p.lookup_before_connection)))
        resolved = rng.random(len(lookups)) < p.lookup_by_resolver
        lead = np.floor(rng.uniform(*p.lookup_lead_seconds, len(lookups)) * 1e6).astype(np.int64)
        timeout = rng.random(len(lookups)) < p.lookup_timeout_share
        return lookups.take(
            np.arange(len(lookups)),
            image=np.where(resolved, self.resolver[self.image_host[lookups.image]], lookups.image),
            event_type=np.full(len(lookups), DNS),
            time=np.maximum(lookups.time - lead, lookups.time - lookups.time % DAY_US),
            address=np.where(timeout, -1, lookups.address),
            status=np.where(timeout, TIMEOUT, 0),
        )

    def _as_table(self, draw: Draw, pids: Ints, rng: np.random.Generator) -> pa.Table:
        n = len(draw)
        network, lookup = draw.event_type == NETWORK, draw.event_type == DNS
        reaches = network | lookup
        nameless = network & (rng.random(n) < p.nameless_share) & (draw.inbound == 0)
        host = np.where(nameless | (draw.inbound == 1), -1, draw.destination)
        port = np.where(lookup, 53, np.where(draw.inbound == 1, rng.integers(40_000, 60_000, n), 443))
        sent = np.floor(rng.lognormal(7.2, 1.1, n)).astype(np.int64)
        received = np.floor(rng.lognormal(8.6, 1.6, n)).astype(np.int64)
        columns: dict[str, pa.Array] = {
            name: _dictionary(indices[draw.image], values) for name, (indices, values) in self.columns.items()
        }
        columns |= {
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
            "number": pa.array(draw.number),
            "label": pa.array(draw.label.astype(np.int32)),
            "instance": pa.array(draw.instance),
        }
        return pa.table([columns[name] for name in ROW_SCHEMA.names], schema=ROW_SCHEMA)


def _micros(moment: datetime) -> int:
    """µs since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


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
