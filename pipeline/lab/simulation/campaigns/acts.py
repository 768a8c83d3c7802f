"""How campaigns are acted out: most by their fields alone, and a few by functions of their own."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import numpy as np

from uncommon_im.pipeline.lab.simulation.campaigns.campaign import CAMPAIGNS
from uncommon_im.pipeline.lab.simulation.campaigns.stage import Row, Stage
from uncommon_im.pipeline.lab.simulation.organisation.organisation import Organisation
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.lab.simulation.telemetry.delivery import start_numbers


def plant(organisation: Organisation, first_label: int, seed: int) -> dict[date, list[Row]]:
    """Act all campaigns out, each on a day that the seed chooses; the rows of each day, labelled from `first_label` on.

    Each has random numbers of its own, so a new one at the end leaves all others as they were. A campaign that finds no
    host of the kind it needs is left out. Hosts on which something happens are on that day. What falls on days without
    telemetry is lost.
    """
    later = [d for d in range(organisation.campaign_day, organisation.days) if d not in organisation.gap]
    days = [d for d in later if organisation.is_working_day(d)] or later
    covered = {organisation.day(d): d for d in range(organisation.days) if d not in organisation.gap}
    index = {host.host_id: host.index for host in organisation.hosts}
    used: set[int] = set()
    rows = defaultdict(list)
    for label, campaign in enumerate(CAMPAIGNS, first_label):
        rng = np.random.default_rng([seed, 4, zlib.crc32(campaign.name.encode())])
        stage = Stage(campaign, organisation, days[int(rng.integers(len(days)))], rng, used)
        ACTS.get(campaign.name, on_one_host)(stage)
        for row in stage.rows:
            day = row["event_time"].date()
            if day in covered:
                at = index[row["host_id"]], covered[day]
                organisation.presence[at] = max(organisation.presence[at], p.weekend_activity)
                rows[day].append(row | {"label": label})
    return rows


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


def on_one_host(stage: Stage) -> None:
    """A campaign as its fields say."""
    for host in stage.pick():
        for day in stage.days_on(host) if stage.campaign.daily else [stage.day]:
            stage.act(host, stage.at(host, day, stage.campaign.at))


def roll_out(stage: Stage) -> None:
    """On many hosts during the day, and then every working day."""
    hosts = stage.organisation.hosts
    if len(hosts) < p.ordinary_company:
        return
    for host in stage.pick_many(round(len(hosts) * p.roll_out_share)):
        stage.act(host, stage.at(host, stage.day, stage.campaign.at + float(stage.rng.uniform(0, 6))))
        for day in stage.days_on(host):
            if day > stage.day and stage.organisation.is_working_day(day):
                stage.connect(host, stage.campaign.transfers[0], stage.at(host, day, 10))


def new_hire(stage: Stage) -> None:
    """On each host that joins."""
    for host in stage.newcomers():
        stage.act(host, stage.at(host, host.joined, stage.campaign.at))


def developer_bot(stage: Stage) -> None:
    """On one host, every working day, some times a day."""
    for host in stage.pick():
        for day in stage.days_on(host):
            if stage.organisation.is_working_day(day):
                stage.start(host, stage.at(host, day, stage.campaign.at))
                for hour in (9.25, 11, 14, 16.5):
                    stage.connect(host, stage.campaign.transfers[0], stage.at(host, day, hour))


def outbreak(stage: Stage) -> None:
    """On many hosts within an hour."""
    reach = round(len(stage.all_hosts()) * p.outbreak_share)
    hosts = stage.pick_many(min(p.outbreak_hosts, max(3, reach)))
    if hosts:
        begin = stage.at(hosts[0], stage.day, stage.campaign.at)
        for host in hosts:
            stage.act(host, begin + timedelta(seconds=float(stage.rng.uniform(0, 3_000))))


ACTS: Final[dict[str, Callable[[Stage], None]]] = {
    "roll-out": roll_out,
    "new-hire": new_hire,
    "developer-bot": developer_bot,
    "outbreak": outbreak,
}
"""Campaigns that their fields alone do not describe."""
