"""The facts catalogue, and the match of a destination (the detector's specification, section 3)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "catalogue"
VERSION_SUFFIX = re.compile(r"[-_]?[0-9][0-9.]*$")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Match:
    """Which service a destination belongs to, and what said so."""

    service: str
    attribution: str
    matched: str


@dataclass(frozen=True)
class Range:
    """One address range of a service."""

    network: Network
    text: str
    service: str
    operator: bool


@dataclass(frozen=True)
class NameClass:
    """A class of process names, or the client of a service."""

    id: str
    role: str
    names: dict[str, frozenset[str]]
    publishers: frozenset[str]

    def has(self, name: str, os: str | None) -> bool:
        """Whether a lower-case name is listed for this system; all lists count if the system is unknown."""
        if os is None:
            return any(name in names for names in self.names.values())
        return name in self.names.get(os, frozenset())


@dataclass(frozen=True)
class EngineRow:
    """How a scripting engine's command line names what it runs (a row of engines.yaml)."""

    style: str = "short"
    inline: tuple[str, ...] = ()
    inline_exact: tuple[str, ...] = ()
    inline_words: tuple[str, ...] = ()
    inline_prefixes: tuple[str, ...] = ()
    module: tuple[str, ...] = ()
    value: tuple[str, ...] = ()
    value_exact: tuple[str, ...] = ()
    script: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    script_suffix: str = ""


@dataclass(frozen=True)
class Catalogue:
    """Everything the oracle reads from the YAML files."""

    suffixes: dict[str, str]
    exact: dict[str, str]
    excluded: tuple[str, ...]
    ranges: tuple[Range, ...]
    classes: dict[str, NameClass]
    clients: dict[str, NameClass]
    locations: dict[str, tuple[str, ...]]
    engines: frozenset[str]
    rows: dict[str, EngineRow] = field(default_factory=dict)


def lower_names(by_os: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    """Names by operating system, lower case."""
    return {os: frozenset(name.lower() for name in names) for os, names in by_os.items()}


def engine_name(name: str) -> str:
    """`Python3.11.exe` -> `python`."""
    return VERSION_SUFFIX.sub("", name.lower().removesuffix(".exe"))


@cache
def read_yaml(name: str) -> Any:
    """One file of the catalogue."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def read_hosts(services: list[dict[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    """Host names of all services: those that match as a suffix, and those that match only themselves."""
    suffixes: dict[str, str] = {}
    exact: dict[str, str] = {}
    for service in services:
        hosts = service.get("hosts", {})
        for host in hosts.get("suffix", []) + hosts.get("cdn", []):
            suffixes[host.lower()] = service["id"]
        for host in hosts.get("exact", []):
            exact[host.lower()] = service["id"]
        for entry in hosts.get("api", []):
            target = suffixes if entry["match"] == "suffix" else exact
            target[entry["host"].lower()] = service["id"]
    return suffixes, exact


def read_ranges(services: list[dict[str, Any]]) -> tuple[Range, ...]:
    """Address ranges of all services."""
    return tuple(
        Range(ipaddress.ip_network(entry["cidr"]), entry["cidr"], service["id"], entry["scope"] == "operator")
        for service in services
        for entry in service.get("ranges", [])
    )


def read_clients(services: list[dict[str, Any]]) -> dict[str, NameClass]:
    """The services' own clients, by service."""
    clients = {}
    for service in services:
        publishers = {name.lower() for names in service.get("publishers", {}).values() for name in names}
        names = lower_names(service.get("clients", {}))
        clients[service["id"]] = NameClass(service["id"], "client", names, frozenset(publishers))
    return clients


def read_classes(classes: list[dict[str, Any]]) -> dict[str, NameClass]:
    """The classes of process names, by id."""
    return {
        entry["id"]: NameClass(
            entry["id"],
            entry["role"],
            lower_names(entry["names"]),
            frozenset(name.lower() for name in entry.get("publishers", [])),
        )
        for entry in classes
    }


def read_engines(classes: dict[str, NameClass]) -> tuple[frozenset[str], dict[str, EngineRow]]:
    """The engines' names without suffixes, and the rows that say how to read their command lines."""
    document = read_yaml("engines.yaml")
    listed = {
        engine_name(name)
        for class_id in document["classes"]
        for names in classes[class_id].names.values()
        for name in names
    }
    rows = {}
    for entry in document["engines"]:
        lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list) and key != "names"}
        row = EngineRow(style=entry["style"], script_suffix=entry.get("script_suffix", ""), **lists)
        rows.update({engine_name(name): row for name in entry["names"]})
    return frozenset(listed - set(document["not_engines"])), rows


@cache
def load() -> Catalogue:
    """The whole catalogue, read once."""
    services = read_yaml("services.yaml")
    processes = read_yaml("processes.yaml")
    suffixes, exact = read_hosts(services["services"])
    classes = read_classes(processes["classes"])
    engines, rows = read_engines(classes)
    return Catalogue(
        suffixes=suffixes,
        exact=exact,
        excluded=tuple(entry["host"].lower() for entry in services["exclusions"]),
        ranges=read_ranges(services["services"]),
        classes=classes,
        clients=read_clients(services["services"]),
        locations={
            os: tuple(piece.lower().replace("\\", "/") for piece in processes["suspicious_locations"][os])
            for os in ("windows", "macos", "linux")
        },
        engines=engines,
        rows=rows,
    )


def is_excluded(host: str) -> bool:
    """Whether the exclusion list covers this host (`*.x` covers `x` too)."""
    for entry in load().excluded:
        if entry.startswith("*."):
            if host == entry[2:] or host.endswith(entry[1:]):
                return True
        elif host == entry:
            return True
    return False


def match_host(host: str) -> Match | None:
    """Longest suffix on a label boundary; exact hosts match only themselves; exclusions win."""
    if is_excluded(host):
        return None
    candidates = [
        (domain, service)
        for domain, service in load().suffixes.items()
        if host == domain or host.endswith("." + domain)
    ]
    candidates += [(name, service) for name, service in load().exact.items() if host == name]
    if not candidates:
        return None
    matched, service = max(candidates, key=lambda candidate: len(candidate[0]))
    return Match(service, "domain", matched)


def match_ip(text: str, operator_ranges: bool) -> Match | None:
    """Longest prefix of the catalogue's ranges; operator ranges only when asked for."""
    address = parse_ip(text)
    if address is None:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    found = [
        entry
        for entry in load().ranges
        if entry.network.version == address.version
        and address in entry.network
        and (operator_ranges or not entry.operator)
    ]
    if not found:
        return None
    best = max(found, key=lambda entry: entry.network.prefixlen)
    return Match(best.service, "ip_range", best.text)


def parse_ip(text: str) -> Address | None:
    """The address a text stands for, if it is one."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def match_destination(host: str | None, ip: str | None, operator_ranges: bool) -> Match | None:
    """By name; whenever that gives no match, excluded or not, by address."""
    by_name = match_host(host) if host is not None else None
    if by_name is not None:
        return by_name
    return match_ip(ip, operator_ranges) if ip is not None else None
