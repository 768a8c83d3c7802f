"""The evidence of a run: activities that few other hosts showed, with the figures that other limits would look at.

Verdicts do not read it. `tuning` judges it again with other limits, `persistent_programs` looks for old habits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

import pyarrow as pa

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.evidence import RARE_ACTIVITY_SCHEMA
from uncommon_im.transforms.rules.activities.host_names import NO_NAMES, HostNames
from uncommon_im.transforms.rules.baseline.prevalence import measure
from uncommon_im.transforms.rules.events.event_id import event_id, row_details
from uncommon_im.transforms.rules.recognition.suspicion import Process, Suspicions


def rare_activities(
    activities: pa.Table,
    answers: pa.Table,
    own: pa.Table,
    limits: Limits,
    catalogue: Catalogue,
    host_names: HostNames = NO_NAMES,
) -> pa.Table:
    """Activities as evidence, of `RARE_ACTIVITY_SCHEMA`.

    Args:
        activities: of `ACTIVITY_SCHEMA`.
        answers: of `ANSWER_SCHEMA`, counted with these limits.
        own: sightings of the activities' hosts, of `SIGHTING_SCHEMA`.
        limits: as far as other hosts are counted.
        catalogue: says which programs are a service's own clients and browsers.
        host_names: of hosts whose events do not tell their names.
    """
    common = measure(activities, "communication", answers, own, limits)
    execution = measure(activities, "execution", answers, own, limits)
    has_none = activities.column("execution").is_null().to_numpy()
    columns: dict[str, pa.Array] = {
        **{figure.name: pa.array(getattr(common, figure.name)) for figure in fields(common)},
        "execution_other_hosts": pa.array(execution.other_hosts, mask=has_none),
        "execution_host_days": pa.array(execution.host_days, mask=has_none),
        "host_name": host_names.column(activities),
        "event_id": pa.array(list(_event_ids(activities)), pa.string()),
        "known_as": pa.array(list(_known_as(activities, Suspicions(catalogue))), pa.string()),
    }
    named = [columns[name] if name in columns else activities.column(name) for name in RARE_ACTIVITY_SCHEMA.names]
    return pa.table(named, schema=RARE_ACTIVITY_SCHEMA)


def _event_ids(activities: pa.Table) -> Iterator[str]:
    for row, given in enumerate(activities.column("event_id").to_pylist()):
        yield given if given is not None else event_id(row_details(activities, row))


def _known_as(activities: pa.Table, suspicions: Suspicions) -> Iterator[str | None]:
    """Of each activity's program: the service's own client, a browser, or neither."""

    @cache
    def known_as(
        os: str | None, name: str, path: str | None, status: str | None, signer: str | None, service: str
    ) -> str | None:
        if service in suspicions.clients(Process(os, name, path, status, signer)):
            return "own_client"
        return "browser" if suspicions.in_class("browser", name, os) else None

    names = ("os", "process_name", "process_path", "process_signature_status", "process_signer", "service")
    columns: list[list[Any]] = [activities.column(name).to_pylist() for name in names]
    return (known_as(*values) for values in zip(*columns, strict=True))
