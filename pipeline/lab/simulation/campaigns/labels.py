"""The labels of campaigns and changes: the lines of `labels.jsonl`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.pipeline.lab.simulation.campaigns.campaign import CAMPAIGNS, Label
from uncommon_im.pipeline.lab.simulation.organisation.organisation import Organisation


def labels_of(campaigns: Sequence[Label], events: pa.Table, organisation: Organisation) -> list[dict[str, Any]]:
    """The labels of all that happened.

    Args:
        campaigns: campaigns and changes.
        events: their events in order of time: `event_id`, `event_time`, `host_id`, `label` (a position in `campaigns`).
        organisation: says when there was no telemetry.
    """
    labels = [_gap(organisation)] if organisation.gap else []
    return labels + list(_labels(campaigns, events))


def _labels(campaigns: Sequence[Label], events: pa.Table) -> Iterator[dict[str, Any]]:
    for number, campaign in enumerate(campaigns):
        rows = events.filter(pc.equal(events.column("label"), number)).to_pylist()
        if not rows:
            continue
        first_of_host: dict[str, datetime] = {}
        for row in rows:
            first_of_host.setdefault(row["host_id"], row["event_time"])
        yield _label(
            campaign,
            sorted(first_of_host),
            sorted({when.date().isoformat() for when in first_of_host.values()}),
            [_rfc3339(row["event_time"]) for row in (rows[0], rows[-1])],
            [row["event_id"] for row in rows],
        )


def _gap(organisation: Organisation) -> dict[str, Any]:
    days = [organisation.day(day) for day in organisation.gap]
    ends = [datetime.combine(day, time(), UTC) for day in (days[0], organisation.day(organisation.gap.stop))]
    return _label(CAMPAIGNS.gap, [], [day.isoformat() for day in days], [_rfc3339(end) for end in ends], [])


def _label(campaign: Label, hosts: list[str], days: list[str], ends: list[str], event_ids: list[str]) -> dict[str, Any]:
    """One line; `days` are the UTC dates on which a host is affected for the first time."""
    return {
        "campaign": campaign.name,
        "title": campaign.title,
        "technique": campaign.technique,
        "malicious": campaign.malicious,
        "expected_variation": campaign.expected,
        "why": campaign.why,
        "source": campaign.source,
        "hosts": hosts,
        "days": days,
        "first_event": ends[0],
        "last_event": ends[1],
        "events": len(event_ids),
        "event_ids": event_ids,
    }


def _rfc3339(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
