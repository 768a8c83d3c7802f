"""Cortex XDR records become native columns: rows of queries, forwarded events, alerts with events."""

from __future__ import annotations

import itertools
import json
import random

import pytest

from tests.adapting import adapt
from tests.golden_records import columns_of, fields_of, golden, mapping_of
from tests.transforms.rules.parsing.foreign import is_nobodys
from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.schemas.mapping import VendorMapping, load_mappings
from uncommon_im.transforms.rules.columns.coerce import coerce_values
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.columns.text import MISSING
from uncommon_im.transforms.rules.parsing.adapt import MOST_NESTED, Row
from uncommon_im.transforms.rules.parsing.decode import Decoded, decode_lines

XQL: Row = {
    "agent_id": "a1",
    "event_type": "NETWORK",
    "event_sub_type": "NETWORK_STREAM_CONNECT",
    "event_timestamp": 1709630130123,
    "actor_process_image_name": "relay.exe",
    "action_remote_ip": "203.0.113.9",
}
ALERT: Row = {"alert_id": "7", "endpoint_id": "e1", "host_name": "Desk-1"}


def xdr() -> VendorMapping:
    return mapping_of("xdr")


def decode(*records: object, format: str = "auto") -> Decoded:
    return decode_lines([json.dumps(record).encode() for record in records], format, load_mappings())


def row(**fields: object) -> Row:
    adapted = adapt({**XQL, **fields}, xdr())
    assert isinstance(adapted, dict)
    return adapted


def test_a_column_that_no_field_can_fill_is_the_tenants_only() -> None:
    filled = {name for name, _ in columns_of(xdr())}.union(*(event.constants for event in xdr().events))
    assert EVENT_COLUMNS.keys() - filled == {"tenant_id"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *((text, "signed") for text in ("ENUM.SIGNED", "SIGNED", "Signed", "SIGNATURE_SIGNED", "Verified", "Valid")),
        *((text, "signed") for text in (1, "1", 1.0, ["Valid"], "SIGNED_VALID", " signed ", "ENUM.SIGNATURE_SIGNED")),
        *((text, "unsigned") for text in ("ENUM.UNSIGNED", "Unsigned", "SIGNATURE_UNSIGNED", 3, "3", ["Unsigned"])),
        *((text, "invalid") for text in ("Invalid Signature", "Revoked", "SIGNATURE_FAILED", "Signature Fail", 2, 7)),
        *((text, "invalid") for text in ("SIGNED_INVALID", "ENUM.SIGNED_INVALID", "INVALID_CVE2020_0601", "Invalid")),
    ],
)
@pytest.mark.parametrize("prefix", ["actor", "os_actor", "action"])
def test_a_signature_status_is_read_in_every_spelling(prefix: str, written: object, expected: str) -> None:
    fields: Row = {f"{prefix}_process_image_name": "x.exe", f"{prefix}_process_signature_status": written}
    if prefix == "os_actor":
        fields["actor_process_image_name"] = None
    if prefix == "action":
        fields |= {"event_type": "PROCESS", "event_sub_type": "PROCESS_START"}
    assert row(**fields)["process_signature_status"] == expected


@pytest.mark.parametrize(
    "written", ["Signature Unavailable", "ENUM.FAILED_TO_OBTAIN", "ENUM.UNSUPPORTED", 4, 5, 6, 8, "weak-hash", "?"]
)
def test_a_signature_status_that_is_not_known_is_none_of_the_known_ones(written: object) -> None:
    assert row(actor_process_signature_status=written)["process_signature_status"] not in (
        *("signed", "unsigned", "invalid"),
        *("", "-", "n/a", "unknown", "null"),
    )


@pytest.mark.parametrize("written", [None, {}, [], [{}]])
def test_a_signature_status_without_a_value_is_missing(written: object) -> None:
    assert "process_signature_status" not in row(actor_process_signature_status=written)


@pytest.mark.parametrize("column", ["os", "process_signature_status", "protocol"])
@pytest.mark.parametrize("written", ["-", " - ", "N/A", "UNKNOWN", "Null", "", None, ["-"]])
def test_a_marker_is_no_value_of_an_enumeration(column: str, written: object) -> None:
    fields = {"os": "agent_os_type", "process_signature_status": "actor_process_signature_status",
              "protocol": "action_network_protocol"}  # fmt: skip
    found = row(**{fields[column]: written}).get(column)
    assert found is None or str(found).strip().lower() in MISSING


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *((text, "windows") for text in ("ENUM.AGENT_OS_WINDOWS", "AGENT_OS_WINDOWS", "Windows", "WINDOWS", 1, "1")),
        *((text, "macos") for text in ("ENUM.AGENT_OS_MAC", "AGENT_OS_MAC", "AGENT_OS_MACOS", "macOS", "Mac", "MAC")),
        *((text, "linux") for text in ("ENUM.AGENT_OS_LINUX", "AGENT_OS_LINUX", "Linux", ["LINUX"])),
        *((text, "agent_os_android") for text in ("AGENT_OS_ANDROID", "ENUM.AGENT_OS_ANDROID")),
        (None, None),
        ({"os": 1}, None),
    ],
)
def test_an_operating_system_is_read_in_every_spelling(written: object, expected: str | None) -> None:
    assert row(agent_os_type=written).get("os") == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [(6, "tcp"), ("6", "tcp"), ("TCP", "tcp"), (17, "udp"), ("UDP", "udp"), (1, "icmp"), (58, "icmpv6"),
     ("HTTP", "http"), (2, "2"), (["TCP"], "tcp")],
)  # fmt: skip
def test_a_protocol_is_named_where_it_is_known(written: object, expected: str) -> None:
    assert row(action_network_protocol=written)["protocol"] == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [(True, "inbound"), ("true", "inbound"), (1, "inbound"), ([True], "inbound"), (False, "outbound"),
     ("0", "outbound"), ("maybe", None), ({}, None)],
)  # fmt: skip
def test_the_servers_end_is_inbound_in_every_spelling(written: object, expected: str | None) -> None:
    assert row(action_network_is_server=written).get("direction") == expected


@pytest.mark.parametrize(
    ("written", "failed"), [(False, True), ("false", True), (0, True), (True, False), ("?", False), (None, False)]
)
def test_only_a_session_that_is_said_to_have_no_success_failed(written: object, failed: bool) -> None:
    assert row(action_network_success=written).get("failed", False) is failed


@pytest.mark.parametrize("kind", ["NETWORK", "ENUM.NETWORK", "network", 2, "2", 2.0, ["NETWORK"], "STORY"])
@pytest.mark.parametrize("sub", ["NETWORK_STREAM_CONNECT", "ENUM.NETWORK_STREAM_CONNECT", 3, "3", 18, None, {}, []])
def test_network_rows_are_connections_in_every_spelling(kind: object, sub: object) -> None:
    found = row(event_type=kind, event_sub_type=sub)
    assert (found["event_type"], "failed" in found, "direction" in found) == ("network", False, False)


@pytest.mark.parametrize("kind", ["Network Connections", "Network Connection", "Network Event", ["network event"]])
def test_alerts_call_connections_in_words(kind: object) -> None:
    assert row(event_type=kind, event_sub_type=None)["event_type"] == "network"


@pytest.mark.parametrize(
    "sub", ["NETWORK_CONNECT_FAILED", "ENUM.NETWORK_CONNECT_FAILED", ["NETWORK_STREAM_CONNECT_FAILED"]]
)
def test_failures_are_marked_in_every_spelling(sub: object) -> None:
    assert row(event_sub_type=sub)["failed"] is True


def test_numbers_of_a_storys_sub_type_do_not_mean_what_they_mean_of_a_connections() -> None:
    for number in (1, 2, 6):
        found = row(event_type="STORY", event_sub_type=number)
        assert (found["event_type"], "failed" in found, "direction" in found) == ("network", False, False)


@pytest.mark.parametrize("sub", ["NETWORK_DNS_QUERY", "ENUM.NETWORK_DNS_QUERY", ["network_dns_query"]])
@pytest.mark.parametrize("kind", ["NETWORK", 2, "STORY", None, "event_type_unknown_4"])
def test_lookups_never_have_the_resolvers_address_as_destination(kind: object, sub: object) -> None:
    found = row(event_type=kind, event_sub_type=sub, dns_query_name="chat.example.net", action_remote_port=53)
    assert (found["event_type"], found["remote_host"]) == ("dns", "chat.example.net")
    assert not {"remote_ip", "remote_port", "protocol", "direction"} & found.keys()


@pytest.mark.parametrize("kind", ["PROCESS", "ENUM.PROCESS", "process", 1, "1", ["PROCESS"], "Process Execution"])
@pytest.mark.parametrize("sub", ["PROCESS_START", "ENUM.PROCESS_START", 1, "1", None])
def test_starts_of_processes_are_known_in_every_spelling(kind: object, sub: object) -> None:
    found = row(event_type=kind, event_sub_type=sub, action_process_image_name="new.exe")
    assert (found["event_type"], found["process_name"], found["parent_process_name"]) == (
        "process", "new.exe", "relay.exe")  # fmt: skip
    assert "remote_ip" not in found


@pytest.mark.parametrize("kind", [None, "", "-", {}, [], [[1]], True, 1e300, -1, "x" * 5000, "event_type_unknown_4"])
@pytest.mark.parametrize("sub", [None, {"a": []}, [None], False, "NETWORK_SOMETHING_NEW", 10**15])
def test_types_of_any_kind_are_judged_by_the_columns(kind: object, sub: object) -> None:
    assert row(event_type=kind, event_sub_type=sub)["event_type"] == "network"
    record = {**XQL, "event_type": kind, "event_sub_type": sub, "action_remote_ip": None}
    found = adapt(record, xdr())
    assert isinstance(found, Rejection)
    assert found.reason == "not_endpoint"
    assert len(found.detail) < 300


def test_any_field_may_hold_anything_and_costs_no_record_that_has_the_required_ones() -> None:
    odd: list[object] = [None, "", "-", 0, -1, 1.5, 2**63, True, [], [[]], [None, 3], {}, {"a": 1}, "\x00", "9" * 400]
    deciding = {"event_type", "event_sub_type", "agent_os_type"}
    kept = {"agent_id", "event_timestamp", "actor_process_image_name", "actor_process_image_path", "action_remote_ip"}
    for field in sorted({path[0] for _, path in fields_of(xdr())} - deciding - kept):
        for value in odd:
            found = row(**{field: value})
            assert (found["host_id"], found["process_name"]) == ("a1", "relay.exe")
            for name in EVENT_COLUMNS:
                assert coerce_values(name, [found.get(name)])[1] == {}, (field, value)


@pytest.mark.parametrize(
    "record",
    [
        {"actor_process_image_name": "a"},
        {"actor_process_image_path": "/a"},
        {"os_actor_process_image_name": "a"},
        {"os_actor_process_image_path": "/a"},
        {"causality_actor_process_image_name": "a"},
        {"action_process_image_name": "a"},
        {"agent_id": "a", "event_type": "X"},
        {"agent_hostname": "a", "event_type": "X"},
        {"agent_os_type": "NO_HOST", "event_type": "X"},
        {"xdr_data": {}},
        {"xdr_data": {"action_remote_ip": "203.0.113.9"}},
        {"xdr_data": "x"},
        {"events": [{"actor_process_image_name": "a"}]},
        {"events": {"os_actor_process_image_name": "a"}},
        {"alert_id": "1", "endpoint_id": "e", "events": []},
        {"alert_id": "1", "host_name": "h", "events": [{}]},
    ],
)
def test_a_record_is_recognised_by_its_keys(record: Row) -> None:
    decoded = decode(record)
    assert [dead.reason for dead in decoded.rejections] == ["not_endpoint"]
    assert decoded.rows == []


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"agent_id": "a"},
        {"event_type": "network"},
        {"actor_process_image_name": None},
        {"events": [{"a": 1}, 3]},
        {"events": "relay.exe", "message": "hello"},
        {"alert_id": "1"},
        {"host_name": "h", "event_type": "network", "process_name": "a.exe"},
        {"event_time": 1709630131000, "host_id": "h1", "process_name": "a", "agent_id": "a", "event_type": "network"},
        {"event_time": 1709630131000, "host_id": "h1", "events": [XQL], "actor_process_image_name": "a"},
    ],
)
def test_other_records_are_native_or_nobodys(record: Row) -> None:
    assert is_nobodys(decode(record), record)


def test_events_of_one_line_are_rows_and_dead_lines_of_that_line() -> None:
    alert = {**ALERT, "events": [XQL, None, XQL, {"event_type": "File Event"}]}
    decoded = decode(XQL, alert, XQL)
    assert decoded.rows_line == [0, 1, 1, 2]
    assert [(dead.row, dead.reason, dead.detail) for dead in decoded.rejections] == [
        (1, "malformed", "events[1] is no object"),
        (
            1,
            "not_endpoint",
            "events[3]: xdr reads network and process events, not files, registry, images, injections and event logs",
        ),
    ]
    assert [dead.record and dead.record["events"] for dead in decoded.rejections] == [
        [None],
        [{"event_type": "File Event"}],
    ]


def test_a_dead_letter_of_an_alert_is_read_as_its_events() -> None:
    raw = json.dumps({**ALERT, "events": [XQL, XQL]})
    decoded = decode({"reason": "missing_field:host_id", "raw": raw, "source": "in.jsonl"})
    assert len(decoded.rows) == 2
    assert list(decoded.lines) == [raw.encode()]


def test_fields_of_an_alert_that_no_column_reads_are_not_carried_into_its_events() -> None:
    found = adapt({**ALERT, "events": [XQL], "remote_host": "x", "failed": True}, xdr())
    assert isinstance(found, list)
    assert isinstance(found[0].found, dict)
    assert not {"failed", "remote_host", "alert_id", "events"} & found[0].found.keys()


@pytest.mark.parametrize("nothing", ["N/A", "-", "UNKNOWN", "", [], [None], {}])
def test_an_events_markers_do_not_hide_what_its_alert_says(nothing: object) -> None:
    event = {**XQL, "agent_id": nothing, "agent_os_type": nothing, "user_name": nothing, "endpoint_id": nothing}
    (found,) = decode({**ALERT, "agent_os_type": "Windows", "user_name": "mina", "events": [event]}).rows
    assert (found["host_id"], found["os"], found["user_name"]) == ("e1", "windows", "mina")


def test_more_events_than_an_alert_can_have_are_one_dead_line() -> None:
    assert len(decode({**ALERT, "events": [XQL] * MOST_NESTED}).rows) == MOST_NESTED
    assert decode({**ALERT, "events": [XQL] * (MOST_NESTED + 1)}).rejections == [
        Rejection("malformed", "events holds 1001 records, more than 1000", 0)
    ]


def test_a_list_that_no_event_of_the_vendor_is_in_is_nothing_to_it() -> None:
    record = {"events": [{"a": 1}] * (MOST_NESTED + 1), "message": "hello"}
    assert is_nobodys(decode(record), record)


def test_rows_of_one_alert_do_not_share_state() -> None:
    rows = decode({**ALERT, "events": [XQL, XQL]}).rows
    rows[0]["os"] = "changed"
    assert "os" not in rows[1]


def test_broken_records_never_raise_and_are_all_accounted_for() -> None:
    seeds = [json.dumps(case.record).encode() for case in golden("xdr")]
    chance = random.Random(11)
    lines = []
    for line in itertools.islice(itertools.cycle(seeds), 3000):
        broken = bytearray(line)
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        lines.append(bytes(broken))
    decoded = decode_lines(lines, "xdr", load_mappings())
    accounted = set(decoded.rows_line) | {dead.row for dead in decoded.rejections}
    assert accounted == set(range(len(lines)))
