"""Who used what, counted from the activities of a run: rare pairs, services, tenants, days. No Beam, no files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.transforms.rules.advice.exception_matches import RARE
from uncommon_im.transforms.rules.columns.days import day_of

ACTIVITY_SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("tenant", "host", "program", "origin", "script", "service", "verdict")),
        ("hour", pa.int64()),
        ("duplicate_of", pa.string()),
    ]
)
"""What is read of verdict rows."""
HOSTS_NAMED: Final = 3
"""Hosts of a rare pair that are named; its number of hosts is exact."""
_PAIR: Final = ("tenant", "program", "origin", "script", "service")
_COMPACT_ROWS: Final = 1 << 18


@dataclass(frozen=True)
class Pair:
    """A program of a tenant and a service whose communication was rare; days are those on which it was."""

    tenant: str
    program: str
    origin: str
    script: str
    service: str
    hosts: int
    named_hosts: tuple[str, ...]
    days: int
    first_day: date
    last_day: date
    alerts: int


@dataclass(frozen=True)
class ServiceUse:
    """How many hosts and programs use a service, in how many activities, and how many of these are alerts."""

    service: str
    hosts: int
    programs: int
    activities: int
    alerts: int


@dataclass
class TenantDays:
    """Days of a tenant on which there were activities, and those on which the detector was still learning."""

    tenant: str
    days: set[date] = field(default_factory=set)
    learning: set[date] = field(default_factory=set)
    alerts: int = 0

    @property
    def gaps(self) -> int:
        """Days without any activity between the first and the last."""
        return (max(self.days) - min(self.days)).days + 1 - len(self.days)


class Counts:
    """Activities counted by some columns, batch after batch; as large as there are different rows."""

    def __init__(self, *columns: str) -> None:
        self._columns = list(columns)
        self._parts: list[pa.Table] = []
        self._limit = _COMPACT_ROWS

    def add(self, rows: pa.Table) -> None:
        """Counts rows that have the columns and `activities`."""
        self._parts.append(_sums(rows, self._columns))
        if sum(part.num_rows for part in self._parts) > self._limit:
            self._limit = max(_COMPACT_ROWS, 2 * self.table.num_rows)

    @property
    def table(self) -> pa.Table:
        """The columns, different rows only, with `activities`."""
        self._parts = [_sums(pa.concat_tables(self._parts), self._columns)]
        return self._parts[0]


class Activities:
    """What the page says of activities.

    Args:
        rows: of `ACTIVITY_SCHEMA`, batch after batch: the verdict rows of a run, or its alerts with verdict `alert`.
    """

    def __init__(self, rows: Iterator[pa.RecordBatch]) -> None:
        self._rare = Counts(*_PAIR, "host", "day", "verdict")
        self._uses = Counts("service", "tenant", "host", "program", "origin", "verdict")
        self._days = Counts("tenant", "day", "verdict")
        self._repeats = Counts("duplicate_of")
        for batch in chain([pa.RecordBatch.from_pylist([], ACTIVITY_SCHEMA)], rows):
            self._add(pa.Table.from_batches([batch]))

    def _add(self, rows: pa.Table) -> None:
        rows = rows.append_column("day", pc.divide(rows.column("hour"), 24))
        rows = rows.append_column("activities", pa.array(np.ones(rows.num_rows, np.int64)))
        self._rare.add(rows.filter(pc.is_in(rows.column("verdict"), pa.array(sorted(RARE)))))
        self._uses.add(rows)
        self._days.add(rows)
        self._repeats.add(rows.filter(pc.is_valid(rows.column("duplicate_of"))))

    def pairs(self, limit: int) -> tuple[list[Pair], int]:
        """The rare pairs with most alerts, and of these on fewest hosts first; and how many there are in all."""
        hosts, days = ("host", "distinct"), ("day", "distinct")
        pairs = _with_alerts(self._rare.table).group_by(list(_PAIR)).aggregate([("alerts", "sum"), hosts, days])
        pairs = pairs.append_column("hosts", pc.list_value_length(pairs.column("host_distinct")))
        order = [("alerts_sum", "descending"), ("hosts", "ascending"), *((key, "ascending") for key in _PAIR)]
        rows = pairs.take(pc.sort_indices(pairs, order)[:limit]).to_pylist()
        return [_pair(row) for row in rows], pairs.num_rows

    def kept_back(self, hosts: Collection[str], limit: int) -> tuple[list[dict[str, Any]], int]:
        """What was rare on some hosts and is no alert, by day, the newest first; and how many such rows there are.

        Each has the columns of a pair, `host`, `verdict`, the `day` (ISO), and the `activities` of that day.
        """
        rows = self._rare.table
        is_alert = pc.equal(rows.column("verdict"), "alert")
        rows = rows.filter(pc.and_(pc.invert(is_alert), pc.is_in(rows.column("host"), pa.array(hosts, pa.string()))))
        order = [("day", "descending"), *((key, "ascending") for key in ("host", *_PAIR, "verdict"))]
        first = rows.take(pc.sort_indices(rows, order)[:limit]).to_pylist()
        return [row | {"day": str(day_of(row["day"]))} for row in first], rows.num_rows

    def repeats(self) -> dict[str, int]:
        """Id of an alert -> in how many hours its activity went on, as duplicates of it."""
        return dict(zip(*(column.to_pylist() for column in self._repeats.table.columns), strict=True))

    def hosts(self) -> dict[str, int]:
        """Tenant -> how many hosts have an activity."""
        return dict(Counter(self._uses.table.group_by(["tenant", "host"]).aggregate([]).column("tenant").to_pylist()))

    def services(self) -> list[ServiceUse]:
        """The services, those on most hosts first; a program is a name and an origin."""
        uses = _with_alerts(self._uses.table)
        hosts = _different(uses, "tenant", "host")
        programs = _different(uses, "program", "origin")
        sums = uses.group_by("service").aggregate([("activities", "sum"), ("alerts", "sum")])
        services = [
            ServiceUse(service, hosts[service], programs[service], activities, alerts)
            for service, activities, alerts in zip(*(column.to_pylist() for column in sums.columns), strict=True)
        ]
        return sorted(services, key=lambda use: (-use.hosts, use.service))

    def tenants(self) -> list[TenantDays]:
        """The tenants, by name."""
        tenants: dict[str, TenantDays] = {}
        for row in self._days.table.to_pylist():
            tenant = tenants.setdefault(row["tenant"], TenantDays(row["tenant"]))
            day = day_of(row["day"])
            tenant.days.add(day)
            if row["verdict"] == "learning":
                tenant.learning.add(day)
            if row["verdict"] == "alert":
                tenant.alerts += row["activities"]
        return [tenants[name] for name in sorted(tenants)]

    def by_day(self) -> Counter[tuple[date, str]]:
        """(Day, verdict) -> activities."""
        counts: Counter[tuple[date, str]] = Counter()
        for row in self._days.table.to_pylist():
            counts[day_of(row["day"]), row["verdict"]] += row["activities"]
        return counts


def _sums(rows: pa.Table, columns: list[str]) -> pa.Table:
    summed = rows.group_by(columns).aggregate([("activities", "sum")])
    return summed.rename_columns({"activities_sum": "activities"})


def _with_alerts(rows: pa.Table) -> pa.Table:
    """With the column `alerts`: the activities that were one."""
    is_alert = pc.equal(rows.column("verdict"), "alert")
    return rows.append_column("alerts", pc.if_else(is_alert, rows.column("activities"), 0))


def _different(uses: pa.Table, *columns: str) -> Counter[str]:
    """Service -> how many different values of the columns use it."""
    return Counter(uses.group_by(["service", *columns]).aggregate([]).column("service").to_pylist())


def _pair(row: dict[str, Any]) -> Pair:
    hosts, days = sorted(row["host_distinct"]), row["day_distinct"]
    return Pair(
        **{name: row[name] for name in _PAIR},
        hosts=len(hosts),
        named_hosts=tuple(hosts[:HOSTS_NAMED]),
        days=len(days),
        first_day=day_of(min(days)),
        last_day=day_of(max(days)),
        alerts=row["alerts_sum"],
    )
