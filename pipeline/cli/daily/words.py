"""What `uncommon-im daily` says: one line a day."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.baseline.completeness import FEW, active_from, thin_days
from uncommon_im.transforms.rules.baseline.sightings import Coverage
from uncommon_im.transforms.rules.columns.days import day_number, day_of


def counted(summary: Mapping[str, Any]) -> str:
    """What a day had, in a line."""
    events, alerts = summary["events"], sum(summary["alerts"].values())
    dead = sum(events["dead_letter"].values())
    return (
        f"{alerts:,} alert{'s' * (alerts != 1)}, {summary['activities']:,} activities, {events['read']:,} records, "
        f"{dead:,} dead letters"
    )


def few_events(coverage: Coverage, day: date) -> str | None:
    """Which tenants have too few events on a day; `None`: none has.

    One without any event counts too; one that usually has hardly any does not: chance decides how many it has.
    """
    number = day_number(day)
    known = {(tenant, number): 0 for tenant, _ in coverage} | coverage
    thin = [
        f"tenant {each.tenant} has {each.events:,} events, under a fifth of the usual {each.usual:,.0f}"
        for each in thin_days(known, number, number + 1)
        if each.usual >= FEW
    ]
    return "; ".join(thin) or None


def learning(coverage: Coverage, day: date, limits: Limits) -> str | None:
    """Which tenants have too few days for alerts on a day, and when they will have enough; `None`: none has."""
    number = day_number(day)
    by_tenant: dict[str, set[int]] = {}
    for tenant, each in coverage:
        if each < number:
            by_tenant.setdefault(tenant, set()).add(each)
    waiting = []
    for tenant, days in sorted(by_tenant.items()):
        active = active_from(days, number, limits)
        if active != number:
            missing = limits.activation_days - sum(each >= number - limits.training_days for each in days)
            waiting.append(
                f"tenant {tenant} lacks {missing} of {limits.activation_days} days, {_begin(active, number)}"
            )
    return "learning: " + "; ".join(waiting) if waiting else None


def first_run(there: Collection[date], first: date, limits: Limits) -> str:
    """What a chain that begins without a snapshot has to learn from.

    Args:
        there: days of the training days before the first that have files.
        first: the first day that is judged.
        limits: how many days are learned from, and how many are needed.
    """
    number, wanted = day_number(first), limits.training_days
    missing = wanted - len(there)
    active = active_from({day_number(day) for day in there}, number, limits)
    return (
        f"the first run: {len(there)} of the {wanted} days before {first} have files, {missing} are missing; "
        f"{_begin(active, number)}"
    )


def _begin(active: int, day: int) -> str:
    return f"alerts begin on {day_of(active)}{' if every day until then has events' * (active > day)}"
