"""The labels of campaigns and changes: the lines of `labels.jsonl`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.pipeline.lab.simulation.campaigns.campaign import GAP, Campaign, Label
from uncommon_im.pipeline.lab.simulation.organisation.organisation import Organisation
from uncommon_im.transforms.rules.columns.days import DAY_US, day_number, day_of, rfc3339


def labels_of(
    campaigns: Sequence[Campaign | Label], events: pa.Table, organisation: Organisation
) -> list[dict[str, Any]]:
    """The labels of all that happened.

    Args:
        campaigns: campaigns and changes.
        events: their events in order of time: `event_id`, `event_time`, `host_id`, `label` (a position in `campaigns`).
        organisation: says when there was no telemetry.
    """
    labels = [_gap(organisation)] if organisation.gap else []
    return labels + list(_labels(campaigns, events))


def _labels(campaigns: Sequence[Campaign | Label], events: pa.Table) -> Iterator[dict[str, Any]]:
    events = events.unify_dictionaries()  # each day has its own, and Arrow groups by no more than one
    events = events.append_column("micros", events.column("event_time").cast(pa.int64()))
    for number, campaign in enumerate(campaigns):
        mine = events.filter(pc.equal(events.column("label"), number))
        if mine.num_rows:
            times = mine.column("micros").to_pylist()
            firsts = mine.group_by("host_id").aggregate([("micros", "min")])
            hosts = sorted(firsts.column("host_id").to_pylist())
            days = {day_of(first // DAY_US).isoformat() for first in firsts.column("micros_min").to_pylist()}
            ids = mine.column("event_id").to_pylist()
            yield _label(campaign, hosts, sorted(days), (times[0], times[-1]), ids)


def _gap(organisation: Organisation) -> dict[str, Any]:
    days = [organisation.day(day) for day in organisation.gap]
    first = day_number(days[0])
    ends = first * DAY_US, (first + len(days)) * DAY_US
    return _label(GAP, [], [day.isoformat() for day in days], ends, [])


def _label(
    campaign: Campaign | Label, hosts: list[str], days: list[str], ends: tuple[int, int], event_ids: list[str]
) -> dict[str, Any]:
    """One line; `days` are the UTC dates on which a host is affected for the first time, `ends` are µs."""
    return {
        "campaign": campaign.name,
        "title": campaign.title,
        "class": campaign.kind,
        "technique": campaign.technique,
        "malicious": campaign.malicious,
        "expected_variation": campaign.expected,
        "why": campaign.why,
        "source": "; ".join(campaign.sources),
        "hosts": hosts,
        "days": days,
        "first_event": rfc3339(ends[0]),
        "last_event": rfc3339(ends[1]),
        "events": len(event_ids),
        "event_ids": event_ids,
    }
