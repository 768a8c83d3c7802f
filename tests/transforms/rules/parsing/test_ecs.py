"""Records of the Elastic Common Schema become native columns, and leave to Sysmon what is Sysmon's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.adapting import adapt
from tests.golden_records import mapping_of
from tests.transforms.rules.parsing.foreign import is_nobodys
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.parsing.adapt import Row
from uncommon_im.transforms.rules.parsing.decode import Decoded, decode_lines

CONNECTION: dict[str, Any] = {
    "@timestamp": "2026-03-01T10:00:00.81Z",
    "event": {"category": ["network"], "action": "connection_attempted"},
    "host": {"id": "h1"},
    "process": {"name": "curl"},
    "destination": {"ip": "203.0.113.9"},
}


def decode(*records: object, format: str = "auto") -> Decoded:
    return decode_lines([json.dumps(record).encode() for record in records], format, load_mappings())


def row(keep_domain: bool = False, **fields: object) -> Row:
    found = adapt({**CONNECTION, **fields}, mapping_of("ecs"), keep_domain)
    assert isinstance(found, dict)
    return found


WINLOG = {"event_id": "22", "channel": "Microsoft-Windows-Sysmon/Operational", "computer_name": "pc-1"}


@pytest.mark.parametrize("own", ["Image", "QueryName", "Application"])
def test_a_windows_event_with_fields_of_its_own_is_left_to_sysmon_unless_this_format_is_asked_for(own: str) -> None:
    record = {**CONNECTION, "winlog": {**WINLOG, "event_data": {own: "x"}}}
    assert decode(record).rows == decode(record, format="sysmon").rows
    assert decode(record).rows != decode(record, format="ecs").rows == [row(winlog=WINLOG)]
    dotted = {**CONNECTION, "winlog.event_id": "22", f"winlog.event_data.{own}": "x"}
    assert [dead.reason for dead in decode(dotted).rejections] == ["not_endpoint"]


def test_a_windows_event_whose_fields_winlogbeat_moved_is_read_as_this_format() -> None:
    record = {**CONNECTION, "winlog": {**WINLOG, "event_data": {"RuleName": "-"}}}
    assert decode(record).rows == [row(winlog=WINLOG)]


def test_a_windows_event_that_no_module_read_stays_sysmons() -> None:
    record = {"@timestamp": 1, "event": {"code": "4"}, "ecs": {"version": "8.0"}, "winlog": {**WINLOG, "event_id": "4"}}
    (dead,) = decode(record).rejections
    assert dead.detail == "sysmon does not read channel microsoft-windows-sysmon/operational, event id 4"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *((text, "signed") for text in ("trusted", "Trusted", ["trusted"])),
        *((text, "unsigned") for text in ("noSignature", "nosignature")),
        *((f"error{text}", "invalid") for text in ("BadDigest", "Chaining", "Expired", "Revoked", "Untrusted")),
        ("errorUntrustedRoot", "invalid"),
        ("errorCode_endpoint: 0x800b0100", "errorCode_endpoint: 0x800b0100"),
    ],
)
def test_a_status_outweighs_what_else_is_said_of_a_signature(written: object, expected: str) -> None:
    signature = {"status": written, "exists": True, "trusted": False}
    assert row(process={"name": "a", "code_signature": signature})["process_signature_status"] == expected


@pytest.mark.parametrize(
    ("exists", "trusted", "expected"),
    [(True, True, "signed"), (True, False, "invalid"), (False, None, "unsigned"), ("false", "false", "unsigned"),
     (None, True, "signed"), (True, None, None), (None, None, None)],
)  # fmt: skip
def test_a_signature_without_a_status_is_read_from_whether_it_is_there_and_trusted(
    exists: object, trusted: object, expected: str | None
) -> None:
    signature = {"exists": exists, "trusted": trusted}
    found = row(process={"name": "a", "code_signature": signature})
    assert found.get("process_signature_status") == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [("egress", "outbound"), ("OUTBOUND", "outbound"), ("ingress", "inbound"), ("inbound", "inbound"),
     *((text, None) for text in ("internal", "external", "listening", 1, None))],
)  # fmt: skip
def test_a_direction_is_the_hosts_or_none(written: object, expected: str | None) -> None:
    assert row(network={"direction": written}).get("direction") == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [({"dns.response_code": "NOERROR"}, 0), ({"dns.response_code": "SERVFAIL"}, 2), ({"dns.Ext.status": "9003"}, 9003),
     ({"sysmon.dns.status": "SUCCESS"}, 0), ({"sysmon.dns.status": "ERROR_TIMEOUT"}, 9504),
     ({"sysmon.dns.status": 9003}, 9003),
     ({"dns.Ext.status": 0, "dns.response_code": "NXDOMAIN"}, 0), ({"sysmon.dns.status": "?"}, None), ({}, None)],
)  # fmt: skip
def test_a_lookups_status_is_a_number_however_it_is_written(written: Row, expected: int | None) -> None:
    found = row(event={"category": ["network"], "action": "lookup_result"}, **{"dns.question.name": "a.b"}, **written)
    assert (found["event_type"], found["remote_host"], found.get("dns_status")) == ("dns", "a.b", expected)


AUDITED: dict[str, Any] = {"event": {"category": ["network"], "action": "connected-to", "outcome": "failure"}}


@pytest.mark.parametrize(
    "error",
    ["EINPROGRESS", "einprogress", "EALREADY", "EAGAIN", "EWOULDBLOCK", "EINTR", "ERESTARTSYS", "EISCONN",
     "EINPROGRESS(Operation now in progress)",
     ["EINPROGRESS"], -115, "-115", -115.0, "-114", "-11", "-4", "-512", "-106"],
)  # fmt: skip
@pytest.mark.parametrize("field", ["data", "log"])
def test_a_connection_under_way_has_not_failed_however_its_error_is_written(error: object, field: str) -> None:
    assert "failed" not in row(**AUDITED, auditd={field: {"exit": error}})


@pytest.mark.parametrize(
    "error", ["ECONNREFUSED", "ENETUNREACH", "ETIMEDOUT", "-111", -110, "0", "", None, 115, ["-111"]]
)
@pytest.mark.parametrize("field", ["data", "log"])
def test_a_connection_with_another_error_or_none_has_failed(error: object, field: str) -> None:
    assert row(**AUDITED, auditd={field: {"exit": error}})["failed"] is True


def test_an_error_of_auditd_excuses_no_other_sensors_failure() -> None:
    assert row(**AUDITED)["failed"] is True
    assert row(**AUDITED, error={"code": "EINPROGRESS"})["failed"] is True


@pytest.mark.parametrize(
    ("executable", "path", "name"),
    [
        ("/usr/bin/python3.11", "/usr/bin/python3.11", "python3.11"),
        ("/usr/bin/python3.11 (deleted)", "/usr/bin/python3.11", "python3.11"),
        ("\\Device\\HarddiskVolume3\\Tools\\relay.exe", "C:\\Tools\\relay.exe", "relay.exe"),
        ("C:\\Tools\\relay.exe", "C:\\Tools\\relay.exe", "relay.exe"),
        ("relay", "relay", "relay"),
    ],
)
def test_the_image_decides_who_acts(executable: str, path: str, name: str) -> None:
    found = row(process={"name": "sysmon", "executable": executable})
    assert (found["process_path"], found["process_name"]) == (path, name)
    parent = row(process={"name": "a", "parent": {"name": "comm", "executable": executable}})
    assert parent["parent_process_name"] == name


@pytest.mark.parametrize("none", [None, "", "-", []])
def test_without_an_image_the_name_counts(none: object) -> None:
    assert row(process={"name": "curl", "executable": none})["process_name"] == "curl"


def test_two_scripts_of_one_interpreter_are_two_by_their_arguments() -> None:
    lines = [
        row(process={"name": "python3", "args": ["python3", f"/srv/{x}.py"]})["process_command_line"] for x in "ab"
    ]
    assert lines == ["python3 /srv/a.py", "python3 /srv/b.py"]


def test_a_record_of_sentinelone_with_a_category_of_its_own_is_left_to_others() -> None:
    record = {"@timestamp": 1, "event.category": "dns", "event.type": "DNS Resolved", "src.process.name": "a.exe"}
    assert not any("ecs" in dead.detail for dead in decode(record, {**record, "agent.uuid": "u"}).rejections)
    assert len(decode(record).rejections) + len(decode(record).rows) == 1


@pytest.mark.parametrize(
    "action", ["start", "exec", ["fork", "exec"], "executed", "already_running", "process_started"]
)
def test_starts_are_known_by_their_action_whatever_type_comes_first(action: object) -> None:
    for written in (["start"], ["end", "start"], ["info"]):
        found = row(event={"category": ["process"], "type": written, "action": action})
        assert found["event_type"] == "process"


def test_a_host_known_by_name_only_keeps_its_domain_if_that_is_asked_for() -> None:
    host = {"name": "PC-7.Corp.Example."}
    assert row(host=host)["host_id"] == "pc-7"
    assert row(keep_domain=True, host=host)["host_id"] == "pc-7.corp.example"


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"event": "network"},
        {"event": {"action": "connection_attempted"}},
        {"_source": {"message": "hello"}},
        {"_source": "text", "message": "hello"},
        {**CONNECTION, "event_time": 1, "host_id": "h1"},
    ],
)
def test_other_records_are_native_or_nobodys(record: Row) -> None:
    assert is_nobodys(decode(record), record)


def test_a_record_of_another_shape_is_malformed_and_says_what_is_expected() -> None:
    (dead,) = decode({"message": "hello"}, format="ecs").rejections
    expected = "no record of ecs: expected auditd and @timestamp and event.category, or @timestamp and event.category"
    assert (dead.reason, dead.detail) == ("malformed", expected)


def test_a_key_of_very_many_dots_costs_nothing() -> None:
    decoded = decode({**CONNECTION, "process" + ".a" * 200_000: 1, "." * 200_000: 2})
    assert decoded.rows == [row()]
