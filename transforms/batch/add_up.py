"""Counts of parts of the events -> counts of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any


def add_up(parts: Iterable[Any]) -> Counter[Any]:
    """The sum of mappings to numbers, such as tallies or coverage; order and grouping change nothing."""
    total: Counter[Any] = Counter()
    for part in parts:
        total.update(part)
    return total
