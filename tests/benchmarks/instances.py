"""Starts of the instances in a generated lake that communicate or run a script."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tests.benchmarks.columns import Rows, instances
from tests.benchmarks.organisation import DAY
from uncommon_im.pipeline.lab.simulation.telemetry.delivery import uniform

MOST_LEAD = 2_000_000
"""µs from a process's start to its first event, at most."""
_SALT = np.full(1, 8, dtype=np.uint64)
_STARTS = np.int32(2)


class Starts:
    """The starts of instances, as the rows of a lake come, in the order of time."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._told, self._day = np.zeros(0, np.uint64), -1

    def of(self, rows: Rows, needed: npt.NDArray[np.bool_]) -> Rows:
        """One start for each instance of the `needed` rows that had none before."""
        rows = rows.take(np.flatnonzero(needed & (rows.event_type != _STARTS)))
        rows = rows.take(np.argsort(rows.time, kind="stable"))
        known, first = np.unique(instances(rows, self._first), return_index=True)
        begin = rows.take(first[~np.isin(known, self._told)])
        day = int(rows.time.max(initial=0) // DAY)
        told = self._told if day == self._day else self._told[:0]
        self._told, self._day = np.union1d(told, known[rows.time[first] // DAY == day]), day
        lead = (uniform(instances(begin, self._first), _SALT) * MOST_LEAD).astype(np.int64)
        count = len(begin.time)
        return begin._replace(
            time=np.maximum(begin.time - lead, begin.time - begin.time % DAY),
            domain=np.full(count, -1, np.int32),
            address=np.full(count, -1, np.int32),
            event_type=np.full(count, _STARTS),
            noise=np.full(count, -1, np.int32),
        )
