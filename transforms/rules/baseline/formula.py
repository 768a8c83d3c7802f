"""The formula of what is rare, and of when the detector is active (specification, sections 5 and 6).

Batch asks about columns of activities, the stream about one activity at a time. Each function takes arrays or numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.baseline import day_masks
from uncommon_im.transforms.rules.baseline.subjects import SubjectKind


def host_limits(kind: SubjectKind, limits: Limits) -> tuple[int, int]:
    """(most other hosts, most host days) of a rare subject of a kind."""
    if kind == "execution":
        return limits.execution_max_other_hosts, limits.execution_max_host_days
    return limits.max_other_hosts, limits.max_host_days


def is_guarded(suspicious: Any, kind: SubjectKind) -> Any:
    """Whether `other_hosts` is counted without the guard days.

    For a suspicious process, hosts that showed it only in the last `guard_days` days are not counted. For its
    executions they are.
    """
    return suspicious & (kind != "execution")


def other_hosts(hosts: Any, shown_by_itself: Any, kind: SubjectKind, limits: Limits) -> Any:
    """Other hosts: exact up to the limit, and one more for whatever is beyond it.

    Args:
        hosts: distinct hosts of the window, counted at least up to `Limits.hosts_kept`.
        shown_by_itself: whether the activity's own host is one of them.
        kind: of the subject.
        limits: of the run.
    """
    return np.minimum(hosts - shown_by_itself, host_limits(kind, limits)[0] + 1)


def is_common_in_organisation(other_hosts: Any, kind: SubjectKind, limits: Limits) -> Any:
    """Whether too many other hosts showed a subject for it to be rare."""
    return other_hosts > host_limits(kind, limits)[0]


def is_common_on_host(host_days: Any, kind: SubjectKind, limits: Limits) -> Any:
    """Whether the host showed a subject on too many days for it to be rare."""
    return host_days > host_limits(kind, limits)[1]


def is_rare(other_hosts: Any, host_days: Any, kind: SubjectKind, limits: Limits) -> Any:
    """Whether a subject is rare: common neither in the organisation nor on the host."""
    common = is_common_in_organisation(other_hosts, kind, limits) | is_common_on_host(host_days, kind, limits)
    return np.logical_not(common)


def coverage_days(telemetry: int, day: int, learning_since: int, limits: Limits) -> int:
    """Days with telemetry in the window of a day.

    Args:
        telemetry: the tenant's days of that window, as a mask.
        day: the number of the day.
        learning_since: the number of the first day that counts for the service.
        limits: the length of the window.
    """
    first = day - limits.training_days
    return day_masks.since(telemetry, first, max(first, learning_since)).bit_count()


def is_active(coverage: Any, limits: Limits) -> Any:
    """Whether the detector is active after so many days of coverage."""
    return coverage >= limits.activation_days
