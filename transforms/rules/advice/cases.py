"""Cases: the alerts that belong together, worst first. Made of alerts alone; the same alerts give the same cases.

Alerts are of one case if a program communicated with a service in one tenant, on whatever hosts and days, code counting
by its kind only; and if they share a `group_id` (specification, section 7), as roll-outs and outbreaks do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from uncommon_im.transforms.rules.recognition.command_line import reduce_fingerprint

SEVERITIES: Final = ("Informational", "Low", "Medium", "High")
"""From the least on."""
MOST_RELATED: Final = 10
"""Cases that a case names beside itself."""
_SHARED_ACCOUNTS: Final = frozenset({"", "system", "localsystem", "local service", "network service", "root"})
"""Accounts that every machine has: that two alerts share one says nothing."""


class _Host(msgspec.Struct, frozen=True):
    id: str


class _Process(msgspec.Struct, frozen=True):
    name: str
    origin: str
    script: str


class _Service(msgspec.Struct, frozen=True):
    id: str
    name: str


class _Activity(msgspec.Struct, frozen=True):
    bytes_sent: int | None
    bytes_received: int | None


class CaseAlert(msgspec.Struct, frozen=True):
    """What of an alert a case is made of (specification, section 8)."""

    alert_id: str
    group_id: str
    tenant_id: str
    severity: str
    variation: str
    timestamp: datetime
    host: _Host
    user_name: str | None
    process: _Process
    service: _Service
    activity: _Activity
    group_saturated: bool
    priority: int = 0

    @property
    def urgency(self) -> tuple[int, int, int]:
        """What is greater is to be opened first."""
        severity = SEVERITIES.index(self.severity) if self.severity in SEVERITIES else -1
        return self.priority, severity, self.activity.bytes_sent or 0

    @property
    def links(self) -> Iterator[Hashable]:
        """What alerts of one case have in common, any of it."""
        script = reduce_fingerprint(self.process.script, lambda path: path)
        yield self.group_id
        yield self.tenant_id, self.process.name.lower(), self.process.origin, script, self.service.id

    @property
    def places(self) -> Iterator[tuple[str, str, str]]:
        """The host and the user that it is about."""
        yield "host", self.tenant_id, self.host.id
        account = (self.user_name or "").rpartition("\\")[2].lower()
        if account not in _SHARED_ACCOUNTS:
            yield "user", self.tenant_id, (self.user_name or "").lower()


@dataclass(frozen=True)
class Case:
    """Alerts that belong together.

    Args:
        alerts: in the order of time.
        related: ids of other cases that the same hosts or users had, the most urgent first, at most `MOST_RELATED`.
    """

    alerts: tuple[CaseAlert, ...]
    related: tuple[str, ...] = ()

    @property
    def case_id(self) -> str:
        """The `alert_id` of the first alert, so that it stays when more alerts come."""
        return self.alerts[0].alert_id

    @property
    def open_first(self) -> CaseAlert:
        """The most urgent alert."""
        return max(self.alerts, key=lambda alert: alert.urgency)

    @property
    def urgency(self) -> tuple[int, int, int]:
        """What is greater is to be opened first: the priority, the severity, the bytes sent in all."""
        severity = max(alert.urgency[1] for alert in self.alerts)
        return self.open_first.priority, severity, self.bytes_sent or 0

    @property
    def severity(self) -> str:
        """The worst."""
        return max(self.alerts, key=lambda alert: alert.urgency[1]).severity

    @property
    def hosts(self) -> tuple[str, ...]:
        """Ids, sorted."""
        return tuple(sorted({alert.host.id for alert in self.alerts}))

    @property
    def first(self) -> datetime:
        """When the first alert's first event was."""
        return self.alerts[0].timestamp

    @property
    def last(self) -> datetime:
        """When the last alert's first event was."""
        return self.alerts[-1].timestamp

    @property
    def bytes_sent(self) -> int | None:
        """Of the hours of its alerts; `None`: not reported."""
        return _sum(alert.activity.bytes_sent for alert in self.alerts)

    @property
    def bytes_received(self) -> int | None:
        """Of the hours of its alerts; `None`: not reported."""
        return _sum(alert.activity.bytes_received for alert in self.alerts)

    @property
    def variations(self) -> Mapping[str, int]:
        """Variation -> how many alerts."""
        return dict(sorted(Counter(alert.variation for alert in self.alerts).items()))

    @property
    def spread(self) -> str:
        """How many hosts within how long: "12 hosts within 9 hours". What one alert says is in its hour alone."""
        hosts = f"{len(self.hosts):,} {'host' if len(self.hosts) == 1 else 'hosts'}"
        if len(self.alerts) == 1:
            return hosts
        hours = int((self.last - self.first).total_seconds()) // 3600 + 1
        length, unit = (hours, "hour") if hours <= 48 else (-(-hours // 24), "day")
        return f"{hosts} within {length:,} {unit}{'s' if length != 1 else ''}"


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def cases(alerts: Iterable[CaseAlert]) -> list[Case]:
    """The cases of some alerts, the most urgent first; an alert that comes twice counts once, as it comes last."""
    unique = {alert.alert_id: alert for alert in alerts}
    ordered = sorted(unique.values(), key=lambda alert: (alert.timestamp, alert.alert_id))
    found = [Case(tuple(members)) for members in _linked(ordered)]
    found.sort(key=lambda case: (*(-part for part in case.urgency), case.first, case.case_id))
    return _with_related(found)


def _linked(alerts: Sequence[CaseAlert]) -> Iterator[list[CaseAlert]]:
    """Alerts that share a link, directly or by others between them; each in the order given."""
    parents: dict[Hashable, Hashable] = {}

    def root(link: Hashable) -> Hashable:
        while (above := parents.setdefault(link, link)) != link:
            parents[link] = link = parents[above]
        return link

    for alert in alerts:
        first, *others = alert.links
        for other in others:
            parents[root(other)] = root(first)
    together: defaultdict[Hashable, list[CaseAlert]] = defaultdict(list)
    for alert in alerts:
        together[root(next(alert.links))].append(alert)
    yield from together.values()


def _with_related(found: Sequence[Case]) -> list[Case]:
    """Each with what else its hosts and users had."""
    places = [list(dict.fromkeys(place for alert in case.alerts for place in alert.places)) for case in found]
    at_place: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for number, of_case in enumerate(places):
        for place in of_case:
            at_place[place].append(number)
    result = []
    for number, (case, of_case) in enumerate(zip(found, places, strict=True)):
        # the most urgent come first at each place: what comes after as many as are wanted is not looked at
        others = {other for place in of_case for other in at_place[place][: MOST_RELATED + 1]} - {number}
        related = tuple(found[other].case_id for other in sorted(others)[:MOST_RELATED])
        result.append(replace(case, related=related))
    return result
