"""What a catalogue holds. Names are lower case, hosts are ASCII without a trailing dot."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

from uncommon_im.schemas.catalogue.secrets import SecretPattern, Secrets
from uncommon_im.schemas.decoding import Entry

PLATFORMS: Final = ("windows", "macos", "linux")

Names = dict[str, frozenset[str]]
"""Operating system -> lower-case image names."""


BOT_ONLY: Final = "bot-only"
"""Use of a host that no client calls which people use."""


class Host(msgspec.Struct, frozen=True):
    """A host of a service: `exact` matches itself only, otherwise every name below it too."""

    name: str
    exact: bool
    use: str = ""


class AddressRange(msgspec.Struct, frozen=True):
    """An address range of a service; an `operator` range carries the owner's other products too."""

    cidr: str
    operator: bool


class Service(msgspec.Struct, frozen=True):
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
    secrets: tuple[SecretPattern, ...] = ()

    @property
    def bot_hosts(self) -> frozenset[str]:
        """Names of hosts that no client calls which people use."""
        return frozenset(host.name for host in self.hosts if host.use == BOT_ONLY)


class ProcessClass(msgspec.Struct, frozen=True):
    """Names that share a role; role `suspicious` makes the class id a reason of suspicion (section 4)."""

    id: str
    role: str
    names: Names
    publishers: frozenset[str]


Style = Literal["short", "words", "powershell", "wsh"]


class Engine(Entry, frozen=True):
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


class Catalogue(msgspec.Struct, frozen=True, dict=True):
    """Everything that decides what a subject is; and, of no weight for that, how secrets are recognised."""

    services: tuple[Service, ...]
    exclusions: tuple[str, ...]
    shared_hosts: dict[str, str]
    classes: tuple[ProcessClass, ...]
    locations: dict[str, tuple[str, ...]]
    engine_classes: tuple[str, ...]
    not_engines: frozenset[str]
    engines: tuple[Engine, ...]
    secrets: Secrets = Secrets()

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
        """Hex sha256 over all that decides a verdict, independent of the order in which the files list it."""
        content = _without(msgspec.to_builtins(self), "secrets")
        return _digest(content | {"services": [_without(service, "secrets") for service in content["services"]]})

    @cached_property
    def identity_digest(self) -> str:
        """Hex sha256 over what decides who a program is: process classes, locations, engines; and exclusions."""
        return _digest(_without(msgspec.to_builtins(self), "services", "shared_hosts", "secrets"))

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
            service.id: _digest(msgspec.to_builtins([service.hosts, service.ranges, foreign[service.id]]))
            for service in self.services
        }


def _parents(name: str) -> Iterator[str]:
    """The domains above a host name, nearest first."""
    while name := name.partition(".")[2]:
        yield name


def _without(content: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in names}


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(_plain(content), sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    """JSON form of nested content; sets and lists alike become sorted lists."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (frozenset, set, list, tuple)):
        return sorted((_plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value
