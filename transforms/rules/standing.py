"""Programs that only a few hosts use, yet on many days: what was there before the detector learned.

To the detector they are common on their host and never an alert. Somebody has to look at them once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from schemas.detector import Limits
from transforms.rules.days import day_of
from transforms.rules.exception_findings import FOLDER_ORIGINS

Trait = Literal["suspicious", "never_rare", "no_signer", "script", "steady_hours", "weekends"]
TRAITS_IN_WORDS: Final[dict[Trait, str]] = {
    "suspicious": "it has a reason of suspicion",
    "never_rare": "it was never rare in this run, so that no alert was raised",
    "no_signer": "no signature vouches for it",
    "script": "it is a script",
    "steady_hours": "it keeps to one or two hours of the day, or to none: 20 or more of the 24",
    "weekends": "one day in five or more is a Saturday or Sunday",
}

_KEY: Final = ("tenant", "program", "origin", "reduced_script", "service")
_EXAMPLE: Final = ("host", "host_name", "user_name", "process_path", "parent_process_name", "remote_host")
_FEW_HOURS, _MOST_HOURS = 2, 20
_WEEKEND_SHARE: Final = 0.2


@dataclass(frozen=True)
class Standing:
    """A program and a service that few hosts use, on many days. Days are day numbers, hours are UTC.

    Args:
        tenant: of it.
        program: its name.
        origin: of it.
        script: reduced.
        service: id of the service.
        known_as: `own_client`, `browser`, or `None`.
        hosts: that use it so.
        activities: that were common on their host.
        host_days: most days of a window on which one host showed it.
        first_day: the first day that any window saw; it may be older than these.
        last_day: the last day of these activities.
        hours: different hours of the day.
        reasons: of suspicion.
        traits: what makes it worth a look.
        example: of the last activity: where to look.
    """

    tenant: str
    program: str
    origin: str
    script: str
    service: str
    known_as: str | None
    hosts: int
    activities: int
    host_days: int
    first_day: int
    last_day: int
    hours: int
    reasons: tuple[str, ...]
    traits: tuple[Trait, ...]
    example: dict[str, Any] = field(hash=False)

    @property
    def expected(self) -> bool:
        """Whether it is the service's own client or a browser, and nothing about it is suspicious."""
        return self.known_as is not None and not self.reasons

    @property
    def rank(self) -> tuple[Any, ...]:
        """The order in which to look at them: expected ones last, an old implant first."""
        name = (self.tenant, self.program, self.origin, self.script, self.service)
        return self.expected, not self.reasons, -len(self.traits), self.hosts, -self.host_days, name


def standing(activities: pa.Table, limits: Limits, max_other_hosts: int) -> list[Standing]:
    """What is common on its hosts and used by few others, in the order in which to look at it.

    Args:
        activities: of `RARE_ACTIVITY_SCHEMA`.
        limits: of the run: what is common on a host.
        max_other_hosts: how many other hosts are few.
    """
    common = pc.greater(activities.column("host_days"), limits.max_host_days)
    few = pc.less_equal(activities.column("other_hosts"), max_other_hosts)
    rare = pc.and_(pc.invert(common), pc.less_equal(activities.column("other_hosts"), limits.max_other_hosts))
    once_rare = set(_keys(activities.filter(rare)))
    grouped: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in activities.filter(pc.and_(common, few)).to_pylist():
        grouped[tuple(row[name] for name in _KEY)].append(row)
    found = (_standing(key, rows, key not in once_rare) for key, rows in grouped.items())
    return sorted(found, key=lambda program: program.rank)


def _keys(activities: pa.Table) -> Iterable[tuple[str, ...]]:
    columns: list[list[str]] = [activities.column(name).to_pylist() for name in _KEY]
    return zip(*columns, strict=True)


def _standing(key: tuple[str, ...], rows: Sequence[dict[str, Any]], never_rare: bool) -> Standing:
    tenant, program, origin, script, service = key
    last = max(rows, key=lambda row: (row["event_time"], row["event_id"], row["host"]))
    reasons = sorted({reason for row in rows for reason in row["reasons"].split(",") if reason})
    return Standing(
        tenant=tenant,
        program=program,
        origin=origin,
        script=script,
        service=service,
        known_as=last["known_as"],
        hosts=len({row["host"] for row in rows}),
        activities=len(rows),
        host_days=max(row["host_days"] for row in rows),
        first_day=min(row["first_day"] for row in rows),
        last_day=last["hour"] // 24,
        hours=len({row["hour"] % 24 for row in rows}),
        reasons=tuple(reasons),
        traits=tuple(_traits(rows, never_rare)),
        example={name: last[name] for name in _EXAMPLE},
    )


def _traits(rows: Sequence[dict[str, Any]], never_rare: bool) -> Iterator[Trait]:
    days = {row["hour"] // 24 for row in rows}
    weekends = sum(day_of(day).weekday() >= 5 for day in days)
    hours = len({row["hour"] % 24 for row in rows})
    if any(row["reasons"] for row in rows):
        yield "suspicious"
    if never_rare:
        yield "never_rare"
    if rows[0]["origin"].startswith(FOLDER_ORIGINS):
        yield "no_signer"
    if rows[0]["script"]:
        yield "script"
    if not _FEW_HOURS < hours < _MOST_HOURS:
        yield "steady_hours"
    if weekends >= _WEEKEND_SHARE * len(days):
        yield "weekends"
