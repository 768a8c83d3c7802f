"""How campaigns are acted out: most by their fields alone, and a few in a manner that fields do not describe."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import numpy as np

from uncommon_im.pipeline.lab.simulation.campaigns.campaign import Campaign
from uncommon_im.pipeline.lab.simulation.campaigns.stage import Row, Stage
from uncommon_im.pipeline.lab.simulation.organisation.organisation import Organisation
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.lab.simulation.telemetry.delivery import start_numbers
from uncommon_im.schemas.documents import require


def plant(
    organisation: Organisation,
    campaigns: Sequence[Campaign],
    first_label: int,
    seed: int,
    most_a_day: int | None = None,
) -> dict[date, list[Row]]:
    """Act campaigns out, each on a day that the seed chooses; the rows of each day, labelled from `first_label` on.

    Each has random numbers of its own, so a new one at the end leaves all others as they were. A campaign that finds no
    host of the kind it needs is left out. Hosts on which something happens are on that day. What falls on days without
    telemetry is lost.

    Args:
        organisation: where.
        campaigns: which, in the order in which they pick hosts.
        first_label: the number of the first one's label.
        seed: chooses days, hosts and moments.
        most_a_day: how many campaigns may begin on a day; `None`: any number.

    Raises:
        ConfigurationError: there are not enough days for so few on each.
    """
    covered = {organisation.day(d): d for d in range(organisation.days) if d not in organisation.gap}
    index = {host.host_id: host.index for host in organisation.hosts}
    used: set[int] = set()
    begun: Counter[int] = Counter()
    rows = defaultdict(list)
    for label, campaign in enumerate(campaigns, first_label):
        rng = np.random.default_rng([seed, 4, zlib.crc32(campaign.name.encode())])
        days = [d for d in _days_of(campaign, organisation) if most_a_day is None or begun[d] < most_a_day]
        require(
            days, f"--campaigns-per-day {most_a_day}: no day is left for {campaign.name}: plant fewer, or more --days"
        )
        stage = Stage(campaign, organisation, days[int(rng.integers(len(days)))], rng, used)
        begun[stage.day] += 1
        ACTS[campaign.act](stage)
        for row in stage.rows:
            day = row["event_time"].date()
            if day in covered:
                if row["host_id"] in index:
                    at = index[row["host_id"]], covered[day]
                    organisation.presence[at] = max(organisation.presence[at], p.weekend_activity)
                rows[day].append(row | {"label": label})
    return rows


def _days_of(campaign: Campaign, organisation: Organisation) -> list[int]:
    """The days (0-based) on which a campaign may begin; where telemetry has none of its kind, those of any."""
    later = [d for d in range(organisation.campaign_day, organisation.days) if d not in organisation.gap]
    working = [d for d in later if organisation.is_working_day(d)]
    kinds = {
        "working": working,
        "weekend": [d for d in later if d not in working],
        "any": later,
        "early": [d for d in range(min(p.early_days, organisation.campaign_day)) if organisation.is_working_day(d)],
    }
    return kinds[campaign.rhythm.days] or later


def with_instances(rows: Iterable[Row], running: Callable[[Row], int]) -> list[Row]:
    """Numbered rows of a day as sensors have them that tell instances apart: a program starts before its first lookup.

    As planted it starts with its first connection, or before. That start stays: there are two.

    Args:
        rows: as planted.
        running: the instance that what the campaign did not start belongs to (0: nobody knows it).
    """
    rows = [row | {"instance": row["instance"] or running(row)} for row in rows]
    starts = [row for row in rows if row["event_type"] == "process"]
    numbers = start_numbers(np.array([row["instance"] for row in starts], dtype=np.uint64))
    for row, number in zip(starts, numbers, strict=True):
        before = row["event_time"] - timedelta(seconds=p.start_lead_seconds[1])
        midnight = datetime.combine(row["event_time"].date(), time(), UTC)
        rows.append(row | {"event_time": max(before, midnight), "label": -1, "number": number})
    return rows


def as_written(stage: Stage) -> None:
    """A campaign as its fields say."""
    rhythm = stage.campaign.rhythm
    for number, host in enumerate(stage.pick(), 1):
        for day in stage.days_on(host) if rhythm.daily else [stage.day]:
            here = stage.named(host, day, number)
            stage.act(here, stage.at(here, day, rhythm.at))


def roll_out(stage: Stage) -> None:
    """On many hosts during the day, and then every working day."""
    hosts = stage.organisation.hosts
    if len(hosts) < p.ordinary_company:
        return
    for host in stage.pick_many(round(len(hosts) * p.roll_out_share)):
        stage.act(host, stage.at(host, stage.day, stage.campaign.rhythm.at + float(stage.rng.uniform(0, 6))))
        for day in stage.days_on(host):
            if day > stage.day and stage.organisation.is_working_day(day):
                stage.connect(host, stage.campaign.transfers[0], stage.at(host, day, 10))


def new_hire(stage: Stage) -> None:
    """On each host that joins."""
    for host in stage.newcomers():
        stage.act(host, stage.at(host, host.joined, stage.campaign.rhythm.at))


def working_days(stage: Stage) -> None:
    """On one host, every working day, some times a day."""
    for host in stage.pick():
        for day in stage.days_on(host):
            if stage.organisation.is_working_day(day):
                stage.start(host, stage.at(host, day, stage.campaign.rhythm.at))
                for hour in (9.25, 11, 14, 16.5):
                    stage.connect(host, stage.campaign.transfers[0], stage.at(host, day, hour))


def outbreak(stage: Stage) -> None:
    """On many hosts within an hour."""
    reach = round(len(stage.all_hosts()) * p.outbreak_share)
    hosts = stage.pick_many(min(p.outbreak_hosts, max(3, reach)))
    if hosts:
        begin = stage.at(hosts[0], stage.day, stage.campaign.rhythm.at)
        for host in hosts:
            stage.act(host, begin + timedelta(seconds=float(stage.rng.uniform(0, 3_000))))


ACTS: Final[dict[str, Callable[[Stage], None]]] = {
    "as-written": as_written,
    "roll-out": roll_out,
    "new-hire": new_hire,
    "working-days": working_days,
    "outbreak": outbreak,
}
"""What a card's `act` names."""
