"""How long records take to arrive, and which `--lateness` that suggests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import numpy as np

from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.columns.days import SECOND_US
from uncommon_im.transforms.rules.stream.lateness import Lateness

BOUNDS_S: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
"""Upper bounds of the classes of delays, in seconds; what takes longer is of the class 0."""
COVERED: Final = 0.999
"""Share of the records that the suggested lateness is to cover."""
_EVERY: Final = 1_000_000


class Delays:
    """The delays of what one worker has seen, by classes."""

    def __init__(self, lateness: Lateness) -> None:
        """Compares with the lateness of the stream."""
        self._lateness = lateness
        self._counts: Counter[int] = Counter()
        self._said = 0

    def add(self, delays: Longs) -> Counter[int]:
        """Takes delays (µs) in.

        Returns:
            class -> how many of them are of it.
        """
        place = np.searchsorted(np.array(BOUNDS_S) * SECOND_US, delays)
        classes = (*BOUNDS_S, 0)
        found = Counter({classes[i]: int(n) for i, n in enumerate(np.bincount(place)) if n})
        self._counts.update(found)
        return found

    def spread(self, delays: Longs) -> list[int]:
        """The least, the median and the greatest of some delays, in ms."""
        if not len(delays):
            return []
        return [int(value) // 1000 for value in (delays.min(), np.median(delays), delays.max())]

    def advice(self) -> str:
        """A sentence about the lateness, each time that a million more records have been seen; else nothing."""
        seen = self._counts.total()
        if seen // _EVERY <= self._said:
            return ""
        self._said = seen // _EVERY
        return advice_of(self._counts, self._lateness)


def suggestion(counts: Mapping[int, int]) -> int | None:
    """The least bound (s) that covers enough of the records; `None`: none does."""
    total, covered = sum(counts.values()), 0
    for bound in BOUNDS_S:
        covered += counts.get(bound, 0)
        if covered >= total * COVERED:
            return bound
    return None


def advice_of(counts: Mapping[int, int], lateness: Lateness) -> str:
    """What delays suggest, as a sentence.

    >>> advice_of({10: 9_995, 3600: 5}, Lateness())
    'arrival delays of 10,000 records: 99.9 % within 10 s; --lateness is 600 s, --lateness 10 would do'
    """
    given, bound, total = lateness.allowed // SECOND_US, suggestion(counts), sum(counts.values())
    if bound is None:
        within, wanted = f"more than 0.1 % took longer than {BOUNDS_S[-1]:,} s", "look for what holds records back"
    else:
        within = f"{COVERED:.1%} within {bound} s".replace("%", " %")
        fits = "fits" if bound == given else f"--lateness {bound} would do"
        wanted = fits if bound <= given else f"--lateness {bound} would make fewer of them late"
    return f"arrival delays of {total:,} records: {within}; --lateness is {given} s, {wanted}"
