"""Turns rows of integers into the columns of native events."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tests.benchmarks.organisation import DAY, Organisation
from tests.benchmarks.vocabulary import Actor, ActorTable, Codes, Vocabulary
from uncommon_im.pipeline.lab.simulation.telemetry.delivery import instance_numbers
from uncommon_im.pipeline.lab.simulation.telemetry.sensors import SENSORS, guids_of

TENANTS = ("contoso", "contoso-branch")
TYPES = ("network", "dns", "process", "flow")
SYSTEMS = ("windows", "macos", "linux")
PROTOCOLS = ("tcp", "udp")
DIRECTIONS = ("outbound", "inbound")
TEXT = pa.dictionary(pa.int32(), pa.string())
LEFT_OUT = SENSORS["elastic"].without["network"]
"""What connections and lookups leave out in a bare lake; starts say all, causality groups too."""
DEAD = 20_000
"""One row in so many cannot be used."""
REPEATED = 2_000
"""One row in so many is delivered twice."""


class Rows(NamedTuple):
    """Rows before they are written: times in microseconds, the rest codes."""

    time: npt.NDArray[np.int64]
    host: Codes
    actor: Codes
    domain: Codes
    address: Codes
    event_type: Codes
    noise: Codes

    def take(self, places: npt.NDArray[np.intp]) -> Rows:
        """The rows at these places."""
        host, actor, domain, address, event_type, noise = (column[places] for column in self[1:])
        return Rows(self.time[places], host, actor, domain, address, event_type, noise)

    def join(self, other: Rows) -> Rows:
        """These rows and then the others."""
        rest = (np.concatenate(pair) for pair in zip(self[1:], other[1:], strict=True))
        host, actor, domain, address, event_type, noise = rest
        return Rows(np.concatenate([self.time, other.time]), host, actor, domain, address, event_type, noise)


def instances(rows: Rows, first: int) -> npt.NDArray[np.uint64]:
    """A number for each row's instance of a process.

    An actor's connections and lookups of one day on one host are one instance's, whose start has a negative `noise`.
    Each other start is that of another one.
    """
    own = (rows.event_type == 2) & (rows.noise >= 0)
    turn = np.where(own, 1_000 + rows.time % 1_000_000, (rows.time - first) // DAY)
    return instance_numbers(1, rows.host.astype(np.int64) << 24 | rows.actor, turn)


def schema(event_ids: bool, instances: bool = False) -> pa.Schema:
    """The columns of native events, with ids and with the names of their processes' instances, or without."""
    text = [
        "event_type", "tenant_id", "host_id", "host_name", "user_name", "os", *Actor._fields, "remote_host",
        "remote_ip", "protocol", "direction", *(["process_guid"] if instances else []),
    ]  # fmt: skip
    integers = ["process_pid", "remote_port", "bytes_sent", "bytes_received", "dns_status"]
    fields = [pa.field("event_time", pa.timestamp("us", "UTC")), *(pa.field(name, TEXT) for name in text)]
    fields += [pa.field(name, pa.int64()) for name in integers]
    return pa.schema(([pa.field("event_id", pa.string())] if event_ids else []) + fields)


def encoded(codes: Codes, strings: pa.Array) -> pa.DictionaryArray:
    """A dictionary column with only the strings that occur, as another writer would make it."""
    used = np.zeros(len(strings) + 1, np.bool_)
    used[codes] = True  # -1, missing, marks the spare last place
    used[-1] = False
    places = np.flatnonzero(used)
    position = np.zeros(len(used), np.int32)
    position[places] = np.arange(len(places), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(position[codes], mask=codes < 0), strings.take(pa.array(places)))


def identifiers(rng: np.random.Generator, count: int) -> pa.Array:
    """Random event ids of 16 hex digits."""
    nibbles = np.frombuffer(b"0123456789abcdef", np.uint8)[rng.integers(0, 16, (count, 16), dtype=np.uint8)]
    offsets = np.arange(count + 1, dtype=np.int32) * 16
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(nibbles)))


class Columns:
    """Knows every vocabulary and writes tables."""

    def __init__(
        self,
        rng: np.random.Generator,
        hosts: Organisation,
        actors: ActorTable,
        names: Vocabulary,
        addresses: Vocabulary,
        event_ids: bool,
        first: int,
        processes: str = "",
    ) -> None:
        """What `processes` says of `generate.Settings`, and what the columns are made of."""
        self.rng, self.hosts, self.actors, self.names, self.addresses = rng, hosts, actors, names, addresses
        self.event_ids, self.first, self.processes = event_ids, first, processes
        self.schema = schema(event_ids, bool(processes))
        self.host_ids = pa.array([*hosts.host_id, "N/A"])
        self.host_names = pa.array(hosts.host_name)
        self.users = pa.array([*(f"CONTOSO\\{user}" for user in hosts.user), "NT AUTHORITY\\SYSTEM"])

    def table(self, rows: Rows) -> pa.Table:
        """One row group: some rows twice, some unusable, some without a process name (the path serves)."""
        rng, count = self.rng, len(rows.time)
        twice = np.flatnonzero(rng.integers(0, REPEATED, count) == 0)
        twice = twice[twice > 0]
        source = np.arange(count)
        source[twice] = twice - 1
        rows = rows.take(source)
        noise, network, dns = rows.noise, rows.event_type == 0, rows.event_type == 1
        bad = np.where(noise % DEAD < 6, noise % DEAD, -1)
        system = self.actors.column("system")[rows.actor]
        port = np.where(dns, 53, np.where(noise % 20 == 0, 80, np.where(noise % 50 == 1, 8443, 443)))
        size = np.exp(rng.standard_normal(count, np.float32) * 1.5 + 7).astype(np.int64)[source]
        time = rows.time.copy()
        time[bad == 2] = -1
        event_type = np.where(bad == 3, 3, rows.event_type).astype(np.int32)
        time_column = pa.array(time, pa.timestamp("us", "UTC"), mask=bad == 1)
        host = np.where(bad == 0, np.where(noise // DEAD % 2, -1, len(self.hosts)), rows.host).astype(np.int32)
        lost = bad == 4
        inbound = np.where(network, ((noise % 33 == 5) & (rows.domain < 0)).astype(np.int32), -1).astype(np.int32)
        users = np.where(system == 1, len(self.hosts), rows.host).astype(np.int32)
        texts = {
            "event_type": encoded(event_type, pa.array(TYPES)),
            "tenant_id": encoded(self.hosts.tenant[rows.host], pa.array(TENANTS)),
            "host_id": encoded(host, self.host_ids),
            "host_name": encoded(rows.host, self.host_names),
            "user_name": encoded(users, self.users),
            "os": encoded(self.hosts.system[rows.host], pa.array(SYSTEMS)),
            "remote_host": encoded(np.where(lost, -1, rows.domain).astype(np.int32), self.names.strings()),
            "remote_ip": encoded(np.where(lost, -1, rows.address).astype(np.int32), self.addresses.strings()),
            "protocol": encoded(np.where(network, noise % 30 == 2, np.where(dns, 1, -1)).astype(np.int32),
                                pa.array(PROTOCOLS)),
            "direction": encoded(inbound, pa.array(DIRECTIONS)),
        }  # fmt: skip
        for field, vocabulary in self.actors.vocabularies.items():
            codes = self.actors.column(field)[rows.actor]
            codes = np.where(bad == 5, -1, codes).astype(np.int32) if field == "process_name" else codes
            if self.processes == "bare" and field in LEFT_OUT:
                codes = np.where(network | dns, -1, codes).astype(np.int32)
            texts[field] = encoded(codes, vocabulary.strings())
        process = (rows.host.astype(np.int64) * 7919 + rows.actor * 104_729 + (time - self.first) // DAY) % 60_000 + 4
        numbers = {
            "process_pid": pa.array(process),
            "remote_port": pa.array(port.astype(np.int64), mask=rows.event_type == 2),
            "bytes_sent": pa.array(size, mask=~network),
            "bytes_received": pa.array(size * (noise % 40 + 1), mask=~network),
            "dns_status": pa.array(np.where(noise % 8 == 0, 3, 0).astype(np.int64), mask=~dns),
        }
        columns = {**texts, **numbers, "event_time": time_column}
        if self.event_ids:
            columns["event_id"] = identifiers(rng, count).take(pa.array(source))
        if self.processes:
            known, codes = np.unique(instances(rows, self.first), return_inverse=True)
            guids = guids_of(known, "base64")
            columns["process_guid"] = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), guids)
        return pa.table([columns[name] for name in self.schema.names], schema=self.schema)
