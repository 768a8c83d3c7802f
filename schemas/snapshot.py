"""A baseline snapshot: what a detector that goes on at a day boundary has to know (specification, section 9).

A snapshot is a directory:

    metadata.json                    what it is, and which files belong to it; written last, in one piece
    RUN/sightings-NNNNN.parquet      what all hosts showed: at most `hosts_kept` hosts per (tenant, subject, day),
                                     an empty host for subjects that are not counted per host
    RUN/host_sightings-NNNNN.parquet what each host showed: a mask of days per (tenant, host, subject)
    RUN/said-NNNNN.parquet           alerts already raised or rolled up; a repeat of one is a duplicate
    RUN/instances-NNNNN.parquet      the last start of each process instance within `process_lookback`
    RUN/coverage-NNNNN.parquet       (tenant, day) with telemetry, and how many events

Everything that days from `as_of` on can still need is in it, and nothing else.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

import msgspec
import pyarrow as pa
from msgspec import Meta

from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.documents import require
from uncommon_im.schemas.event import ARROW_TYPES, EVENT_COLUMNS, OF_PROCESS, PROCESS_GUID, SIGNATURE
from uncommon_im.schemas.metadata import VersionedDocument

SCHEMA_VERSION: Final = 4
"""2: sightings of hours of the day, in a time zone. 3: starts of processes. 4: sightings of services."""
METADATA: Final = "metadata.json"
TABLES: Final = ("sightings", "host_sightings", "said", "instances", "coverage")

HOST_SIGHTING_SCHEMA: Final = pa.schema(
    [
        ("tenant", pa.string()),
        ("host", pa.string()),
        ("subject", pa.string()),
        ("days", pa.int64()),  # bit k: the host showed the subject on day as_of - 1 - k
    ]
)
SAID_SCHEMA: Final = pa.schema(
    [
        ("tenant", pa.string()),
        ("host", pa.string()),
        ("program", pa.string()),
        ("origin", pa.string()),
        ("reduced_script", pa.string()),
        ("service", pa.string()),
        ("time", pa.int64()),  # µs since 1970, of the first event
        ("severity", pa.string()),
        ("event_id", pa.string()),
        ("alert_id", pa.string()),
    ]
)
INSTANCE_SCHEMA: Final = pa.schema(
    [
        ("tenant", pa.string()),
        ("host", pa.string()),
        (PROCESS_GUID, pa.string()),
        ("event_time", pa.int64()),  # of the start, µs since 1970
        ("event_id", pa.string()),
        *((name, ARROW_TYPES[EVENT_COLUMNS[name]]) for name in (*OF_PROCESS, *SIGNATURE)),
        ("process_execution", pa.string()),  # the fingerprint of what the command line ran, before it was masked
        ("causality_execution", pa.string()),
    ]
)
"""One row: what the start of a process says; secrets in its command lines are masked (section 2a)."""
COVERAGE_SCHEMA: Final = pa.schema([("tenant", pa.string()), ("day", pa.int32()), ("events", pa.int64())])

_Name = Annotated[
    str,
    Meta(pattern=r"^(?!.*(?:^|/)\.\.(?:/|\Z))[^/\\:][^\\:]*\Z", description="a file below the snapshot's directory"),
]


class Metadata(VersionedDocument, frozen=True, tag_field="schema_version", tag=SCHEMA_VERSION):
    """What a snapshot says of itself.

    Args:
        as_of: the day boundary it was taken at; days before it are in it.
        limits: of the run that took it; a later run may need less, not more.
        time_zone: in which hours of the day were counted.
        identity_digest: of everything but services that decides what a subject is.
        service_digests: service id -> digest of what traffic is its own.
        learning_since: services that were new or changed under --learn-changed-services -> their first day.
        tenants: in it.
        rows: table -> rows.
        files: table -> files, relative to the directory.
        run_id: of the run that took it.
        left_out: digest of a malicious disposition -> the first day from which on what it matches is no sighting;
            `null`: on all days.
    """

    subject = "a snapshot"
    renewal = "take a new one from the events"

    as_of: date
    limits: Limits
    time_zone: str
    identity_digest: str
    service_digests: dict[str, str]
    learning_since: dict[str, date]
    tenants: list[str]
    rows: dict[str, int]
    files: dict[str, list[_Name]]
    run_id: str
    left_out: dict[str, date | None] = msgspec.field(default_factory=dict)


def check_limits(snapshot: Limits, run: Limits, path: str) -> None:
    """A run may not need more than the snapshot kept.

    Raises:
        ConfigurationError: names the limit, both values and what to do.
    """
    for name, kept, needed in (
        ("training_days", snapshot.training_days, run.training_days),
        ("deduplication_hours", snapshot.deduplication_hours, run.deduplication_hours),
        ("process_lookback", snapshot.process_lookback, run.process_lookback),
        ("max_other_hosts", snapshot.countable_other_hosts, run.countable_other_hosts),
    ):
        require(
            needed <= kept,
            f"--baseline-in {path}: the snapshot was taken with {name} {kept}, this run needs {needed}: "
            "lower the limit, or take a new snapshot from the events",
        )
