"""The event: one normalised record of an endpoint (specification, section 2).

These are the columns of Parquet and BigQuery input and the keys of native JSON lines.
"""

from __future__ import annotations

from typing import Final, Literal

import pyarrow as pa

ColumnKind = Literal["text", "integer", "time", "flag"]

FAILED: Final = "failed"
"""The column of connections that did not come about (valid, never a communication); no part of an event's id."""
PROCESS_GUID: Final = "process_guid"
"""The column that names a process's instance: an event that has it may lack the process's name (section 2a)."""

EVENT_COLUMNS: Final[dict[str, ColumnKind]] = {
    "event_id": "text",
    "event_time": "time",
    "event_type": "text",
    "tenant_id": "text",
    "host_id": "text",
    "host_name": "text",
    "user_name": "text",
    "os": "text",
    "process_name": "text",
    "process_path": "text",
    "process_command_line": "text",
    "process_sha256": "text",
    "process_signature_status": "text",
    "process_signer": "text",
    "process_pid": "integer",
    PROCESS_GUID: "text",
    "parent_process_name": "text",
    "parent_process_command_line": "text",
    "causality_process_name": "text",
    "causality_process_command_line": "text",
    "remote_host": "text",
    "remote_ip": "text",
    "remote_port": "integer",
    "protocol": "text",
    "direction": "text",
    "bytes_sent": "integer",
    "bytes_received": "integer",
    "dns_status": "integer",
    FAILED: "flag",
}
"""Column -> kind, in the order of the table (which is the order of `missing_field` reasons)."""

ALWAYS_NEEDED: Final = (
    "event_type",
    "event_time",
    "tenant_id",
    "host_id",
    "process_name",
    "causality_process_name",
    "remote_host",
    "remote_ip",
)
"""Columns that decide whether a record is an event, a communication or an execution: read of every record."""

OF_EXECUTIONS: Final = ("os", "process_path", "process_command_line", "causality_process_command_line")
"""Columns that are read beside these of every record of a scripting engine, which are many more than communications."""

OF_PROCESS: Final = (
    *("process_name", "process_path", "process_command_line", "process_sha256", "process_pid", "user_name", "os"),
    *("parent_process_name", "parent_process_command_line"),
    *("causality_process_name", "causality_process_command_line"),
)
"""Columns that a connection or lookup which lacks them gets from its process's start, each by itself (section 2a)."""
SIGNATURE: Final = ("process_signature_status", "process_signer")
"""Columns that it gets from there together."""

COMPLETED: Final[dict[str, ColumnKind]] = {
    "start_event_id": "text",
    "start_time": "integer",
    "process_execution": "text",
    "causality_execution": "text",
}
"""Columns that completing adds, and no source has: the id and time (µs) of the start; fingerprints of executions, where
a snapshot kept these instead of command lines."""

EVENT_TYPES: Final = ("network", "dns", "process")
OPERATING_SYSTEMS: Final = ("windows", "macos", "linux", "other")
SIGNATURE_STATUSES: Final = ("signed", "unsigned", "invalid", "unknown")

EARLIEST_US: Final = 946_684_800_000_000
"""2000-01-01T00:00:00Z in µs: event times before it are `bad_timestamp`."""
LATEST_US: Final = 4_102_444_800_000_000
"""2100-01-01T00:00:00Z in µs: event times from it on are `bad_timestamp`."""

ARROW_TYPES: Final[dict[ColumnKind, pa.DataType]] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "time": pa.timestamp("us", tz="UTC"),
    "flag": pa.bool_(),
}

EVENT_SCHEMA: Final = pa.schema([(name, ARROW_TYPES[kind]) for name, kind in EVENT_COLUMNS.items()])
"""Arrow schema of events as files and BigQuery hold them."""
