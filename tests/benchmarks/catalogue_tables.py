"""The project's catalogue as small DuckDB tables."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

CATALOGUE = Path(__file__).resolve().parents[2] / "schemas" / "catalogue"
Row = tuple[Any, ...]


@functools.cache
def read(name: str) -> dict[str, Any]:
    """One file of the catalogue, by the fast loader where there is one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load((CATALOGUE / name).read_text(encoding="utf-8"), Loader=loader)
    return document


def domains(services: list[dict[str, Any]]) -> Iterator[Row]:
    """Host names: (domain, also everything below it, service)."""
    for service in services:
        hosts = service.get("hosts", {})
        for host in {*hosts.get("suffix", []), *hosts.get("cdn", [])}:
            yield host.lower(), True, service["id"]
        for host in hosts.get("exact", []):
            yield host.lower(), False, service["id"]
        for entry in hosts.get("api", []):
            yield entry["host"].lower(), entry["match"] == "suffix", service["id"]


def ranges(services: list[dict[str, Any]]) -> Iterator[Row]:
    """Ranges of scope `service`: (prefix length, first and last IPv4 address or None, IPv6 text prefix, service)."""
    for service in services:
        for entry in service.get("ranges", []):
            if entry["scope"] != "service":
                continue
            network = ipaddress.ip_network(entry["cidr"])
            if isinstance(network, ipaddress.IPv4Network):
                yield network.prefixlen, int(network[0]), int(network[-1]), None, service["id"]
                continue
            groups = network.network_address.exploded.split(":")[: network.prefixlen // 16]
            if network.prefixlen % 16 or any(int(group, 16) == 0 for group in groups):
                raise ValueError(f"the SQL matches IPv6 ranges as text and cannot match {entry['cidr']}")
            yield (
                network.prefixlen,
                None,
                None,
                "".join(f"{int(group, 16):x}:" for group in groups),
                service["id"],
            )


def names(entry: dict[str, Any], key: str) -> Iterator[tuple[str, str]]:
    """(operating system, lower-case name) of a class or of a service's clients."""
    for system, listed in entry.get(key, {}).items():
        for name in listed:
            yield system, name.lower()


def publishers(services: list[dict[str, Any]], classes: list[dict[str, Any]]) -> Iterator[Row]:
    """(what is published, publisher): services by id, browsers as `browser`."""
    for service in services:
        for listed in service.get("publishers", {}).values():
            yield from ((service["id"], name.lower()) for name in listed)
    for entry in classes:
        if entry["id"] == "browser":
            yield from (("browser", name.lower()) for name in entry["publishers"])


def engines(classes: list[dict[str, Any]]) -> Iterator[Row]:
    """One row an engine, the lists of its options included."""
    document = read("engines.yaml")
    strip = re.compile(r"[-_]?[0-9][0-9.]*$")
    known = {
        strip.sub("", name.removesuffix(".exe"))
        for entry in classes
        if entry["id"] in document["classes"]
        for _, name in names(entry, "names")
    }
    rows = {name: entry for entry in document["engines"] for name in entry["names"]}
    for engine in sorted(known - set(document["not_engines"])):
        row = rows.get(engine, {})
        yield (
            engine,
            row.get("style", "short"),
            *(row.get(key, []) for key in LISTS),
            row.get("script_suffix", ""),
        )


LISTS = (
    "inline",
    "inline_exact",
    "inline_words",
    "inline_prefixes",
    "module",
    "value",
    "value_exact",
    "script",
    "skip",
)
TEXT = pa.string()
BIG = pa.int64()


def load(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the tables that `alerts.sql` reads."""
    document, processes = read("services.yaml"), read("processes.yaml")
    services, classes = document["services"], processes["classes"]
    tables: dict[str, tuple[dict[str, pa.DataType], list[Row]]] = {
        "domains": ({"domain": TEXT, "suffix": pa.bool_(), "service": TEXT}, list(domains(services))),
        "exclusions": ({"host": TEXT}, [(entry["host"].lower(),) for entry in document["exclusions"]]),
        "ranges": (
            {"length": BIG, "low": BIG, "high": BIG, "prefix": TEXT, "service": TEXT},
            list(ranges(services)),
        ),
        "classes": (
            {"class": TEXT, "role": TEXT, "os": TEXT, "name": TEXT},
            [(c["id"], c["role"], *listed) for c in classes for listed in names(c, "names")],
        ),
        "clients": (
            {"service": TEXT, "os": TEXT, "name": TEXT},
            [(s["id"], *listed) for s in services for listed in names(s, "clients")],
        ),
        "publishers": ({"of": TEXT, "publisher": TEXT}, list(publishers(services, classes))),
        "locations": (
            {"os": TEXT, "piece": TEXT},
            [
                (system, piece.lower().replace("\\", "/"))
                for system in ("windows", "macos", "linux")
                for piece in processes["suspicious_locations"][system]
            ],
        ),
        "engines": (
            {"engine": TEXT, "style": TEXT, **{key: pa.list_(TEXT) for key in LISTS}, "script_suffix": TEXT},
            list(engines(classes)),
        ),
    }
    for name, (columns, rows) in tables.items():
        arrays = [
            pa.array(list(column), kind) for column, kind in zip(zip(*rows, strict=True), columns.values(), strict=True)
        ]
        connection.register("incoming", pa.table(arrays, schema=pa.schema(columns)))
        connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM incoming")
        connection.unregister("incoming")
