"""What a stream learns, as Parquet files by day: from them `uncommon-im snapshot` takes a baseline snapshot.

    stream.json                   what the stream is: its limits and digests
    DAY/sightings-NNNNN.parquet   each (tenant, subject, host, day) that became known on that day, once
    DAY/coverage-NNNNN.parquet    days with telemetry, and how many events
    DAY/said-NNNNN.parquet        alerts already raised or rolled up; a repeat of one is a duplicate
    DAY/starts-NNNNN.parquet      starts of processes, as a snapshot keeps them
    DAY/_SUCCESS                  written last: all of this day and of the days before is there, and so are all alerts

A day here ends with the allowed lateness: what is known of it is what the baselines of later days are made of.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec
import pyarrow as pa

from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.metadata import VersionedDocument
from uncommon_im.schemas.snapshot import INSTANCE_SCHEMA, SAID_SCHEMA

STREAM: Final = "stream.json"
COMPLETE: Final = "_SUCCESS"
LEARNED: Final = {
    "sightings": pa.schema(
        [
            ("tenant", pa.string()),
            ("subject", pa.string()),
            ("host", pa.string()),
            ("day", pa.int32()),  # days since 1970
            ("known", pa.int32()),  # baselines of days after this one see it
        ]
    ),
    "coverage": pa.schema(
        [("tenant", pa.string()), ("day", pa.int32()), ("known", pa.int32()), ("events", pa.int64())]
    ),
    "said": SAID_SCHEMA,
    "starts": INSTANCE_SCHEMA,
}


class StreamMetadata(VersionedDocument, frozen=True, kw_only=True):
    """What a stream says of itself; fields as in a snapshot's `Metadata`.

    Args:
        started_from: the day of the snapshot that it started from; `None`: it started without one.
        keeps_starts: it learns starts of processes; streams of before did not.
    """

    subject = "a stream"

    limits: Limits
    time_zone: str = ""
    identity_digest: str
    service_digests: dict[str, str]
    learning_since: dict[str, date]
    started_from: date | None
    keeps_starts: bool = False
    left_out: dict[str, date | None] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises `ValueError`: the stream is older than hours of the day, or than starts of processes."""
        if not self.time_zone:
            raise ValueError(
                "the stream that wrote there did not learn hours of the day: take the snapshot with the version of the "
                "stream, or from the events"
            )
        if not self.keeps_starts:
            raise ValueError(
                "the stream that wrote there did not learn starts of processes: take the snapshot with the version of "
                "the stream, or from the events"
            )

    def same_subjects(self, other: StreamMetadata) -> bool:
        """True if both streams have the same idea of who is who, and keep as much."""
        return (self.limits, self.identity_digest, self.service_digests) == (
            other.limits,
            other.identity_digest,
            other.service_digests,
        )
