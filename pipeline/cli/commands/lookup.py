"""`uncommon-im lookup`: is this an instant messaging server, and why?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.configuration.options import CatalogueOptions
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.transforms.rules.columns.text import clean_remote_host
from uncommon_im.transforms.rules.recognition.destination import Destinations, Match


def explain(text: str, catalogue: Catalogue, operator_ranges: bool) -> str:
    """Says whether a host name, URL or address, as somebody writes it, is an IM server, and why."""
    host, address = clean_remote_host(text)
    if host is None and address is None:
        return f"{text!r} is neither a host name nor an address."
    destinations = Destinations(catalogue, operator_ranges)
    shown = host or address or ""
    match = destinations.match(host, address)
    if match:
        return f"{shown} is an instant messaging server: {_named(match, catalogue)}. It {_why(match, host, catalogue)}."
    return f"{shown} is not an instant messaging server: {_why_not(host, address, destinations)}."


def _named(match: Match, catalogue: Catalogue) -> str:
    service = catalogue.services_by_id[match.service_id]
    return f"{service.name} (service {service.id}, {service.category})"


def _why(match: Match, host: str | None, catalogue: Catalogue) -> str:
    if match.attribution == "ip_range":
        return f"lies in the range {match.matched}"
    entries = [h for h in catalogue.services_by_id[match.service_id].hosts if h.name == match.matched]
    use = next((f" ({h.use})" for h in entries if h.use), "")
    if host != match.matched:
        return f"lies under {match.matched}{use}"
    exact = " exactly" if all(entry.exact for entry in entries) else ""
    return f"is listed in the catalogue{exact}{use}"


def _why_not(host: str | None, address: str | None, destinations: Destinations) -> str:
    if host:
        exclusion = destinations.exclusion(host)
        if exclusion:
            return f"it is excluded by {exclusion} (telemetry that lives under a messenger's domain)"
        name = host
        while name:
            if name in destinations.catalogue.shared_hosts:
                return f"{name} carries other products too ({destinations.catalogue.shared_hosts[name]})"
            name = name.partition(".")[2]
        return "no host or domain of the catalogue covers it"
    operator = Destinations(destinations.catalogue, operator_ranges=True).match_address(address or "")
    if operator:
        return (
            f"{operator.matched} of {operator.service_id} carries the owner's other products too "
            "(--operator-ranges matches it)"
        )
    return "no range of the catalogue covers it"


@dataclass(frozen=True, kw_only=True)
class LookupOptions(Options):
    """The options of `lookup`."""

    host: str = option("A host name, a URL or an address.", metavar="HOST_OR_IP", positional=True)
    known: CatalogueOptions


def run_lookup(options: LookupOptions) -> None:
    """`uncommon-im lookup`."""
    print(explain(options.host, options.known.catalogue(), options.known.operator_ranges))


LOOKUP: Final = Command("lookup", "Tell whether a host is an IM server, and why.", LookupOptions, run_lookup)
