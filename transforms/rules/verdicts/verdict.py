"""Verdict and variation of activities (specification, sections 6 and 7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.baseline import day_masks, formula
from uncommon_im.transforms.rules.baseline.prevalence import Prevalence
from uncommon_im.transforms.rules.baseline.sightings import Coverage
from uncommon_im.transforms.rules.columns.column import Longs, group_rows, text_of

VERDICT_COLUMNS: Final = ("tenant", "host", "program", "origin", "script", "service", "hour")
"""What a verdict row says of its activity."""

NOT_ACTIVE: Final = ("training", "learning")
"""Verdicts of activities on whose day the detector does not speak, however rare they are."""

FIRST_VERDICTS: Final = ("training", "learning", "common_in_organisation", "common_on_host", "excepted")
"""Verdicts that an activity has by itself, in the order in which they apply."""

UNDECIDED: Final = "undecided"
"""Neither common nor excepted: deduplication and flood control decide. No activity leaves a run with it."""


@dataclass(frozen=True)
class Activation:
    """Whether a tenant has enough days of telemetry: counts them, for `formula.is_active` to compare.

    Args:
        coverage: of all tenants.
        limits: the window and the days needed in it.
        learning_since: services that were new or changed on a day (number) and count only days from there on.
    """

    coverage: Coverage
    limits: Limits
    learning_since: Mapping[str, int] = field(default_factory=dict)

    def days(self, tenant: str, day: int, service: str) -> int:
        """The days that count for a service on a day (specification, section 6)."""
        first, mask = self._masks.get(tenant, (0, 0))
        telemetry = day_masks.window(mask, first, day, self.limits.training_days)
        return formula.coverage_days(telemetry, day, self.learning_since.get(service, 0), self.limits)

    def coverage_of(self, activities: pa.Table) -> Longs:
        """The days that count for each activity."""
        tenant, service = text_of(activities.column("tenant")), text_of(activities.column("service"))
        day = activities.column("hour").to_numpy() // 24
        groups, first = group_rows([tenant.codes, service.codes, day])
        named = zip(tenant.at_rows(first), day[first].tolist(), service.at_rows(first), strict=True)
        return np.array([self.days(t or "", d, s or "") for t, d, s in named], np.int64)[groups]

    @cached_property
    def _masks(self) -> dict[str, tuple[int, int]]:
        """Tenant -> (first day, mask of its days with telemetry)."""
        listed: defaultdict[str, list[int]] = defaultdict(list)
        for tenant, day in sorted(self.coverage):
            listed[tenant].append(day)
        return {tenant: (days[0], day_masks.mask_of(days, days[0])) for tenant, days in listed.items()}


def verdicts(
    activities: pa.Table, coverage: Longs, prevalence: Prevalence, limits: Limits, start: int | None
) -> npt.NDArray[np.object_]:
    """The first verdict that applies to each activity; `UNDECIDED` if none does before deduplication.

    Args:
        activities: of `ACTIVITY_SCHEMA`.
        coverage: days with telemetry in each activity's window.
        prevalence: of the communication subjects.
        limits: the detector's.
        start: µs since 1970; what is earlier only trains. `None`: nothing is.
    """
    time = activities.column("event_time").to_numpy()
    training = time < start if start is not None else np.zeros(len(time), np.bool_)
    excepted = activities.column("excepted").to_numpy()
    return first_verdict(training, coverage, prevalence.other_hosts, prevalence.host_days, excepted, limits)


def first_verdict(
    training: Any, coverage: Any, other_hosts: Any, host_days: Any, excepted: Any, limits: Limits
) -> npt.NDArray[np.object_]:
    """As `verdicts`, from what it looks at: a column of activities, or plain values of one activity."""
    applies = [
        training,
        np.logical_not(formula.is_active(coverage, limits)),
        formula.is_common_in_organisation(other_hosts, "communication", limits),
        formula.is_common_on_host(host_days, "communication", limits),
        excepted,
    ]
    return np.select(applies, [np.array(verdict, object) for verdict in FIRST_VERDICTS], np.array(UNDECIDED, object))


def matched_variations(suspicious: bool, execution_rare: bool) -> tuple[str, ...]:
    """All variations that hold, the deciding one first; `base` only if no other does."""
    variations = ("suspicious_process",) * suspicious + ("uncommon_scripting_engine",) * execution_rare
    return variations or ("base",)
