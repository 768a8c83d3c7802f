"""Where a run's findings go: files, BigQuery, queues, other systems.

A new sink needs a room with its steps and an `options.py`, a field of `Sinks`, a branch in `write` of `backfill.py` and
of `stream.py`, and its options in the commands that take them. Findings come as rows, JSON objects in Python; a sink
encodes them. No sink knows of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line looks at options long before it needs a client of BigQuery
    from uncommon_im.pipeline.bigquery.tables import Dataset
    from uncommon_im.pipeline.sinks.bigquery.merge_rows import Staging
    from uncommon_im.pipeline.sinks.delivery.options import Delivering


@dataclass(frozen=True)
class Sinks:
    """Where a backfill or a stream writes.

    Args:
        output: a folder of files; `None`: no files.
        alerts_topic: a Pub/Sub topic of alerts, `projects/P/topics/T`; of streams.
        sightings_out: a directory of what is learned, for snapshots; of streams.
        bigquery: a dataset of alerts, dead letters and verdicts.
        staging: how a backfill loads into `bigquery`; needed with it there.
        delivering: another system that takes alerts; those of a backfill are sent once its folder is complete.
    """

    output: str | None = None
    alerts_topic: str | None = None
    sightings_out: str | None = None
    bigquery: Dataset | None = None
    staging: Staging | None = None
    delivering: Delivering | None = None
