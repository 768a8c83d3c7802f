"""The hosts of the generated organisation."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.benchmarks.vocabulary import FIRST, SECOND, Codes

SYSTEMS = ("windows", "macos", "linux")
SHARE = (0.80, 0.12, 0.08)
DAY = 86_400_000_000
HOUR = 3_600_000_000


@dataclass(frozen=True)
class Organisation:
    """Hosts by number: their system, user, tenant and how busy they are."""

    host_id: list[str]
    host_name: list[str]
    user: list[str]
    system: Codes
    """0 windows, 1 macos, 2 linux."""
    rank: Codes
    """The host's number among the hosts of its system."""
    tenant: Codes
    pool: Codes
    """Host numbers, each as often as the host is busy."""

    def __len__(self) -> int:
        return len(self.host_id)

    def of(self, system: int) -> npt.NDArray[np.intp]:
        """The hosts of one system, in the order of their rank."""
        return np.flatnonzero(self.system == system)

    def home(self, host: int) -> str:
        """The folder of the host's user, without a slash at its end."""
        root = ("C:\\Users\\", "/Users/", "/home/")[int(self.system[host])]
        return root + self.user[host]


def organisation(rng: np.random.Generator, count: int) -> Organisation:
    """An organisation of `count` hosts, a tenth of them in a second tenant."""
    system = rng.choice(3, count, p=SHARE).astype(np.int32)
    rank = np.zeros(count, np.int32)
    for number in range(3):
        members = np.flatnonzero(system == number)
        rank[members] = np.arange(len(members))
    names = [
        f"{FIRST[number % len(FIRST)]}.{SECOND[number // len(FIRST) % len(SECOND)]}{number // 990 or ''}"
        for number in range(count)
    ]
    weights = rng.lognormal(0.0, 0.7, count)
    edges = np.round(np.cumsum(weights) / weights.sum() * (1 << 20)).astype(np.int64)
    pool = np.repeat(np.arange(count, dtype=np.int32), np.diff(edges, prepend=0))
    rng.shuffle(pool)
    return Organisation(
        host_id=[str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(count)],
        host_name=[f"{('WS', 'MAC', 'SRV')[system[number]]}-{number:05d}" for number in range(count)],
        user=names,
        system=system,
        rank=rank,
        tenant=(rng.random(count) < 0.1).astype(np.int32),
        pool=pool,
    )
