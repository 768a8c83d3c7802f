"""Events as the rules want them, and what of the input is no event."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.transforms.rules.records import DAY, DAY_US, RECORD, Batch, Record, events_of
from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.events.normalise import Events

TEXTS = [name for name, kind in EVENT_COLUMNS.items() if kind == "text"]


def without(*names: str, **changes: Any) -> Record:
    return {name: value for name, value in RECORD.items() if name not in names} | changes


def reasons(*records: Record) -> list[str]:
    return [rejection.reason for rejection in events_of(*records).rejections()]


def value(name: str, record: Record) -> str | None:
    return events_of(record).text(name).at(0)


@pytest.mark.parametrize(
    "record",
    [
        RECORD,
        without("remote_host", remote_ip="1.1.1.1"),
        without("remote_host", event_type="process"),
        {**RECORD, "event_type": "DNS"},
        {**RECORD, "event_type": " network "},
        {**RECORD, "event_type": "N/A"},
        {**RECORD, "process_name": "null"},
        without("process_name", process_path="/usr/bin/a"),
        {**RECORD, "process_name": "C:\\dir\\", "process_path": "C:\\dir\\a.exe"},
        {**RECORD, "event_time": "2000-01-01T00:00:00Z"},
        {**RECORD, "event_time": "2099-12-31T23:59:59.999999Z"},
        {**RECORD, "remote_host": "1.1.1.1"},
    ],
)
def test_what_has_its_required_fields_is_an_event(record: Record) -> None:
    assert reasons(record) == []
    assert events_of(record).valid.tolist() == [True]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({**RECORD, "event_type": "file"}, "malformed"),
        ({**RECORD, "host_id": ["h1"]}, "malformed"),
        ({**RECORD, "remote_port": "https"}, "malformed"),
        ({**RECORD, "process_signer": True}, "malformed"),
        (without("event_time"), "missing_field:event_time"),
        ({**RECORD, "event_time": "-"}, "missing_field:event_time"),
        (without("host_id"), "missing_field:host_id"),
        ({**RECORD, "host_id": " N/A "}, "missing_field:host_id"),
        (without("process_name"), "missing_field:process_name"),
        ({**RECORD, "process_name": " ", "process_path": "null"}, "missing_field:process_name"),
        (without("process_name", process_path="/usr/bin/"), "missing_field:process_name"),
        (without("remote_host"), "missing_field:remote_host"),
        (without("remote_host", event_type="dns"), "missing_field:remote_host"),
        ({**RECORD, "remote_host": "https://"}, "missing_field:remote_host"),
        ({**RECORD, "event_time": "yesterday"}, "bad_timestamp"),
        ({**RECORD, "event_time": "2026-01-01T00:00:00"}, "bad_timestamp"),
        ({**RECORD, "event_time": "1999-12-31T23:59:59.999999Z"}, "bad_timestamp"),
        ({**RECORD, "event_time": "2100-01-01T00:00:00Z"}, "bad_timestamp"),
        ({**RECORD, "event_time": 0}, "bad_timestamp"),
    ],
)
def test_a_record_that_is_no_event_says_why(record: Record, reason: str) -> None:
    assert reasons(record) == [reason]
    assert events_of(record).valid.tolist() == [False]


def test_of_several_reasons_the_first_of_the_order_counts() -> None:
    mends: list[tuple[str, Record]] = [
        ("malformed", {"remote_port": 443}),
        ("malformed", {"event_type": "network"}),
        ("missing_field:event_time", {"event_time": "never"}),
        ("missing_field:host_id", {"host_id": "h1"}),
        ("missing_field:process_name", {"process_name": "a"}),
        ("missing_field:remote_host", {"remote_host": "t.me"}),
        ("bad_timestamp", {"event_time": RECORD["event_time"]}),
    ]
    record: Record = {"event_type": "file", "remote_port": "x"}
    for reason, mend in mends:
        assert reasons(record) == [reason]
        record |= mend
    assert reasons(record) == []


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        ({**RECORD, "event_type": "File"}, "event_type is 'file': expected one of network, dns, process"),
        ({**RECORD, "remote_port": "x"}, "remote_port is 'x', expected a whole number"),
        (without("event_time"), "event_time is missing: every event needs its own time, with a zone"),
        (without("host_id"), "host_id is missing: every event needs the stable id of its host"),
        (
            without("process_name"),
            "process_name and process_path are missing, and no process_guid: who communicates is not known",
        ),
        (without("remote_host"), "remote_host and remote_ip are missing: a connection or lookup needs a destination"),
        *(
            (
                {**RECORD, "event_time": time},
                "event_time is no time of 2000 to 2099: expected RFC 3339 with a zone, or epoch milliseconds",
            )
            for time in ("never", 0, "1970-01-01T00:00:01Z")
        ),
    ],
)
def test_a_rejection_says_what_exactly_is_wrong(record: Record, detail: str) -> None:
    assert [rejection.detail for rejection in events_of(record).rejections()] == [detail]


def test_one_bad_record_costs_its_neighbours_nothing() -> None:
    bad = [{}, {**RECORD, "event_time": []}, {**RECORD, "host_id": {}}, {**RECORD, "event_type": 7}]
    events = events_of(RECORD, *bad, RECORD)
    assert events.valid.tolist() == [True, False, False, False, False, True]
    assert [rejection.row for rejection in events.rejections()] == [1, 2, 3, 4]
    assert events.text("host_id").at(5) == "h1"


def test_no_records_are_no_events_and_no_rejections() -> None:
    events = Events(Batch({}, 0))
    assert (events.num_rows, len(events.valid), events.rejections()) == (0, 0, [])


def test_typed_columns_that_hold_what_does_not_fit_make_only_those_rows_malformed() -> None:
    columns = {name: pa.array([value, value]) for name, value in RECORD.items()}
    columns["remote_port"] = pa.array([443, 2**63], pa.uint64())
    events = Events(Batch(columns, 2, doubted=("remote_port", "bytes_sent")))
    assert events.rejections() == [Rejection("malformed", "remote_port is too large a number for 64 bits", 1)]
    assert events.numbers_at("remote_port", np.array([0])).arrow().to_pylist() == [443]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"process_name": "C:\\Program Files\\x\\App.exe"}, "App.exe"),
        ({"process_name": "/usr/bin/app"}, "app"),
        ({"process_name": "App.exe", "process_path": "/other/b"}, "App.exe"),
        ({"process_name": "null", "process_path": "/other/b"}, "null"),
        ({"process_name": "", "process_path": "C:\\x\\b.exe"}, "b.exe"),
        ({"process_name": None, "process_path": "/usr/bin/null"}, "null"),
        ({"process_name": "  ", "process_path": " /usr/bin/b "}, "b"),
        ({"process_name": "", "process_path": "-"}, None),
    ],
)
def test_the_process_name_is_a_base_name_and_the_paths_where_it_is_empty(given: Record, expected: str | None) -> None:
    assert value("process_name", {**RECORD, **given}) == expected


def test_the_paths_name_serves_only_the_rows_that_need_it() -> None:
    path = {"process_path": "/opt/b"}
    events = events_of({**RECORD, **path}, without("process_name", **path), without("process_name"))
    assert events.text("process_name").arrow().to_pylist() == ["a.exe", "b", None]


@pytest.mark.parametrize(
    ("given", "host", "address"),
    [
        ({"remote_host": "HTTPS://T.me:443/x"}, "t.me", None),
        ({"remote_host": "T.me.", "remote_ip": "1.1.1.1"}, "t.me", "1.1.1.1"),
        ({"remote_host": "1.1.1.1:443"}, None, "1.1.1.1"),
        ({"remote_host": "1.1.1.1", "remote_ip": "-"}, None, "1.1.1.1"),
        ({"remote_host": "[2001:db8::1]:443", "remote_ip": None}, None, "2001:db8::1"),
        ({"remote_host": "1.1.1.1", "remote_ip": "2.2.2.2"}, None, "2.2.2.2"),
        ({"remote_host": "-", "remote_ip": "2.2.2.2"}, None, "2.2.2.2"),
        ({"remote_host": "N/A"}, None, None),
    ],
)
def test_a_remote_host_that_is_an_address_moves(given: Record, host: str | None, address: str | None) -> None:
    record = without("remote_host", **given)
    assert (value("remote_host", record), value("remote_ip", record)) == (host, address)


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "process_name"])
@pytest.mark.parametrize("marker", ["", " ", "-", "N/A", "UNKNOWN", "Null"])
def test_markers_mean_missing_in_every_text_column_but_the_process_name(name: str, marker: str) -> None:
    assert value(name, {**RECORD, name: marker}) is None


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("os", " Windows ", "windows"),
        ("os", "MACOS", "macos"),
        ("os", "Solaris", "other"),
        ("process_signature_status", "SIGNED", "signed"),
        ("process_signature_status", "expired", "unknown"),
        ("direction", "Inbound", "Inbound"),
        ("event_type", "Process", "process"),
        ("user_name", " Al ", "Al"),
        ("process_signer", "Google LLC", "Google LLC"),
        ("tenant_id", " T1", "T1"),
        ("process_sha256", 12, "12"),
    ],
)
def test_known_words_are_lower_case_and_other_text_keeps_its_case(name: str, given: object, expected: str) -> None:
    assert value(name, {**RECORD, name: given}) == expected


def test_defaults_are_filled_in_beside_the_text_not_in_it() -> None:
    events = events_of(RECORD, {**RECORD, "event_type": "dns", "tenant_id": "t1"}, tenant="acme")
    assert events.event_type.arrow().to_pylist() == ["network", "dns"]
    assert events.tenant_id.arrow().to_pylist() == ["acme", "t1"]
    assert events.text("event_type").arrow().to_pylist() == [None, "dns"]
    assert events.text("tenant_id").arrow().to_pylist() == [None, "t1"]


def test_the_time_is_in_microseconds_and_numbers_are_read_at_rows() -> None:
    events = events_of(RECORD, {**RECORD, "bytes_sent": "12", "event_time": "2024-10-04T00:00:00.000001Z"})
    assert events.time.values.tolist() == [DAY * DAY_US, DAY * DAY_US + 1]
    assert events.numbers_at("bytes_sent", np.array([1, 0])).arrow().to_pylist() == [12, None]
    assert events.numbers_at("dns_status", np.array([1])).arrow().to_pylist() == [None]


@pytest.mark.parametrize("name", TEXTS)
def test_some_rows_of_a_column_read_as_the_whole_column_does(name: str) -> None:
    records = [
        {**RECORD, name: given, "process_path": "/x/p"} for given in ("a", " UNKNOWN ", None, "https://1.1.1.1/", "B/c")
    ]
    rows = np.array([4, 1, 3, 0, 2])
    fresh = events_of(*records).text_at(name, rows).arrow().to_pylist()
    assert fresh == [events_of(*records).text(name).at(int(row)) for row in rows]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"process_guid": "a1"}, None),
        ({"process_guid": "a1", "event_type": "dns"}, None),
        ({"process_guid": " - "}, "missing_field:process_name"),
        ({"process_guid": "a1", "event_type": "process"}, "missing_field:process_name"),
        ({"process_guid": "a1", "remote_host": None}, "missing_field:remote_host"),
    ],
)
def test_a_connection_or_lookup_that_names_its_instance_needs_no_process_name(
    given: dict[str, Any], reason: str | None
) -> None:
    record = without("process_name") | given
    assert [rejection.reason for rejection in events_of(record).rejections()] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("failed", "expected"),
    [(True, True), (" TRUE ", True), (False, False), ("false", False), (None, False), ("-", False)],
)
def test_failed_is_true_or_false_or_missing(failed: object, expected: bool) -> None:
    events = events_of({**RECORD, "failed": failed})
    assert events.failed_at(np.array([0])).tolist() == [expected]


def test_failed_as_anything_else_is_malformed() -> None:
    rejections = events_of({**RECORD, "failed": 1}, {**RECORD, "failed": "perhaps"}).rejections()
    assert [rejection.detail for rejection in rejections] == [
        "failed is 1, expected true or false",
        "failed is 'perhaps', expected true or false",
    ]
