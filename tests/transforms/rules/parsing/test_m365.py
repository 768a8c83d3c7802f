"""Rows of Microsoft Defender XDR become native columns: exported, or as the streaming API sends them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.transforms.rules.parsing.foreign import is_nobodys
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.adapt import Row
from uncommon_im.transforms.rules.parsing.decode import Decoded, decode_lines

CONNECTION: dict[str, Any] = {
    "Timestamp": "2026-03-01T10:00:00.0259186Z",
    "DeviceId": "d1",
    "DeviceName": "pc-1.corp.example",
    "ActionType": "ConnectionSuccess",
    "RemoteUrl": "chat.example.net",
    "InitiatingProcessFileName": "curl.exe",
}


def decode(*records: object, format: str = "auto", keep_domain: bool = False) -> Decoded:
    lines = [json.dumps(record).encode() for record in records]
    return decode_lines(lines, format, load_mappings(), keep_domain)


def row(**fields: object) -> Row:
    (found,) = decode({**CONNECTION, **fields}).rows
    return found


def streamed(record: Row, table: str = "DeviceNetworkEvents") -> Row:
    return {"time": "2026-03-01T10:09:00Z", "category": f"AdvancedHunting-{table}", "properties": record}


@pytest.mark.parametrize(
    "action",
    ["ConnectionSuccess", "connectionsuccess", "ConnectionRequest", "ConnectionAttempt", "ConnectionAcknowledged",
     "ConnectionFound", "ConnectionSuccessAggregatedReport"],
)  # fmt: skip
def test_connections_are_read_exported_and_streamed(action: str) -> None:
    found = row(ActionType=action)
    assert (found["event_type"], "failed" in found, "direction" in found) == ("network", False, False)
    assert decode(streamed({**CONNECTION, "ActionType": action})).rows == [found]


@pytest.mark.parametrize("action", ["ConnectionFailed", "ConnectionFailedAggregatedReport"])
def test_failures_are_marked(action: str) -> None:
    assert row(ActionType=action)["failed"] is True


@pytest.mark.parametrize("action", ["InboundConnectionAccepted", "InboundConnectionAttempt"])
def test_connections_from_elsewhere_are_inbound(action: str) -> None:
    assert row(ActionType=action)["direction"] == "inbound"


@pytest.mark.parametrize("name", ["Dns", "Ftp", "Http", "Icmp", "Kerberos", "Smtp", "Ssh", "Ssl"])
def test_packets_that_were_inspected_are_no_endpoint_events_whatever_they_name(name: str) -> None:
    (dead,) = decode({**CONNECTION, "ActionType": f"{name}ConnectionInspected"}).rejections
    assert (dead.reason, dead.detail) == (
        "not_endpoint",
        "a packet that the network sensor inspected, without a process",
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [("Tcp", "tcp"), ("TcpV4", "tcp"), ("TcpV6", "tcp"), ("UdpV4", "udp"), ("UdpV6", "udp"), ("Icmp", "icmp")],
)
def test_a_protocol_is_named_without_its_version(written: str, expected: str) -> None:
    assert row(Protocol=written)["protocol"] == expected


@pytest.mark.parametrize("table", ["DeviceEvents", "DeviceFileEvents", "UrlClickEvents", "CloudAppEvents"])
def test_an_unknown_action_of_another_table_is_no_connection(table: str) -> None:
    decoded = decode(
        {**CONNECTION, "Type": table, "ActionType": "New"}, streamed({**CONNECTION, "ActionType": "New"}, table)
    )
    assert [dead.reason for dead in decoded.rejections] == ["not_endpoint", "not_endpoint"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('{"DnsQueryString": "chat.example.net", "DnsQueryResult": [1, {"a": null}]}', "chat.example.net"),
        ({"DnsQueryString": "chat.example.net"}, "chat.example.net"),
        (['{"DnsQueryString": "chat.example.net"}'], "chat.example.net"),
        ("{}", None),
        ('{"DnsQueryString": null}', None),
        ('{"DnsQueryString": 7}', None),
        ("[]", None),
        ("chat.example.net", None),
        ("[" * 100_000, None),
        (17, None),
        (None, None),
    ],
)
def test_what_a_lookup_asked_for_is_read_from_an_object_or_from_json_in_text(
    written: object, expected: str | None
) -> None:
    found = row(ActionType="DnsQueryResponse", AdditionalFields=written)
    assert (found["event_type"], found.get("remote_host")) == ("dns", expected)
    assert "remote_ip" not in found


def test_a_connection_and_the_start_of_its_process_name_the_same_instance() -> None:
    started = {
        **CONNECTION,
        "ActionType": "ProcessCreated",
        "FileName": "curl.exe",
        "ProcessId": 4312,
        "ProcessCreationTime": "2026-03-01T09:59:58.123456Z",
        "InitiatingProcessId": 17,
        "InitiatingProcessCreationTime": "2026-03-01T08:00:00Z",
    }
    connected = {
        **CONNECTION,
        "InitiatingProcessId": "4312",
        "InitiatingProcessCreationTime": "2026-03-01T09:59:58.1234567Z",
    }
    start, connection = decode(started, connected).rows
    assert start["process_guid"] == connection["process_guid"] == "4312@1772359198123456"


@pytest.mark.parametrize(
    "lacking", [{"InitiatingProcessId": 0}, {"InitiatingProcessCreationTime": None}, {"InitiatingProcessId": None}]
)
def test_a_process_id_or_a_time_alone_names_no_instance(lacking: Row) -> None:
    known = {"InitiatingProcessId": 4312, "InitiatingProcessCreationTime": "2026-03-01T09:59:58Z"}
    assert "process_guid" in row(**known)
    assert "process_guid" not in row(**{**known, **lacking})


@pytest.mark.parametrize("envelope", ["records", "Results", "results", "body", "value"])
def test_rows_of_a_reply_or_a_message_are_read_in_either_format(envelope: str) -> None:
    for format in ("auto", "m365"):
        assert decode({envelope: [CONNECTION, streamed(CONNECTION)]}, format=format).rows == [row(), row()]


def test_a_device_without_an_id_is_its_name() -> None:
    named = {**CONNECTION, "DeviceId": None}
    assert decode(named).rows[0]["host_id"] == "pc-1"
    assert decode(named, keep_domain=True).rows[0]["host_id"] == "pc-1.corp.example"


def test_records_of_one_message_are_rows_and_dead_lines_of_its_line() -> None:
    bad = streamed({**CONNECTION, "ActionType": "New"}, "DeviceEvents")
    decoded = decode(CONNECTION, {"records": [streamed(CONNECTION), bad, streamed(CONNECTION)]})
    assert decoded.rows_line == [0, 1, 1]
    detail = "m365 does not read table advancedhunting-deviceevents, action new"
    assert decoded.rejections == [Rejection("not_endpoint", detail, 1, bad)]


def test_properties_that_are_no_object_are_malformed() -> None:
    (dead,) = decode({"category": "AdvancedHunting-DeviceEvents", "properties": [1]}, format="m365").rejections
    assert dead.reason == "malformed"


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"category": "Administrative", "properties": {"message": "hello"}, "time": "2026-03-01T10:00:00Z"},
        {"ActionType": "ConnectionSuccess"},
        {"DeviceId": "d1", "Timestamp": "2026-03-01T10:00:00Z"},
        {"records": [{"category": "SignInLogs", "properties": {}}]},
        {"records": "text"},
    ],
)
def test_other_records_are_native_or_nobodys(record: Row) -> None:
    assert is_nobodys(decode(record), record)
