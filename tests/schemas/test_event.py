"""The event's columns are those of the specification's table, in its order."""

from __future__ import annotations

from datetime import UTC, datetime

from uncommon_im.schemas.event import ARROW_TYPES, EARLIEST_US, EVENT_COLUMNS, EVENT_SCHEMA, LATEST_US


def test_the_columns_stand_in_the_order_of_the_table() -> None:
    assert list(EVENT_COLUMNS) == [
        *("event_id", "event_time", "event_type", "tenant_id", "host_id", "host_name", "user_name", "os"),
        *("process_name", "process_path", "process_command_line", "process_sha256"),
        *("process_signature_status", "process_signer", "process_pid", "process_guid"),
        *("parent_process_name", "parent_process_command_line"),
        *("causality_process_name", "causality_process_command_line"),
        *("remote_host", "remote_ip", "remote_port", "protocol", "direction"),
        *("bytes_sent", "bytes_received", "dns_status", "failed"),
    ]
    assert EVENT_SCHEMA.names == list(EVENT_COLUMNS)


def test_times_numbers_and_flags_have_their_types_and_all_else_is_text() -> None:
    integers = {"process_pid", "remote_port", "bytes_sent", "bytes_received", "dns_status"}
    for name, kind in EVENT_COLUMNS.items():
        others = {"event_time": "time", "failed": "flag"}
        expected = "integer" if name in integers else others.get(name, "text")
        assert kind == expected
        assert EVENT_SCHEMA.field(name).type == ARROW_TYPES[kind]


def test_valid_times_begin_in_2000_and_end_before_2100() -> None:
    years = [datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1_000_000 for year in (2000, 2100)]
    assert years == [EARLIEST_US, LATEST_US]
