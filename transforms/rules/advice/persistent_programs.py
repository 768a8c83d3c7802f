"""Programs that only a few hosts use, yet on many days: what was there before the detector learned.

To the detector they are common on their host and never an alert. Somebody has to look at them once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.advice.exception_findings import FOLDER_ORIGINS
from uncommon_im.transforms.rules.baseline import formula
from uncommon_im.transforms.rules.columns.days import day_of

Trait = Literal["suspicious", "never_rare", "no_signer", "script", "steady_hours", "weekends"]
TRAITS_IN_WORDS: Final[dict[Trait, str]] = {
    "suspicious": "it has a reason of suspicion",
    "never_rare": "it was never rare in this run, so that no alert was raised",
    "no_signer": "no signature vouches for it",
    "script": "it is a script",
    "steady_hours": "it keeps to one or two hours of the day, or is spread over 20 or more of the 24",
    "weekends": "one day in five or more is a Saturday or Sunday",
}

_KEY: Final = ["tenant", "program", "origin", "reduced_script", "service"]
_EXAMPLE: Final = ("host", "host_name", "user_name", "process_path", "parent_process_name", "remote_host")
_HOURS_A_DAY: Final = 24
_FEW_HOURS, _MANY_HOURS = 2, 20
_SATURDAY: Final = 5
_WEEKEND_SHARE: Final = 0.2


@dataclass(frozen=True)
class PersistentProgram:
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


def persistent_programs(activities: pa.Table, limits: Limits, max_other_hosts: int) -> list[PersistentProgram]:
    """What is common on its hosts and used by few others, in the order in which to look at it.

    Args:
        activities: of `RARE_ACTIVITY_SCHEMA`.
        limits: of the run: what is common on a host.
        max_other_hosts: how many other hosts are few.
    """
    other_hosts, host_days = (activities.column(name).to_numpy() for name in ("other_hosts", "host_days"))
    rare = pa.array(formula.is_rare(other_hosts, host_days, "communication", limits))
    common = formula.is_common_on_host(host_days, "communication", limits)
    once_rare = {_key(row) for row in activities.filter(rare).group_by(_KEY).aggregate([]).to_pylist()}
    few = activities.filter(pa.array(common & (other_hosts <= max_other_hosts)))
    found = (_program(row, _key(row) not in once_rare) for row in _by_program(few).to_pylist())
    return sorted(found, key=lambda program: program.rank)


def _by_program(activities: pa.Table) -> pa.Table:
    """One row per program and service: what its activities say together, and the last of them."""
    hour = activities.column("hour").to_numpy()
    ordered = (
        activities.append_column("day", pa.array(hour // _HOURS_A_DAY))
        .append_column("hour_of_day", pa.array(hour % _HOURS_A_DAY))
        .sort_by([(name, "ascending") for name in ("event_time", "event_id", "host")])
    )
    as_it_is = pc.ScalarAggregateOptions(skip_nulls=False)
    return ordered.group_by(_KEY, use_threads=False).aggregate(
        [
            ([], "count_all"),
            *((name, "distinct") for name in ("day", "hour_of_day", "reasons")),
            *((name, how) for name, how in (("host", "count_distinct"), ("host_days", "max"), ("first_day", "min"))),
            *((name, "last", as_it_is) for name in (*_EXAMPLE, "known_as")),
        ]
    )


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in _KEY)


def _program(row: Mapping[str, Any], never_rare: bool) -> PersistentProgram:
    tenant, program, origin, script, service = _key(row)
    return PersistentProgram(
        tenant=tenant,
        program=program,
        origin=origin,
        script=script,
        service=service,
        known_as=row["known_as_last"],
        hosts=row["host_count_distinct"],
        activities=row["count_all"],
        host_days=row["host_days_max"],
        first_day=row["first_day_min"],
        last_day=max(row["day_distinct"]),
        hours=len(row["hour_of_day_distinct"]),
        reasons=tuple(
            sorted({reason for reasons in row["reasons_distinct"] for reason in reasons.split(",") if reason})
        ),
        traits=tuple(_traits(row, never_rare)),
        example={name: row[f"{name}_last"] for name in _EXAMPLE},
    )


def _traits(row: Mapping[str, Any], never_rare: bool) -> Iterator[Trait]:
    days = row["day_distinct"]
    if any(row["reasons_distinct"]):
        yield "suspicious"
    if never_rare:
        yield "never_rare"
    if row["origin"].startswith(FOLDER_ORIGINS):
        yield "no_signer"
    if row["reduced_script"]:
        yield "script"
    if not _FEW_HOURS < len(row["hour_of_day_distinct"]) < _MANY_HOURS:
        yield "steady_hours"
    if sum(day_of(day).weekday() >= _SATURDAY for day in days) >= _WEEKEND_SHARE * len(days):
        yield "weekends"
