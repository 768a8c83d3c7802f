"""The Arrow tables between the steps: sightings and activities (specification, section 1)."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from uncommon_im.schemas.event import ARROW_TYPES, EVENT_COLUMNS, FAILED
from uncommon_im.transforms.rules.baseline.subjects import KINDS

CODED_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
"""Text as a scan holds it: few distinct values, and codes. Blocks, which leave the scan, hold plain strings."""


def coded(schema: pa.Schema) -> pa.Schema:
    """`schema` as a scan holds it."""
    return pa.schema([(f.name, CODED_TEXT if f.type == pa.string() else f.type) for f in schema])


def with_codes(table: pa.Table) -> pa.Table:
    """A table as a scan holds it: each text is hashed once here, and not in every step that compares texts."""
    return pa.table(
        [column.dictionary_encode() if pa.types.is_string(column.type) else column for column in table.columns],
        names=table.column_names,
    )


def plain(table: pa.Table) -> pa.Table:
    """A table as it leaves a scan."""
    return table.cast(pa.schema([(f.name, pa.string() if f.type == CODED_TEXT else f.type) for f in table.schema]))


SIGHTING_SCHEMA: Final = pa.schema(
    [("tenant", pa.string()), ("subject", pa.string()), ("host", pa.string()), ("day", pa.int32())]
)
"""One row: this host of this tenant showed this subject on this day (days since 1970)."""

ACTIVITY_KEY: Final = (
    "tenant",
    "host",
    "program",
    "origin",
    "script",
    "service",
    "reasons",
    "fingerprint",
    "excepted",
    "hour",
)
"""What makes an activity: tenant, host, program, service, context, hour (hours since 1970)."""

DETAILS: Final = tuple(name for name in EVENT_COLUMNS if name not in ("event_id", "event_time", FAILED))
"""Columns of the first event that travel with its activity, normalised, without defaults."""

ACTIVITY_SCHEMA: Final = pa.schema(
    [
        ("tenant", pa.string()),
        ("host", pa.string()),
        ("program", pa.string()),
        ("origin", pa.string()),
        ("script", pa.string()),
        ("service", pa.string()),
        ("reasons", pa.string()),  # joined by commas, sorted
        ("fingerprint", pa.string()),
        ("excepted", pa.bool_()),
        ("hour", pa.int64()),
        ("reduced_script", pa.string()),
        *((kind, pa.string()) for kind in KINDS),  # the subjects of the first event
        ("event_time", pa.int64()),  # µs since 1970
        ("event_id", pa.string()),  # null: to be computed from the details
        ("attribution", pa.string()),
        ("matched", pa.string()),
        *((name, ARROW_TYPES[EVENT_COLUMNS[name]]) for name in DETAILS),
        ("start_event_id", pa.string()),  # of the process's start; null: nothing was taken from one
        ("start_time", pa.int64()),  # when it was, in µs since 1970; null: none was looked for or found
        ("events", pa.int64()),
        ("total_sent", pa.int64()),  # bytes; null: no event of the activity said
        ("total_received", pa.int64()),
    ]
)
"""One row: an activity so far, represented by its first event so far."""

QUESTION_SCHEMA: Final = pa.schema(
    [("tenant", pa.string()), ("subject", pa.string()), ("day", pa.int32()), ("shard", pa.int32())]
)
"""One row: activities of this shard of hosts want to know how common the subject was before that day."""

ANSWER_SCHEMA: Final = pa.schema(
    [
        ("tenant", pa.string()),
        ("subject", pa.string()),
        ("day", pa.int32()),
        ("hosts", pa.int64()),  # distinct hosts in the window, counted up to `Limits.hosts_kept`
        ("guarded_hosts", pa.int64()),  # the same without the guard days
        ("active_days", pa.int64()),
        ("first_day", pa.int64()),  # -1: no day of the window
        ("last_day", pa.int64()),
    ]
)
"""One row: how common a subject was in the organisation in the window before a day."""
