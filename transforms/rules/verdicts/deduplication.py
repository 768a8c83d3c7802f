"""Repeats of what was said already (specification, section 7, "Deduplication")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from uncommon_im.schemas.detector import SEVERITIES, Limits
from uncommon_im.transforms.rules.columns.days import HOUR_US


@dataclass(frozen=True)
class Said:
    """What deduplication knows of an activity: time of its first event (µs), severity, event id, alert id."""

    time: int
    severity: str
    event_id: str
    alert_id: str

    @property
    def rank(self) -> int:
        """Severity as a number, higher is worse."""
        return SEVERITIES.index(self.severity)

    @property
    def order(self) -> tuple[int, int, str, str]:
        """The order in which activities of one key are looked at."""
        return self.time, -self.rank, self.event_id, self.alert_id


def deduplicate(
    activities: Iterable[Said], limits: Limits, before: Iterable[Said] = ()
) -> Iterator[tuple[Said, Said | None]]:
    """Each activity of one (tenant, host, program reduced, service) with what it repeats, or `None`, in order.

    An activity repeats one that repeated nothing itself, is at least as severe, and lies less than the deduplication
    period before it.

    Args:
        activities: in any order.
        limits: the period.
        before: what was said already and repeated nothing; in a stream it may be of a later time.
    """
    period = limits.deduplication_hours * HOUR_US
    said = sorted(before, key=lambda item: item.order)
    for item in sorted(activities, key=lambda item: item.order):
        said = [earlier for earlier in said if item.time - earlier.time < period]
        repeated = [earlier for earlier in said if earlier.rank >= item.rank and earlier.order <= item.order]
        yield item, repeated[-1] if repeated else None
        if not repeated:
            said.append(item)
