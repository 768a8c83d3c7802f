"""What a catalogue holds. Names are lower case, hosts are ASCII without a trailing dot."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Final, Literal

PLATFORMS: Final = ("windows", "macos", "linux")

Names = dict[str, frozenset[str]]
"""Operating system -> lower-case image names."""


@dataclass(frozen=True)
class Host:
    """A host of a service: `exact` matches itself only, otherwise every name below it too."""

    name: str
    exact: bool
    use: str = ""


@dataclass(frozen=True)
class AddressRange:
    """An address range of a service; an `operator` range carries the owner's other products too."""

    cidr: str
    operator: bool


@dataclass(frozen=True)
class Service:
    """One instant messaging service."""

    id: str
    name: str
    category: str
    status: str
    self_hosted: bool
    hosts: tuple[Host, ...]
    ranges: tuple[AddressRange, ...]
    clients: Names
    publishers: frozenset[str]


@dataclass(frozen=True)
class ProcessClass:
    """Names that share a role; role `suspicious` makes the class id a reason of suspicion (section 4)."""

    id: str
    role: str
    names: Names
    publishers: frozenset[str]


Style = Literal["short", "words", "powershell", "wsh"]


@dataclass(frozen=True)
class Engine:
    """How the command line of a scripting engine is read: a row of `engines.yaml`, explained there."""

    names: tuple[str, ...] = ()
    style: Style = "short"
    inline: tuple[str, ...] = ()
    inline_exact: tuple[str, ...] = ()
    inline_words: tuple[str, ...] = ()
    inline_prefixes: tuple[str, ...] = ()
    module: tuple[str, ...] = ()
    value: tuple[str, ...] = ()
    value_exact: tuple[str, ...] = ()
    script: tuple[str, ...] = ()
    script_suffix: str = ""
    skip: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """Everything that decides what a subject is."""

    services: tuple[Service, ...]
    exclusions: tuple[str, ...]
    shared_hosts: dict[str, str]
    classes: tuple[ProcessClass, ...]
    locations: dict[str, tuple[str, ...]]
    engine_classes: tuple[str, ...]
    not_engines: frozenset[str]
    engines: tuple[Engine, ...]

    @cached_property
    def services_by_id(self) -> dict[str, Service]:
        """Service id -> service."""
        return {service.id: service for service in self.services}

    def process_class(self, class_id: str) -> ProcessClass:
        """The class of that id.

        Raises:
            KeyError: there is none.
        """
        for process_class in self.classes:
            if process_class.id == class_id:
                return process_class
        raise KeyError(class_id)

    @cached_property
    def digest(self) -> str:
        """Hex sha256 over the whole content, independent of the order in which the files list it."""
        return _digest(asdict(self))

    @cached_property
    def identity_digest(self) -> str:
        """Hex sha256 over what decides who a program is: process classes, locations, engines; and exclusions."""
        content = asdict(self)
        return _digest({name: content[name] for name in content if name not in ("services", "shared_hosts")})

    @cached_property
    def service_digests(self) -> dict[str, str]:
        """Service id -> hex sha256 over its hosts and ranges, and the hosts below its own that are another's."""
        owner = {host.name: service.id for service in self.services for host in service.hosts if not host.exact}
        foreign: dict[str, list[str]] = {service.id: [] for service in self.services}
        for service in self.services:
            for host in service.hosts:
                above = next((owner[name] for name in _parents(host.name) if name in owner), service.id)
                if above != service.id:
                    foreign[above].append(host.name)
        return {
            s.id: _digest([[asdict(h) for h in s.hosts], [asdict(r) for r in s.ranges], foreign[s.id]])
            for s in self.services
        }


def _parents(name: str) -> Iterator[str]:
    """The domains above a host name, nearest first."""
    while name := name.partition(".")[2]:
        yield name


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(_plain(content), sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    """JSON form of nested content; sets and lists alike become sorted lists."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (frozenset, set, list, tuple)):
        return sorted((_plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value
