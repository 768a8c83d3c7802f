"""Verdict and variation of activities (specification, sections 6 and 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.detector import Limits
from transforms.rules.columns import Longs, Mask, group_rows, text_of
from transforms.rules.prevalence import Prevalence

VERDICTS: Final = (
    "training",
    "learning",
    "common_in_organisation",
    "common_on_host",
    "excepted",
    "duplicate",
    "rolled_up",
    "alert",
)
"""In the order of `summary.json`."""

OPEN: Final = "open"
"""Neither common nor excepted: deduplication and flood control decide."""


@dataclass(frozen=True)
class Activation:
    """Days on which tenants delivered telemetry.

    Args:
        days: tenant -> sorted day numbers.
        limits: the window and the days needed in it.
    """

    days: Mapping[str, npt.NDArray[np.int64]]
    limits: Limits

    def coverage(self, tenant: str, day: Longs) -> Longs:
        """Days of `[day - training_days, day - 1]` with telemetry."""
        seen = self.days.get(tenant, np.zeros(0, np.int64))
        return np.searchsorted(seen, day) - np.searchsorted(seen, day - self.limits.training_days)

    def coverage_of(self, activities: pa.Table) -> Longs:
        """Coverage of each activity's tenant before its day."""
        tenant = text_of(activities.column("tenant"))
        day = activities.column("hour").to_numpy() // 24
        if not len(day):
            return np.zeros(0, np.int64)
        groups, first = group_rows([tenant.codes, day])
        counts = [self.coverage(tenant.at(int(row)) or "", day[row : row + 1])[0] for row in first]
        return np.array(counts, np.int64)[groups]


def rare(prevalence: Prevalence, max_other_hosts: int, max_host_days: int) -> Mask:
    """Activities whose subject is rare (section 5)."""
    return (prevalence.other_hosts <= max_other_hosts) & (prevalence.host_days <= max_host_days)


def verdicts(
    activities: pa.Table, coverage: Longs, prevalence: Prevalence, limits: Limits, start: int | None
) -> npt.NDArray[np.object_]:
    """The first verdict of section 7 that applies to each activity, `OPEN` if none does before deduplication.

    Args:
        activities: of `ACTIVITY_SCHEMA`.
        coverage: days with telemetry in each activity's window.
        prevalence: of the communication subjects.
        limits: the detector's.
        start: µs since 1970; what is earlier only trains. `None`: nothing is.
    """
    time = activities.column("event_time").to_numpy()
    training = time < start if start is not None else np.zeros(len(time), np.bool_)
    return np.select(
        [
            training,
            coverage < limits.activation_days,
            prevalence.other_hosts > limits.max_other_hosts,
            prevalence.host_days > limits.max_host_days,
            activities.column("excepted").to_numpy(),
        ],
        [np.array(verdict, object) for verdict in VERDICTS[:5]],
        np.array(OPEN, object),
    )


def matched_variations(suspicious: bool, execution_rare: bool) -> tuple[str, ...]:
    """All variations that hold, the deciding one first; `base` only if no other does."""
    held = [
        variation
        for variation, holds in (
            ("suspicious_process", suspicious),
            ("uncommon_scripting_engine", execution_rare),
        )
        if holds
    ]
    return tuple(held or ["base"])
