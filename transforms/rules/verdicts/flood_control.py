"""Roll-outs and outbreaks cost a bounded number of alerts, and say so (specification, section 7, "Flood control")."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from uncommon_im.transforms.rules.alerts.alert import Alert
from uncommon_im.transforms.rules.verdicts.judgement import Candidate, VerdictRow


def control_flood(candidates: Iterable[Candidate], limit: int) -> Iterator[tuple[Alert | None, VerdictRow]]:
    """(alert or `None` if it is rolled up, verdict row) of each candidate of one group and variation.

    Args:
        candidates: in any order; read twice, and never held whole.
        limit: alerts of the group, the last of which is `group_saturated`; 0: no limit.
    """
    first = heapq.nsmallest(limit, (candidate.order for candidate in candidates)) if limit else []
    saturated = len(first) == limit
    for candidate in candidates:
        if limit and saturated and candidate.order > first[-1]:
            yield None, candidate.row | {"verdict": "rolled_up", "duplicate_of": None}
        else:
            last = bool(limit) and saturated and candidate.order == first[-1]
            alert = candidate.alert | {"group_saturated": last}
            yield alert, candidate.row | {"verdict": "alert", "duplicate_of": None}
