"""Loading the catalogue, the shipped files and the user's own services (specification, section 3)."""

from __future__ import annotations

from functools import cache
from typing import Final

from msgspec.structs import replace

from uncommon_im.schemas.catalogue.files import EnginesFile, ProcessesFile, ServicesFile
from uncommon_im.schemas.catalogue.model import PLATFORMS, Catalogue, Service
from uncommon_im.schemas.catalogue.secrets import Secrets
from uncommon_im.schemas.decoding import decode
from uncommon_im.schemas.documents import packaged_yaml, read_yaml, require

_PACKAGE: Final = "uncommon_im.schemas.catalogue"


def load_catalogue(services_path: str | None = None) -> Catalogue:
    """The shipped catalogue, with the services and exclusions of the user's file added.

    A service of the user's whose id is known adds its hosts, ranges, clients and secrets to the shipped one.

    Args:
        services_path: a YAML file of the form of `services.yaml`.

    Raises:
        ConfigurationError: a file is no catalogue; the message names the file, the entry and the mend.
    """
    return _load(services_path) if services_path else _shipped()


@cache
def _shipped() -> Catalogue:
    return _load(None)


def _load(services_path: str | None) -> Catalogue:
    listed = packaged_yaml(_PACKAGE, "services.yaml")
    services, exclusions = parse_services(listed, "services.yaml")
    processes = decode(packaged_yaml(_PACKAGE, "processes.yaml"), ProcessesFile, "processes.yaml")
    engines = decode(packaged_yaml(_PACKAGE, "engines.yaml"), EnginesFile, "engines.yaml")
    if services_path:
        own_services, own_exclusions = parse_services(read_yaml(services_path), services_path)
        services = _merged(services, own_services, services_path)
        exclusions = (*exclusions, *(each for each in own_exclusions if each not in exclusions))
    check_hosts(services, services_path or "services.yaml")
    return Catalogue(
        services=services,
        exclusions=exclusions,
        shared_hosts={entry["host"]: entry["why"] for entry in listed["shared_hosts"]},
        classes=tuple(entry.process_class() for entry in processes.classes),
        locations={platform: getattr(processes.suspicious_locations, platform) for platform in PLATFORMS},
        engine_classes=engines.classes,
        not_engines=engines.not_engines,
        engines=engines.engines,
        secrets=decode(packaged_yaml(_PACKAGE, "secrets.yaml"), Secrets, "secrets.yaml"),
    )


def parse_services(document: object, name: str) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    """Services and exclusions of one document; `name` is how messages call it.

    Raises:
        ConfigurationError: the document has another form; names the entry.
    """
    file = decode(document, ServicesFile, name)
    return tuple(entry.service() for entry in file.services or ()), tuple(map(str, file.exclusions or ()))


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
    return replace(
        base,
        self_hosted=base.self_hosted or own.self_hosted,
        hosts=tuple(dict.fromkeys((*base.hosts, *own.hosts))),
        ranges=tuple(dict.fromkeys((*base.ranges, *own.ranges))),
        clients={platform: base.clients[platform] | own.clients[platform] for platform in PLATFORMS},
        publishers=base.publishers | own.publishers,
        secrets=(*base.secrets, *own.secrets),
    )
