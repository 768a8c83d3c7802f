"""The form of the catalogue's files, as the head of each explains it."""

from __future__ import annotations

import ipaddress
from typing import Final, Literal, Self

from uncommon_im.schemas.catalogue.model import PLATFORMS, AddressRange, Engine, Host, Names, ProcessClass, Service
from uncommon_im.schemas.catalogue.secrets import SecretPattern
from uncommon_im.schemas.decoding import Entry, NonEmpty, Text, decode

Named = tuple[str | int, ...] | None
"""A list that may be left out or empty; a name of digits is a number in YAML."""
_IN_LABELS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


class HostName(str):
    """A host name in lower-case ASCII, without a trailing dot."""

    __slots__ = ()

    @classmethod
    def decode(cls, value: object) -> Self:
        """Raises `ValueError`: the value is no host name, or a top-level domain."""
        if not isinstance(value, str) or not value.strip(" ."):
            raise ValueError(f"host {value!r:.60} is not a name")
        name = value.strip().rstrip(".").lower()
        try:
            name = name if name.isascii() else name.encode("idna").decode("ascii")
        except UnicodeError:
            raise ValueError(f"host {value!r} is not a valid host name") from None
        labels = name.split(".")
        if not all(label and _IN_LABELS.issuperset(label) for label in labels):
            raise ValueError(f"host {value!r} is not a host name: write it without scheme, port, path and *")
        if len(labels) == 1:
            raise ValueError(f"host {value!r} is a whole top-level domain: name the service's own host")
        return cls(name)


class Exclusion(str):
    """A host name that is never an IM server; `*.` in front covers the names below it too."""

    __slots__ = ()

    @classmethod
    def decode(cls, value: object) -> Self:
        """Raises `ValueError`: as `HostName.decode`."""
        written = decode(value, SharedHost, "exclusion").host if isinstance(value, dict) else value
        if not isinstance(written, str) or not written.strip():
            raise ValueError(f"exclusion {written!r:.60} is not a host name")
        bare = written.strip().removeprefix("*.")
        return cls(("*." if bare != written.strip() else "") + HostName.decode(bare))


class SharedHost(Entry, frozen=True):
    """A host with the reason why it is none of a service's."""

    host: Text
    why: str = ""


class ApiHost(Entry, frozen=True):
    """A host of bots and APIs."""

    host: HostName
    match: Literal["exact", "suffix"]
    use: str = ""


class Hosts(Entry, frozen=True):
    """The hosts of a service by kind."""

    suffix: tuple[HostName, ...] | None = None
    exact: tuple[HostName, ...] | None = None
    cdn: tuple[HostName, ...] | None = None
    api: tuple[ApiHost, ...] | None = None

    def listed(self) -> tuple[Host, ...]:
        """Each (name, exact) once: the first counts, but `api` says most."""
        hosts: dict[tuple[str, bool], Host] = {}
        for names, exact, use in ((self.suffix, False, ""), (self.cdn, False, "cdn"), (self.exact, True, "")):
            for name in names or ():
                hosts.setdefault((name, exact), Host(str(name), exact, use))
        api = [Host(str(each.host), each.match == "exact", each.use) for each in self.api or ()]
        return tuple((hosts | {(host.name, host.exact): host for host in api}).values())


class Range(Entry, frozen=True):
    """An address range, and whether it carries the owner's other products too."""

    cidr: str
    scope: Literal["service", "operator"] = "service"

    def __post_init__(self) -> None:
        """Raises `ValueError`: it is no network, or all addresses."""
        if ipaddress.ip_network(self.cidr).prefixlen == 0:
            raise ValueError(f"range {self.cidr} is the whole internet")

    def network(self) -> AddressRange:
        """The range; addresses of version 4 that are written as version 6 are of version 4."""
        network = ipaddress.ip_network(self.cidr)
        mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
        if mapped and network.prefixlen >= 96:
            network = ipaddress.ip_network((mapped, network.prefixlen - 96))
        return AddressRange(str(network), self.scope == "operator")


class ByPlatform(Entry, frozen=True):
    """Names by operating system."""

    windows: Named = None
    macos: Named = None
    linux: Named = None

    def names(self) -> Names:
        """The names in lower case."""
        return {platform: folded(getattr(self, platform)) for platform in PLATFORMS}


class ServiceEntry(Entry, frozen=True):
    """A service."""

    id: Text
    name: str | int = ""
    category: str = "own"
    status: str = "active"
    self_hosted: bool = False
    hosts: Hosts | None = None
    ranges: tuple[Range, ...] | None = None
    clients: ByPlatform | None = None
    publishers: ByPlatform | None = None
    secrets: tuple[SecretPattern, ...] | None = None
    sources: Named = None

    def service(self) -> Service:
        """What the catalogue holds of it."""
        return Service(
            id=self.id,
            name=str(self.name) or self.id,
            category=self.category,
            status=self.status,
            self_hosted=self.self_hosted,
            hosts=(self.hosts or Hosts()).listed(),
            ranges=tuple(each.network() for each in self.ranges or ()),
            clients=(self.clients or ByPlatform()).names(),
            publishers=frozenset().union(*(self.publishers or ByPlatform()).names().values()),
            secrets=self.secrets or (),
        )


class ServicesFile(Entry, frozen=True):
    """`services.yaml`, and the user's own."""

    format: Literal[1] = 1
    services: tuple[ServiceEntry, ...] | None = None
    exclusions: tuple[Exclusion, ...] | None = None
    shared_hosts: tuple[SharedHost, ...] | None = None

    def __post_init__(self) -> None:
        """Raises `ValueError`: nothing is listed, or a service twice."""
        if not (self.services or self.exclusions):
            raise ValueError("expected a mapping with a list `services` (or `exclusions`)")
        ids = [service.id for service in self.services or ()]
        for service_id in ids:
            if ids.count(service_id) > 1:
                raise ValueError(f"service {service_id} is listed twice: join the two entries")


class ClassEntry(Entry, frozen=True):
    """A process class."""

    id: Text
    role: Text
    names: ByPlatform
    why: str = ""
    publishers: Named = None
    sources: Named = None

    def process_class(self) -> ProcessClass:
        """What the catalogue holds of it."""
        return ProcessClass(self.id, self.role, self.names.names(), folded(self.publishers))


class Locations(Entry, frozen=True):
    """Suspicious locations by operating system."""

    windows: NonEmpty[Text]
    macos: NonEmpty[Text]
    linux: NonEmpty[Text]
    sources: Named = None


class ProcessesFile(Entry, frozen=True):
    """`processes.yaml`."""

    format: Literal[1]
    classes: NonEmpty[ClassEntry]
    suspicious_locations: Locations


class EnginesFile(Entry, frozen=True):
    """`engines.yaml`."""

    format: Literal[1]
    classes: NonEmpty[Text]
    not_engines: frozenset[str]
    engines: NonEmpty[Engine]


def folded(names: Named) -> frozenset[str]:
    """Names in lower case."""
    return frozenset(str(name).lower() for name in names or ())
