"""Loading and checking the catalogue, the shipped files and the user's own services (specification, section 3)."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from uncommon_im.schemas.catalogue.model import (
    PLATFORMS,
    AddressRange,
    Catalogue,
    Engine,
    Host,
    Names,
    ProcessClass,
    Service,
)
from uncommon_im.schemas.catalogue.secrets import load_secrets, parse_secrets
from uncommon_im.schemas.documents import ConfigurationError, packaged_yaml, read_yaml, require

FORMAT: Final = 1
SERVICE_KEYS: Final = frozenset(
    (
        *("id", "name", "category", "status", "self_hosted"),
        *("hosts", "ranges", "clients", "publishers", "secrets", "sources"),
    )
)


def load_catalogue(services_path: str | None = None) -> Catalogue:
    """The shipped catalogue, with the services and exclusions of the user's file added.

    A service of the user's whose id is known adds its hosts, ranges, clients and secrets to the shipped one.

    Args:
        services_path: a YAML file of the form of `services.yaml`.

    Raises:
        ConfigurationError: a file is no catalogue; the message names the file, the entry and the mend.
    """
    services_document = packaged_yaml("uncommon_im.schemas.catalogue", "services.yaml")
    processes = packaged_yaml("uncommon_im.schemas.catalogue", "processes.yaml")
    engines = packaged_yaml("uncommon_im.schemas.catalogue", "engines.yaml")
    services, exclusions = parse_services(services_document, "services.yaml")
    if services_path:
        own_services, own_exclusions = parse_services(read_yaml(services_path), services_path)
        services = _merged(services, own_services, services_path)
        exclusions = (*exclusions, *(e for e in own_exclusions if e not in exclusions))
    check_hosts(services, services_path or "services.yaml")
    return Catalogue(
        services=services,
        exclusions=exclusions,
        shared_hosts={entry["host"]: entry["why"] for entry in services_document["shared_hosts"]},
        classes=tuple(_process_class(entry) for entry in processes["classes"]),
        locations={platform: tuple(processes["suspicious_locations"][platform]) for platform in PLATFORMS},
        engine_classes=tuple(engines["classes"]),
        not_engines=frozenset(engines["not_engines"]),
        engines=tuple(_engine(row) for row in engines["engines"]),
        secrets=load_secrets(),
    )


def parse_services(document: Any, name: str) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    """Services and exclusions of one document.

    Raises:
        ConfigurationError: the document has another form; names the entry.
    """
    require(
        isinstance(document, dict) and (document.get("services") or document.get("exclusions")),
        f"{name}: expected a mapping with a list `services` (or `exclusions`)",
    )
    require(document.get("format", FORMAT) == FORMAT, f"{name}: format must be {FORMAT}")
    entries = document.get("services") or []
    require(isinstance(entries, list), f"{name}: services must be a list")
    services = tuple(_service(entry, f"{name}: service {number}") for number, entry in enumerate(entries, 1))
    ids = [service.id for service in services]
    for service_id in ids:
        require(ids.count(service_id) == 1, f"{name}: service {service_id} is listed twice: join the two entries")
    exclusions = tuple(
        _exclusion(entry["host"] if isinstance(entry, dict) and "host" in entry else entry, name)
        for entry in _list(document.get("exclusions"), f"{name}: exclusions")
    )
    return services, exclusions


def check_hosts(services: tuple[Service, ...], name: str) -> None:
    """No host may belong to two services.

    Raises:
        ConfigurationError: names the host and both services.
    """
    owner: dict[str, str] = {}
    for service in services:
        for host in service.hosts:
            other = owner.setdefault(host.name, service.id)
            require(
                other == service.id,
                f"{name}: host {host.name} is listed for {other} and for {service.id}: keep it in one of them",
            )


def _service(entry: Any, where: str) -> Service:
    require(isinstance(entry, dict) and isinstance(entry.get("id"), str), f"{where}: needs an `id`")
    where = f"{where} ({entry['id']})"
    unknown = sorted(set(map(str, entry)) - SERVICE_KEYS)
    require(not unknown, f"{where}: unknown key {', '.join(unknown)}: known are {', '.join(sorted(SERVICE_KEYS))}")
    hosts = entry.get("hosts") or {}
    require(isinstance(hosts, dict), f"{where}: hosts must be a mapping of suffix, exact, cdn and api")
    unknown = sorted(set(map(str, hosts)) - {"suffix", "exact", "cdn", "api"})
    require(not unknown, f"{where}: unknown kind of hosts {', '.join(unknown)}: known are suffix, exact, cdn, api")
    publishers = entry.get("publishers") or {}
    require(isinstance(publishers, dict), f"{where}: publishers must be a mapping of windows and macos to lists")
    return Service(
        id=entry["id"],
        name=str(entry.get("name", entry["id"])),
        category=str(entry.get("category", "own")),
        status=str(entry.get("status", "active")),
        self_hosted=bool(entry.get("self_hosted", False)),
        hosts=_hosts(hosts, where),
        ranges=tuple(_range(item, where) for item in _list(entry.get("ranges"), f"{where}: ranges")),
        clients=_names(entry.get("clients") or {}, f"{where}: clients"),
        publishers=frozenset(
            str(publisher).lower()
            for platform, listed in publishers.items()
            for publisher in _list(listed, f"{where}: publishers.{platform}")
        ),
        secrets=parse_secrets(_list(entry.get("secrets"), f"{where}: secrets"), where),
    )


def _list(value: Any, where: str) -> list[Any]:
    """A list that may be left out."""
    require(value is None or isinstance(value, list), f"{where}: {value!r} is no list: write [a, b] or one - a line")
    listed: list[Any] = value or []
    return listed


def _hosts(hosts: dict[str, Any], where: str) -> tuple[Host, ...]:
    found: dict[tuple[str, bool], Host] = {}
    for kind in ("suffix", "cdn", "exact"):
        for name in _list(hosts.get(kind), f"{where}: hosts.{kind}"):
            host = Host(_host_name(name, where), exact=kind == "exact", use="cdn" if kind == "cdn" else "")
            found.setdefault((host.name, host.exact), host)
    for item in _list(hosts.get("api"), f"{where}: hosts.api"):
        require(
            isinstance(item, dict) and item.get("match") in ("exact", "suffix"),
            f"{where}: hosts.api: {item!r} needs `host` and `match: exact` or `match: suffix`",
        )
        host = Host(_host_name(item.get("host"), where), item["match"] == "exact", str(item.get("use", "")))
        found[(host.name, host.exact)] = host
    return tuple(found.values())


def _host_name(name: Any, where: str) -> str:
    require(isinstance(name, str) and name.strip(" ."), f"{where}: host {name!r} is not a name")
    text = name.strip().rstrip(".").lower()
    try:
        ascii_name = text if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError:
        raise ConfigurationError(f"{where}: host {name!r} is not a valid host name") from None
    labels = ascii_name.split(".")
    valid = all(label and set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_") for label in labels)
    require(valid, f"{where}: host {name!r} is not a host name: write it without scheme, port, path and *")
    require(len(labels) > 1, f"{where}: host {name!r} is a whole top-level domain: name the service's own host")
    return ascii_name


def _exclusion(entry: Any, name: str) -> str:
    require(isinstance(entry, str) and entry.strip(), f"{name}: exclusion {entry!r} is not a host name")
    star = entry.strip().startswith("*.")
    host = _host_name(entry.strip().removeprefix("*."), f"{name}: exclusions")
    return f"*.{host}" if star else host


def _range(item: Any, where: str) -> AddressRange:
    require(isinstance(item, dict) and "cidr" in item, f"{where}: range {item!r} needs a `cidr`")
    try:
        network = ipaddress.ip_network(item["cidr"])
    except ValueError as error:
        raise ConfigurationError(f"{where}: range {item['cidr']}: {error}") from None
    scope = item.get("scope", "service")
    require(scope in ("service", "operator"), f"{where}: range {item['cidr']}: scope is service or operator")
    require(network.prefixlen > 0, f"{where}: range {item['cidr']} is the whole internet")
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped and network.prefixlen >= 96:
        network = ipaddress.ip_network((mapped, network.prefixlen - 96))
    return AddressRange(str(network), scope == "operator")


def _names(listed: Any, where: str) -> Names:
    require(isinstance(listed, dict), f"{where} must be a mapping of {', '.join(PLATFORMS)} to lists of names")
    unknown = sorted(set(map(str, listed)) - set(PLATFORMS))
    require(not unknown, f"{where}: unknown system {', '.join(unknown)}: known are {', '.join(PLATFORMS)}")
    return {
        platform: frozenset(str(n).lower() for n in _list(listed.get(platform), f"{where}.{platform}"))
        for platform in PLATFORMS
    }


def _process_class(entry: dict[str, Any]) -> ProcessClass:
    return ProcessClass(
        id=entry["id"],
        role=entry["role"],
        names=_names(entry["names"], f"processes.yaml: class {entry['id']}"),
        publishers=frozenset(str(p).lower() for p in entry.get("publishers") or []),
    )


def _engine(row: dict[str, Any]) -> Engine:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Engine(**values)


def _merged(shipped: tuple[Service, ...], own: tuple[Service, ...], name: str) -> tuple[Service, ...]:
    by_id = {service.id: service for service in shipped}
    for service in own:
        base = by_id.get(service.id)
        require(
            base is not None or service.hosts or service.ranges,
            f"{name}: service {service.id} has neither hosts nor ranges, so nothing can be found to be it: add them",
        )
        by_id[service.id] = service if base is None else _joined(base, service)
    return tuple(by_id.values())


def _joined(base: Service, own: Service) -> Service:
    return Service(
        id=base.id,
        name=base.name,
        category=base.category,
        status=base.status,
        self_hosted=base.self_hosted or own.self_hosted,
        hosts=tuple(dict.fromkeys((*base.hosts, *own.hosts))),
        ranges=tuple(dict.fromkeys((*base.ranges, *own.ranges))),
        clients={p: base.clients[p] | own.clients[p] for p in PLATFORMS},
        publishers=base.publishers | own.publishers,
        secrets=(*base.secrets, *own.secrets),
    )
