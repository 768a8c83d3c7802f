"""Is this destination an instant messaging server, and whose? (specification, section 3)"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pyarrow as pa

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.transforms.rules.columns.arrow_text import matches
from uncommon_im.transforms.rules.columns.column import Mask
from uncommon_im.transforms.rules.columns.text import parse_address
from uncommon_im.transforms.rules.recognition.name_ends import NameEnds

Attribution = Literal["domain", "ip_range"]


@dataclass(frozen=True)
class Match:
    """A destination that belongs to a service, and the entry of the catalogue that says so."""

    service_id: str
    attribution: Attribution
    matched: str


@dataclass(frozen=True)
class Destinations:
    """The hosts and ranges of a catalogue, ready for lookups.

    Args:
        catalogue: what to match against.
        operator_ranges: use ranges that carry the owner's other products too.
    """

    catalogue: Catalogue
    operator_ranges: bool = False

    def match(self, host: str | None, address: str | None) -> Match | None:
        """The match of a normalised host name, else of an address, else `None`."""
        return (self.match_host(host) if host else None) or (self.match_address(address) if address else None)

    def match_host(self, host: str) -> Match | None:
        """The match of a normalised host name: exact hosts first, then the longest suffix; exclusions win."""
        if self.exclusion(host):
            return None
        if host in self._exact:
            return Match(self._exact[host], "domain", host)
        for name in _tails(host, self._longest_suffix):
            if name in self._suffixes:
                return Match(self._suffixes[name], "domain", name)
        return None

    def exclusion(self, host: str) -> str | None:
        """The exclusion that covers a normalised host name; `*.x` covers x too."""
        if host in self._excluded_hosts:
            return host
        for name in _tails(host, self._longest_exclusion):
            if name in self._excluded_suffixes:
                return f"*.{name}"
        return None

    def match_address(self, text: str) -> Match | None:
        """The match of an address by the longest prefix."""
        address = parse_address(text)
        if address is None:
            return None
        value, bits = int(address), address.max_prefixlen
        for prefix in self._prefixes[bits]:
            found = self._ranges.get((bits, prefix, value >> (bits - prefix)))
            if found:
                return Match(found[0], "ip_range", found[1])
        return None

    def may_be_name(self, hosts: pa.StringArray) -> Mask:
        """Normalised host names that may match: all that do, and few others."""
        return self._name_ends.may_end(hosts)

    def may_be_address(self, addresses: pa.StringArray) -> Mask:
        """Addresses that may match: all that do, and few others."""
        return matches(addresses, self.candidate_pattern)

    @cached_property
    def _name_ends(self) -> NameEnds:
        return NameEnds(host.name for service in self.catalogue.services for host in service.hosts)

    @cached_property
    def candidate_pattern(self) -> str:
        """RE2 pattern that every address of a range matches, and most others do not: a cheap first look.

        IPv6 texts have many spellings, so any text with a colon is a candidate.
        """
        heads: set[str] = set()
        for network, _ in self.networks:
            if isinstance(network, ipaddress.IPv4Network):
                wide = network.supernet(new_prefix=16) if network.prefixlen > 16 else network
                parts = max(1, wide.prefixlen // 8)
                step = 32 - 8 * parts
                for value in range(int(wide.network_address) >> step, (int(wide.broadcast_address) >> step) + 1):
                    octets = ipaddress.IPv4Address(value << step).exploded.split(".")[:parts]
                    heads.add(re.escape(".".join(octets) + "."))
        return "|".join([":", *(rf"^\s*{head}" for head in sorted(heads))])

    @cached_property
    def _exact(self) -> dict[str, str]:
        return {h.name: s.id for s in self.catalogue.services for h in s.hosts if h.exact}

    @cached_property
    def _suffixes(self) -> dict[str, str]:
        return {h.name: s.id for s in self.catalogue.services for h in s.hosts if not h.exact}

    @cached_property
    def _longest_suffix(self) -> int:
        return max(map(len, self._suffixes), default=0)

    @cached_property
    def _longest_exclusion(self) -> int:
        return max(map(len, self._excluded_suffixes), default=0)

    @cached_property
    def _excluded_hosts(self) -> frozenset[str]:
        return frozenset(e for e in self.catalogue.exclusions if not e.startswith("*."))

    @cached_property
    def _excluded_suffixes(self) -> frozenset[str]:
        return frozenset(e.removeprefix("*.") for e in self.catalogue.exclusions if e.startswith("*."))

    @cached_property
    def networks(self) -> list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str]]:
        """(range, service id) of the ranges that count."""
        return [
            (ipaddress.ip_network(r.cidr), service.id)
            for service in self.catalogue.services
            for r in service.ranges
            if self.operator_ranges or not r.operator
        ]

    @cached_property
    def _ranges(self) -> dict[tuple[int, int, int], tuple[str, str]]:
        """(address bits, prefix length, prefix) -> (service id, CIDR)."""
        return {
            (n.max_prefixlen, n.prefixlen, int(n.network_address) >> (n.max_prefixlen - n.prefixlen)): (owner, str(n))
            for n, owner in self.networks
        }

    @cached_property
    def _prefixes(self) -> dict[int, list[int]]:
        """Address bits -> prefix lengths in use, longest first."""
        lengths: defaultdict[int, set[int]] = defaultdict(set)
        for bits, prefix, _ in self._ranges:
            lengths[bits].add(prefix)
        return defaultdict(list, {bits: sorted(found, reverse=True) for bits, found in lengths.items()})


def _tails(host: str, longest: int) -> Iterator[str]:
    """The name and those above it, longest first, but for names of more than `longest` characters.

    What sensors call a host may be of any length and number of labels; the time this takes does not grow with it.
    """
    start = 0 if len(host) <= longest else host.find(".", len(host) - longest - 1) + 1
    if len(host) - start > longest:
        return
    while start < len(host):
        yield host[start:]
        start = host.find(".", start) + 1 or len(host)
