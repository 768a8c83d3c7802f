"""Vendor records become native columns."""

from __future__ import annotations

import pytest

from tests.adapting import adapt
from uncommon_im.schemas.mapping import VendorMapping, load_mappings, parse_mapping
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.adapt import Row, adapter

OPERATIONAL = "Microsoft-Windows-Sysmon/Operational"


def sysmon() -> VendorMapping:
    return next(mapping for mapping in load_mappings() if mapping.id == "sysmon")


def flat(event_id: object = 3, channel: str | None = OPERATIONAL, **fields: object) -> Row:
    return {"EventID": event_id, "Channel": channel, "Hostname": "Desk-1.corp.example", **fields}


def row(record: Row, keep_domain: bool = False) -> Row:
    adapted = adapt(record, sysmon(), keep_domain)
    assert isinstance(adapted, dict)
    return adapted


def rejected(record: Row) -> Rejection:
    adapted = adapt(record, sysmon())
    assert isinstance(adapted, Rejection)
    return adapted


@pytest.mark.parametrize("event_id", [3, "3", " 3 ", 3.0])
def test_an_event_id_may_be_number_or_text(event_id: object) -> None:
    assert row(flat(event_id))["event_type"] == "network"


def test_a_channel_is_compared_without_case_and_may_be_absent() -> None:
    assert row(flat(5156, "SECURITY"))["event_type"] == "network"
    assert row(flat(22, None, SourceName="Microsoft-Windows-Sysmon"))["event_type"] == "dns"
    assert row(flat(22, "-", ProviderName="Microsoft-Windows-Sysmon"))["event_type"] == "dns"


def test_a_channel_that_is_given_outweighs_the_source() -> None:
    assert rejected(flat(3, "Application", SourceName="Microsoft-Windows-Sysmon")).reason == "not_endpoint"


@pytest.mark.parametrize(
    ("event_id", "channel"), [(7, OPERATIONAL), (5158, "Security"), (3, "Security"), (True, OPERATIONAL)]
)
def test_other_ids_and_channels_are_no_endpoint_events_and_named(event_id: object, channel: str) -> None:
    found = rejected(flat(event_id, channel))
    assert found.reason == "not_endpoint"
    assert f"channel {channel.lower()}, event id {str(event_id).lower()}" in found.detail


def test_a_detail_never_repeats_a_whole_hostile_value() -> None:
    assert len(rejected(flat("9" * 10_000, "x" * 10_000)).detail) < 300


def test_an_object_of_no_known_shape_is_malformed() -> None:
    found = rejected({"message": "hello"})
    assert found.reason == "malformed"
    assert found.detail.startswith("no record of sysmon: expected winlog.event_id, or event_id and log_name, or ")


def test_data_that_is_no_object_is_malformed_and_missing_data_is_an_empty_row() -> None:
    record: Row = {"event_id": 3, "log_name": OPERATIONAL, "computer_name": "A", "event_data": [1]}
    assert rejected(record).detail.startswith("event_data: 1 values without names, which are known for 17, 18")
    assert rejected({**record, "event_data": 1}) == Rejection("malformed", "event_data is no object")
    del record["event_data"]
    assert row(record) == {"os": "windows", "event_type": "network", "host_id": "a", "host_name": "A"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-03-05 09:15:30.123", "2024-03-05T09:15:30.123Z"),
        ("2024-03-05 09:15:30", "2024-03-05T09:15:30Z"),
        ("2024-03-05T09:15:30.1230000Z", "2024-03-05T09:15:30.1230000Z"),
        ("yesterday", "yesterday"),
    ],
)
def test_utc_time_gets_the_zone_that_it_lacks(written: str, expected: str) -> None:
    assert row(flat(UtcTime=written))["event_time"] == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-03-05 10:15:31+01:00", "2024-03-05T10:15:31+01:00"),
        ("2024-03-05T10:15:31.5 -0530", "2024-03-05T10:15:31.5-05:30"),
        ("2024-03-05 10:15:31Z", "2024-03-05T10:15:31Z"),
        ("2024-03-05 10:15:31", None),
        (1709630131000, None),
    ],
)
def test_nxlog_event_time_counts_only_with_its_zone(written: object, expected: str | None) -> None:
    assert row(flat(5156, "Security", EventTime=written)).get("event_time") == expected


@pytest.mark.parametrize("field", ["@timestamp", "EventReceivedTime", "TimeCreated"])
def test_a_collectors_clock_is_no_event_time_in_the_flat_shape(field: str) -> None:
    assert "event_time" not in row(flat(5156, "Security", **{field: "2024-03-05T09:15:41.002Z"}))


def test_winlogbeat_time_is_utc_time_first_and_the_events_own_timestamp_second() -> None:
    record: Row = {"event_id": 3, "log_name": OPERATIONAL, "@timestamp": "2024-03-05T09:00:00Z"}
    assert row({**record, "event_data": {"UtcTime": "2024-03-04 08:00:00"}})["event_time"] == "2024-03-04T08:00:00Z"
    assert row({**record, "event_data": {"UtcTime": "-"}})["event_time"] == "2024-03-05T09:00:00Z"


@pytest.mark.parametrize(
    ("name", "short", "whole"),
    [
        ("PC-7.Corp.Example", "pc-7", "pc-7.corp.example"),
        ("PC-7.Corp.Example.", "pc-7", "pc-7.corp.example"),
        ("PC-7", "pc-7", "pc-7"),
        ("192.0.2.17", "192.0.2.17", "192.0.2.17"),
        ("2001:DB8::7", "2001:db8::7", "2001:db8::7"),
    ],
)
def test_host_id_is_the_first_label_in_lower_case_or_the_whole_name(name: str, short: str, whole: str) -> None:
    record = flat(Hostname=name)
    assert row(record)["host_id"] == short
    assert row(record, keep_domain=True)["host_id"] == whole
    assert row(record)["host_name"] == name


def test_the_collectors_name_is_never_the_host() -> None:
    record: Row = {"event_id": 3, "log_name": OPERATIONAL, "host": {"name": "collector"}, "event_data": {}}
    assert "host_id" not in row(record)
    assert "host_id" not in row(flat(Hostname=None, host="collector"))


@pytest.mark.parametrize("image", ["<unknown process>", "&lt;unknown process&gt;", "-", "<Unknown Process>"])
def test_an_unknown_process_is_a_missing_one(image: str) -> None:
    assert not {"process_name", "process_path"} & row(flat(Image=image)).keys()


def test_a_process_may_be_called_null() -> None:
    assert row(flat(Image=r"C:\x\null"))["process_name"] == "null"


def test_the_logging_services_pid_is_never_the_processs() -> None:
    assert "process_pid" not in row(flat(ExecutionProcessID=2980, ProcessID=2980))
    assert "process_pid" not in row(flat(5156, "Security", ExecutionProcessID=4, ProcessID=4))
    assert row(flat(5156, "Security", ProcessId="17", ProcessID="18"))["process_pid"] == 17


@pytest.mark.parametrize(
    ("initiated", "expected"),
    [
        ("true", "outbound"),
        ("False", "inbound"),
        (True, "outbound"),
        (False, "inbound"),
        ("?", None),
        (None, None),
    ],
)
def test_initiated_says_the_direction(initiated: object, expected: str | None) -> None:
    assert row(flat(Initiated=initiated)).get("direction") == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("%%14593", "outbound"),
        ("%%14592", "inbound"),
        ("Outbound", "outbound"),
        ("INBOUND", "inbound"),
        ("%%1", None),
    ],
)
def test_direction_is_read_as_code_or_word(written: str, expected: str | None) -> None:
    assert row(flat(5156, "Security", Direction=written)).get("direction") == expected


@pytest.mark.parametrize(("written", "expected"), [("6", "tcp"), (17, "udp"), ("58", "icmpv6"), ("2", "2")])
def test_protocol_numbers_are_named_where_they_are_known(written: object, expected: str) -> None:
    assert row(flat(5156, "Security", Protocol=written))["protocol"] == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a00:203:3000:3000:3000:3000:3000:3300", "10.0.2.3"),
        ("CB00:7109:3000:3000:3000:3000:3000:3000", "203.0.113.9"),
        ("2001:db8:3000:3000:0:0:0:1", "2001:db8:3000:3000:0:0:0:1"),
        ("a00:203:3000:3000:3000:3000:3000:4000", "a00:203:3000:3000:3000:3000:3000:4000"),
        ("fe80:0:0:0:3816:b2ee:1b9b:324b", "fe80:0:0:0:3816:b2ee:1b9b:324b"),
        ("198.51.100.20", "198.51.100.20"),
    ],
)
def test_only_an_unmistakably_widened_ipv4_address_is_narrowed(written: str, expected: str) -> None:
    assert row(flat(DestinationIsIpv6="true", DestinationIp=written))["remote_ip"] == expected


@pytest.mark.parametrize(
    ("written", "path", "name"),
    [
        (r"\device\harddiskvolume2\windows\explorer.exe", r"C:\windows\explorer.exe", "explorer.exe"),
        (r"\Device\HarddiskVolume12\App\a.exe", r"C:\App\a.exe", "a.exe"),
        (r"\device\mup\files\share\a.exe", r"\device\mup\files\share\a.exe", "a.exe"),
        ("System", "System", "System"),
    ],
)
def test_a_device_path_becomes_a_path_of_drive_c(written: str, path: str, name: str) -> None:
    found = row(flat(5156, "Security", Application=written))
    assert (found["process_path"], found["process_name"]) == (path, name)


def test_a_blocked_connection_is_marked_as_failed_and_a_permitted_one_is_not() -> None:
    assert row(flat(5157, "Security"))["failed"] is True
    assert "failed" not in row(flat(5156, "Security"))


@pytest.mark.parametrize("hashes", ["SHA256=" + "A1" * 32, "MD5=0,SHA256=" + "a1" * 32 + ",IMPHASH=2"])
def test_sha256_is_taken_from_among_the_hashes(hashes: str) -> None:
    assert row(flat(1, Hashes=hashes))["process_sha256"] == "a1" * 32


@pytest.mark.parametrize("hashes", ["MD5=" + "a1" * 16, "SHA256=a1", "XSHA256=" + "a1" * 32, "SHA256=" + "a1" * 33])
def test_other_hashes_are_no_sha256(hashes: str) -> None:
    assert "process_sha256" not in row(flat(1, Hashes=hashes))


def test_a_name_query_without_an_image_is_a_row_without_process() -> None:
    channel = "Microsoft-Windows-DNS-Client/Operational"
    found = row(flat(3008, channel, QueryName="chat.example.net", QueryStatus="0"))
    assert (found["event_type"], found["remote_host"], found["dns_status"]) == (
        "dns",
        "chat.example.net",
        0,
    )
    assert "process_name" not in found


def test_values_stay_raw_and_lists_give_their_first_value() -> None:
    found = row(flat(DestinationHostname=" - ", DestinationPort=[None, {}, 443], User={"name": "x"}))
    assert found["remote_host"] == " - "
    assert found["remote_port"] == 443
    assert "user_name" not in found


def test_rows_do_not_share_state() -> None:
    row(flat())["os"] = "changed"
    assert row(flat())["os"] == "windows"


def test_an_unknown_converter_is_named_with_file_and_place() -> None:
    document = {
        "format": 1,
        "id": "x",
        "key": ["kind"],
        "shapes": [{"id": "s", "match": [["k"]], "key": {"kind": ["k"]}}],
        "events": [{"key": {"kind": ["a"]}, "columns": {"os": {"from": "o", "convert": "upper"}}}],
    }
    with pytest.raises(ValueError, match=r"x\.yaml: events\[0\]\.columns\.os: unknown converter 'upper' \(known: "):
        adapter(parse_mapping(document, "x.yaml"))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0x10d8", 4312),
        ("0X10D8", 4312),
        (" 4312 ", 4312),
        (4312, 4312),
        ("0x", None),
        ("0xg", None),
        ("0x" + "f" * 16, None),
        ("-", None),
    ],
)
def test_a_new_process_id_may_be_hexadecimal(written: object, expected: int | None) -> None:
    assert row(flat(4688, "Security", NewProcessId=written)).get("process_pid") in (expected, "-")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-03T10:00:00.1234567Z", "2026-03-03T10:00:00.1234567Z"),
        ("2026-03-03 10:00:00.123456", "2026-03-03T10:00:00.123456Z"),
        ("2026-03-03 10:00:00.123456+00:00", "2026-03-03T10:00:00.123456+00:00"),
        ("'2026-03-03T10:00:00Z'", "2026-03-03T10:00:00Z"),
        (1772532000.25, "2026-03-03T10:00:00.250000+00:00"),
        (1772532000, "2026-03-03T10:00:00+00:00"),
        ("/Date(1772532000250)/", 1772532000250),
        ("yesterday", None),
        (-1, None),
        (1e300, None),
    ],
)
def test_a_system_time_is_utc_or_epoch_seconds(written: object, expected: object) -> None:
    record: Row = {"System": {"EventID": 3, "Channel": OPERATIONAL, "TimeCreated": {"SystemTime": written}}}
    assert row(record).get("event_time") == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{0A1B2C3D-0001-65E6-0201-000000000700}", "0a1b2c3d-0001-65e6-0201-000000000700"),
        ("0A1B2C3D-0001-65E6-0201-000000000700", "0a1b2c3d-0001-65e6-0201-000000000700"),
        ("{00000000-0000-0000-0000-000000000000}", None),
    ],
)
@pytest.mark.parametrize("event_id", [1, 3, 22])
def test_an_instance_is_named_without_braces_and_never_by_zeros(
    event_id: int, written: str, expected: str | None
) -> None:
    assert row(flat(event_id, ProcessGuid=written)).get("process_guid") == expected


def test_security_names_no_instance_of_a_process() -> None:
    assert "process_guid" not in row(flat(4688, "Security", NewProcessId="0x10d8", ProcessGuid="{1}"))


@pytest.mark.parametrize(("channel", "os"), [(OPERATIONAL, "windows"), ("Linux-Sysmon/Operational", "linux")])
def test_the_channel_says_the_operating_system(channel: str, os: str) -> None:
    assert row(flat(3, channel))["os"] == os
