"""Organisations whose events every format can carry, enriched with columns that an alert shows.

What is cut, because Cortex XDR has no place for it: times below a millisecond, tenants (a run has one: `--tenant`),
the column `failed` (the type of an event says it), the case of `direction`, of digests and of guids, folders of parents
and causality owners, their command lines where they have no name, `dns_status` of connections, addresses and bytes of
lookups, destinations of starts, and a process of another name than its file's (the file decides). A process that has a
parent has an id, by which the two are told apart.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.oracle.builder import Record
from tests.oracle.events import EPOCH, DeadLetterError, Event, base_name, clean_process_name, clean_text, normalise
from tests.organisations import Organisation, random_organisation

PLAIN = {
    "process_sha256": str.lower,
    "process_guid": str.lower,
    "parent_process_name": base_name,
    "causality_process_name": base_name,
}
LOOKUPS_LACK = ("remote_ip", "remote_port", "protocol", "direction", "bytes_sent", "bytes_received")
STARTS_LACK = ("remote_host", "dns_status", *LOOKUPS_LACK)


def portable_organisation(seed: int, other_tenant: bool = False) -> Organisation:
    """One tenant of the organisation of this seed, the default one or the last, as every format can carry it."""
    whole = random_organisation(seed)
    tenants = sorted({tenant_of(record) for record in whole.records} - {"default"})
    tenant = tenants[-1] if other_tenant and tenants else "default"
    records = [portable(record) for record in whole.records if tenant_of(record) == tenant]
    return Organisation(records, replace(whole.options, tenant=tenant), f"{whole.story}; as {tenant}")


def tenant_of(record: Record) -> str:
    """The tenant that a record names, or the default."""
    return clean_text(record.get("tenant_id")) or "default"


def portable(record: Record) -> Record:
    """The event that a record names, without what is cut; a record that is no event stays what it is."""
    record = {name: value for name, value in record.items() if name not in ("tenant_id", "failed")}
    if clean_process_name(record, clean_text(record.get("process_path"))) is None:
        # What XDR has without a name is a firewall's connection.
        record |= dict.fromkeys(("process_guid", "event_type", "parent_process_name", "parent_process_command_line"))
    record |= {name: plain(record[name]) for name, plain in PLAIN.items() if isinstance(record.get(name), str)}
    for who in ("parent", "causality"):
        if clean_text(record.get(f"{who}_process_name")) is None:
            record |= {f"{who}_process_command_line": None}
    try:
        event = normalise(record, "default")
    except DeadLetterError:
        return record
    rng = random.Random(json.dumps(event.columns, sort_keys=True))  # the same for a record that comes twice
    kind = event.columns["event_type"]
    record |= {"event_type": kind, "event_time": write_time(event.time // 1000, rng)}
    path = event.text("process_path")
    if path is not None:
        record["process_path"] = path.removesuffix(base_name(path)) + str(event.columns.get("process_name", ""))
    record |= more_columns(event, rng)
    if kind == "network" and "telegram.org" in event.columns.get("remote_host", "") and by_address(event):
        # Forwarded events name no hosts: only a service with addresses of its own is seen in them.
        record |= {"remote_host": None, "remote_ip": f"149.154.167.{rng.randrange(1, 255)}"}
    if kind == "network":
        record.pop("dns_status", None)
        if isinstance(record.get("direction"), str):
            record["direction"] = record["direction"].lower()
    if kind == "dns":
        record = {name: value for name, value in record.items() if name not in LOOKUPS_LACK}
    if kind == "process":
        record = {name: value for name, value in record.items() if name not in STARTS_LACK}
    return record


def by_address(event: Event) -> bool:
    """Whether this program's connections know the address only; the same for all of a program's events."""
    return random.Random(f"address {event.name}").random() < 0.5


def write_time(milliseconds: int, rng: random.Random) -> int | str:
    """A moment, as a number or as text."""
    if rng.random() < 0.5:
        return milliseconds
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def more_columns(event: Event, rng: random.Random) -> Record:
    """Columns that the organisations give rarely, for about half of the events; hosts and files keep theirs."""
    more: Record = {}
    of_host = random.Random(f"host {event.host}")
    if of_host.random() < 0.6:
        more["host_name"] = of_host.choice((event.host.upper(), event.host, f"{event.host}.corp.example"))
    of_file = random.Random(f"file {event.name} {event.text('process_path')}")
    if of_file.random() < 0.5:
        more["process_sha256"] = f"{of_file.getrandbits(256):064x}"
    if "parent_process_name" not in event.columns and of_file.random() < 0.3:
        more["parent_process_name"] = of_file.choice(("launcher.exe", f"{event.name}.old", "/sbin/init"))
    if "parent_process_name" in event.columns | more.keys():
        more["parent_process_command_line"] = f"started --job {rng.randrange(99)}"
    values: Record = {
        "user_name": rng.choice(("CORP\\mina", "root")),
        "process_pid": rng.randrange(1, 1 << 22),
        "bytes_sent": rng.randrange(10**6),
        "bytes_received": rng.randrange(10**10),
        "remote_port": 8443,
        "protocol": rng.choice(("tcp", "udp", "http")),
        "direction": "outbound",
    }
    more |= {name: value for name, value in values.items() if rng.random() < 0.5}
    if rng.random() < 0.5 or ("parent_process_name" in event.columns | more.keys() and "process_pid" not in more):
        more["process_guid"] = f"iid-{rng.getrandbits(60):x}"
    return {name: value for name, value in more.items() if name not in event.columns}


def as_time(milliseconds: int) -> datetime:
    """A moment in UTC."""
    return EPOCH + timedelta(milliseconds=milliseconds)
