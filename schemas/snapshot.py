"""A baseline snapshot: what a detector that goes on at a day boundary has to know (specification, section 9).

A snapshot is a directory:

    metadata.json                    what it is, and which files belong to it; written last, in one piece
    RUN/sightings-NNNNN.parquet      what all hosts showed: at most `hosts_kept` hosts per (tenant, subject, day),
                                     an empty host for subjects that are not counted per host
    RUN/host_sightings-NNNNN.parquet what each host showed: a mask of days per (tenant, host, subject)
    RUN/said-NNNNN.parquet           alerts already raised or rolled up; a repeat of one is a duplicate
    RUN/coverage-NNNNN.parquet       (tenant, day) with telemetry, and how many events

Everything that days from `as_of` on can still need is in it, and nothing else.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

import pyarrow as pa
from msgspec import Meta

from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.documents import require
from uncommon_im.schemas.metadata import VersionedDocument

SCHEMA_VERSION: Final = 2
"""2: sightings of hours of the day, in a time zone."""
METADATA: Final = "metadata.json"
TABLES: Final = ("sightings", "host_sightings", "said", "coverage")

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


def check_limits(snapshot: Limits, run: Limits, path: str) -> None:
    """A run may not need more than the snapshot kept.

    Raises:
        ConfigurationError: names the limit, both values and what to do.
    """
    for name, kept, needed in (
        ("training_days", snapshot.training_days, run.training_days),
        ("deduplication_hours", snapshot.deduplication_hours, run.deduplication_hours),
        ("max_other_hosts", snapshot.countable_other_hosts, run.countable_other_hosts),
    ):
        require(
            needed <= kept,
            f"--baseline-in {path}: the snapshot was taken with {name} {kept}, this run needs {needed}: "
            "lower the limit, or take a new snapshot from the events",
        )
