"""Native events as records of Cortex XDR: rows, rows under `xdr_data`, forwarded events, alerts with `events`."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.dialects.events import EventWriter, is_malformed
from tests.dialects.spelling import SYSTEMS, Fields, Speller
from tests.oracle.builder import Record
from tests.oracle.events import clean_columns, clean_text

DECOYS: tuple[Fields, ...] = (
    {"agent_os_type": "NO_HOST", "agent_id": "192.0.2.1", "event_type": "STORY", "action_remote_ip": "149.154.167.99"},
    {"agent_os_type": "ENUM.AGENT_OS_WINDOWS", "agent_id": "f1", "event_type": "STORY",
     "actor_process_image_name": None, "action_external_hostname": "api.telegram.org"},
    {"agent_id": "f1", "event_type": "FILE", "actor_process_image_name": "a.exe", "action_remote_ip": "149.154.167.9"},
    {"agent_id": "f1", "event_type": 6, "event_sub_type": 1, "os_actor_process_image_name": "a.exe"},
    {"agent_id": "f1", "event_type": "PROCESS", "event_sub_type": "PROCESS_STOP", "action_process_image_name": "a.exe"},
    {"agent_id": "f1", "event_type": "NETWORK", "event_sub_type": "NETWORK_STREAM_LISTEN",
     "actor_process_image_name": "telegram.exe"},
    {"agent_id": "f1", "event_type": "event_type_unknown_4", "actor_process_image_name": "a.exe"},
)  # fmt: skip
"""Records of no endpoint's communication, start or lookup."""

Event = tuple[Record, Fields]
"""A native event, and its fields without the host's."""


@dataclass
class Written:
    """XDR records, one a line."""

    records: list[Record] = field(default_factory=list)
    decoys: int = 0
    used: Counter[str] = field(default_factory=Counter)


def write_xdr(events: Sequence[Record], seed: object) -> Written:
    """All the events, each once, in dialects and spellings drawn by the seed, in another order, with decoys between."""
    return _Writer(random.Random(f"xdr {seed}")).write(events)


class _Writer:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.spell = Speller(rng)
        self.events = EventWriter(rng)
        self.written = Written()

    def write(self, events: Sequence[Record]) -> Written:
        of_host: dict[tuple[str | None, ...], list[Event]] = {}
        for record in events:
            if is_malformed(record):
                alert = {"alert_id": "1", "endpoint_id": "e"}
                self._put("malformed", alert | {"events": self.rng.choice(([17], ["x"], [[]]))})
                continue
            dialect, fields = self.events.write(record)
            if dialect == "os_actor":
                self.written.used["row of the OS's actor"] += 1
            if dialect.startswith("forwarded"):
                self._put(dialect, {**fields, **self._agent(record), **self._system(record)})
            else:
                of_host.setdefault(host_of(record), []).append((record, fields))
        for (host, *_), group in of_host.items():
            for part in self._parts(group):
                self._hold(host, part)
        for _ in range(len(events) // 12):
            self._decoy()
        self.rng.shuffle(self.written.records)
        return self.written

    def _parts(self, group: list[Event]) -> Iterator[list[Event]]:
        """Runs of a host's events, for one line each."""
        self.rng.shuffle(group)
        while group:
            size = self.rng.choice((1, 1, 1, 2, 3, 5))
            yield group[:size]
            del group[:size]

    def _hold(self, host: str | None, part: list[Event]) -> None:
        """Events of one host in one line, or several."""
        way = self.rng.choice(("alert", "xdr_data")) if len(part) > 1 else self.rng.choice(("alert", "row", "xdr_data"))
        if way == "alert":
            self._alert(host, part)
            return
        rows = [{**fields, **self._agent(record), **self._system(record)} for record, fields in part]
        if way == "row":
            self._put("row", rows[0])
        elif len(rows) == 1 and self.spell.chance(0.7):
            self._put("xdr_data", {"xdr_data": rows[0]})
        else:
            self._put("xdr_data list", {"xdr_data": self._with_decoy(rows), "total": len(rows)})

    def _alert(self, host: str | None, part: list[Event]) -> None:
        """An alert with its events; the host is the alert's, or said by each of them."""
        first = part[0][0]
        alert: Record = {"alert_id": f"{self.rng.getrandbits(40)}", "severity": "high", "detection_timestamp": 1}
        shared = host is not None and self.spell.chance(0.7)
        other_endpoint = host is not None and self.spell.chance(0.5)
        events = []
        for record, fields in part:
            event = dict(fields) if shared else {**fields, **self._agent(record, by_name=not other_endpoint)}
            if not shared or "os" not in clean_columns(first):
                event |= self._system(record)
            events.append(event)
        if shared:
            alert |= self._endpoint(first)
            if "os" in clean_columns(first):
                alert |= self._system(first)
        elif other_endpoint:
            alert["endpoint_id"] = "decoy"
        if self.spell.chance(0.2):
            events = [{name: listed(value) for name, value in event.items()} for event in events]
            self.written.used["every value in a list"] += 1
        if len(events) == 1 and self.spell.chance(0.5):
            self._put("alert, one object", alert | {"events": events[0]})
        elif len(events) == 1:
            self._put("alert, list of one", alert | {"events": events})
        else:
            self._put("alert, list", alert | {"events": self._with_decoy(events)})

    def _agent(self, record: Record, by_name: bool = True) -> Fields:
        """A row's host, by its id, or perhaps by its name alone."""
        host, name = record.get("host_id"), record.get("host_name")
        cleaned = clean_text(host)
        if cleaned is None:
            return {"agent_id": host} if self.spell.chance(0.8) else {}
        fields: Fields = {}
        if by_name and named(record) and self.spell.chance(0.5):
            self.written.used["host by its name"] += 1
            fields["agent_hostname"] = self.spell.held(name)
            if self.spell.chance(0.5):
                fields["agent_id"] = self.spell.nothing()
            return fields
        fields["agent_id"] = self.spell.held(host)
        self.spell.text(fields, name, "agent_hostname", "host_name", "host_metadata_hostname")
        return fields

    def _endpoint(self, record: Record) -> Fields:
        """An alert's host."""
        if named(record) and self.spell.chance(0.5):
            self.written.used["alert's host by its name"] += 1
            return {"endpoint_id": None, "host_name": record["host_name"]}
        fields: Fields = {"endpoint_id": self.spell.held(record["host_id"])}
        self.spell.text(fields, record.get("host_name"), "host_name")
        return fields

    def _system(self, record: Record) -> Fields:
        """The operating system in one spelling, or none."""
        system = clean_columns(record).get("os")
        if system is None:
            return {"agent_os_type": self.spell.nothing()} if self.spell.chance(0.5) else {}
        return {"agent_os_type": self.spell.one_of(SYSTEMS[system])}

    def _with_decoy(self, events: list[Fields]) -> list[Fields]:
        """The events, sometimes with one between them that is none."""
        if self.spell.chance(0.2):
            self.written.decoys += 1
            self.written.used["decoy between events"] += 1
            events.insert(self.rng.randrange(len(events) + 1), dict(self.rng.choice(DECOYS)))
        return events

    def _decoy(self) -> None:
        self.written.decoys += 1
        decoy = dict(self.rng.choice(DECOYS))
        self._put("decoy", {"xdr_data": decoy} if self.spell.chance(0.3) else decoy)

    def _put(self, way: str, record: Record) -> None:
        self.written.used[way] += 1
        self.written.records.append(record)


def host_of(record: Record) -> tuple[str | None, ...]:
    """What one alert says of its host."""
    columns = clean_columns(record)
    return columns.get("host_id"), columns.get("host_name"), columns.get("os")


def named(record: Record) -> bool:
    """Whether the host's name in lower case is its id."""
    columns = clean_columns(record)
    return bool(columns.get("host_name", "").lower() == columns.get("host_id"))


def listed(value: object) -> object:
    """A value in a list, as alerts of the second version write every one."""
    return value if isinstance(value, (list, dict)) else [value]
