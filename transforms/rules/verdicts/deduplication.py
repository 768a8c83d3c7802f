"""Repeats of earlier alerts (specification, section 7, "Deduplication")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from uncommon_im.schemas.detector import SEVERITIES, Limits
from uncommon_im.transforms.rules.columns.days import HOUR_US


@dataclass(frozen=True)
class EarlierAlert:
    """An alert already raised or rolled up; a repeat of one is a duplicate.

    `time` is that of the activity's first event, in µs.
    """

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
    activities: Iterable[EarlierAlert], limits: Limits, earlier: Iterable[EarlierAlert] = ()
) -> Iterator[tuple[EarlierAlert, EarlierAlert | None]]:
    """Each activity of one (tenant, host, program reduced, service) with what it repeats, or `None`, in order.

    An activity repeats one that repeated nothing itself, is at least as severe, and lies less than the deduplication
    period before it.

    Args:
        activities: in any order.
        limits: the period.
        earlier: alerts that repeat nothing themselves; in a stream they may be of a later time.
    """
    period = limits.deduplication_hours * HOUR_US
    alerts = sorted(earlier, key=lambda alert: alert.order)
    for item in sorted(activities, key=lambda item: item.order):
        alerts = [alert for alert in alerts if item.time - alert.time < period]
        matches = [alert for alert in alerts if alert.rank >= item.rank and alert.order <= item.order]
        yield item, matches[-1] if matches else None
        if not matches:
            alerts.append(item)
