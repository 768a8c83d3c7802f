"""Where programs connect to: named profiles of destinations with their popularity and addresses."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Final

import numpy as np
import numpy.typing as npt

from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.schemas.decoding import Entry, decode
from uncommon_im.schemas.documents import packaged_yaml

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class DestinationsFile(Entry, frozen=True):
    """Host names by profile, the most popular first, and what addresses are drawn from (destinations.yaml)."""

    messengers: dict[str, tuple[str, ...]]
    others: dict[str, tuple[str, ...]]
    odd: tuple[str, ...]
    web_sites: tuple[str, ...]
    words: tuple[str, ...]
    things: tuple[str, ...]
    networks: dict[str, tuple[tuple[int, int, int], ...]]


_FILE: Final = decode(packaged_yaml(__package__, "destinations.yaml"), DestinationsFile, "destinations.yaml")
MESSENGER_PROFILES: Final = (*_FILE.messengers, "odd", "edge-config")
"""Profiles of hosts that are messengers', or lie under a messenger's domain."""
_MESSENGERS: Final = frozenset(chain(_FILE.odd, *_FILE.messengers.values()))


@dataclass(frozen=True)
class Destinations:
    """All destinations, each with a block of addresses, and the profiles' cumulative weights laid end to end.

    Each profile owns a stretch of `choice`. Its weights, cumulated, plus the profile's number stand in the same stretch
    of `cumulative`, so that one search serves all events of a day.
    """

    hosts: list[str]
    addresses: list[str]
    first_address: Ints
    address_count: Ints
    profiles: dict[str, int]
    cumulative: Floats
    choice: Ints

    def pick(self, profile: Ints, rng: np.random.Generator) -> Ints:
        """One destination for each given profile."""
        where = np.searchsorted(self.cumulative, profile + rng.random(len(profile)), side="right")
        return self.choice[np.minimum(where, len(self.choice) - 1)]

    def pick_address(self, destination: Ints, rng: np.random.Generator) -> Ints:
        """One address (an index into `addresses`) for each given destination."""
        count = self.address_count[destination]
        return self.first_address[destination] + np.floor(rng.random(len(destination)) * count).astype(np.int64)


def web_sites() -> list[str]:
    """The web, most popular first: well-known sites, then invented ones under a reserved top-level domain."""
    invented = (
        f"www.{word}{thing}{more or ''}.example"
        for more, thing, word in product(range(p.web_sites), _FILE.things, _FILE.words)
    )
    return list(islice(chain(_FILE.web_sites, invented), p.web_sites))


def build_destinations(vendors: list[str]) -> Destinations:
    """All profiles; `vendors` are names of makers of local programs, each with an update server of its own."""
    profiles = {"web": web_sites(), **_FILE.messengers, **_FILE.others, "odd": _FILE.odd}
    profiles |= {vendor: [f"update.{vendor}.example"] for vendor in vendors}
    cumulative: list[Floats] = []
    for k, (name, hosts) in enumerate(profiles.items()):
        weights = np.arange(1, len(hosts) + 1, dtype=np.float64) ** -(p.web_zipf if name == "web" else 0.7)
        cumulative.append(k + np.cumsum(weights) / weights.sum())
        cumulative[-1][-1] = k + 1.0
    index = {host: n for n, host in enumerate(dict.fromkeys(chain(*profiles.values())))}
    addresses = [addresses_of(host) for host in index]
    count = np.array([len(own) for own in addresses])
    return Destinations(
        hosts=list(index),
        addresses=list(chain(*addresses)),
        first_address=np.cumsum(count) - count,
        address_count=count,
        profiles={name: k for k, name in enumerate(profiles)},
        cumulative=np.concatenate(cumulative),
        choice=np.array([index[host] for host in chain(*profiles.values())], dtype=np.int64),
    )


def addresses_of(host: str) -> list[str]:
    """One to four addresses that always belong to this host name."""
    kind = "internal" if host.endswith(".corp.example") else "messenger" if host in _MESSENGERS else "web"
    digest = zlib.crc32(host.encode())
    a, b, c = _FILE.networks[kind][digest % len(_FILE.networks[kind])]
    third = c + (digest >> 8) % (1 if kind == "internal" else 28)
    return [f"{a}.{b}.{third}.{1 + (digest >> 16) % 250 + i}" for i in range(1 + (digest >> 4) % 4)]
