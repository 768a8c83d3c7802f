"""What a stream learns, as Parquet files by day: from them `uncommon-im snapshot` takes a baseline snapshot.

    stream.json                   what the stream is: its limits and digests
    DAY/sightings-NNNNN.parquet   each (tenant, subject, host, day) that became known on that day, once
    DAY/coverage-NNNNN.parquet    days with telemetry, and how many events
    DAY/said-NNNNN.parquet        activities that deduplication let through
    DAY/_SUCCESS                  written last: all of this day and of the days before is there, and so are all alerts

A day here ends with the allowed lateness: what is known of it is what the baselines of later days are made of.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import pyarrow as pa

from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.schemas.snapshot import SAID_SCHEMA

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
}


@dataclass(frozen=True)
class StreamMetadata:
    """What a stream says of itself; fields as in a snapshot's `Metadata`.

    Args:
        started_from: the day of the snapshot that it started from; `None`: it started without one.
    """

    limits: Limits
    time_zone: str
    identity_digest: str
    service_digests: dict[str, str]
    learning_since: dict[str, date]
    started_from: date | None

    def to_json(self) -> str:
        """The text of `stream.json`."""
        return json.dumps(asdict(self), indent=2, default=str) + "\n"

    def same_subjects(self, other: StreamMetadata) -> bool:
        """True if both streams have the same idea of who is who, and keep as much."""
        return (self.limits, self.identity_digest, self.service_digests) == (
            other.limits,
            other.identity_digest,
            other.service_digests,
        )


def parse_stream_metadata(text: str, path: str) -> StreamMetadata:
    """The metadata of the stream that wrote to `path`.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        document: dict[str, Any] = json.loads(text)
        require(
            "time_zone" in document,
            f"{path}: the stream that wrote there did not learn hours of the day: take the snapshot with the version "
            "of the stream, or from the events",
        )
        started = document["started_from"]
        return StreamMetadata(
            **{
                **document,
                "limits": Limits(**document["limits"]),
                "learning_since": {k: date.fromisoformat(v) for k, v in document["learning_since"].items()},
                "started_from": date.fromisoformat(started) if started else None,
            }
        )
    except ConfigurationError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path}: {STREAM} is none of a stream: {error}") from None
