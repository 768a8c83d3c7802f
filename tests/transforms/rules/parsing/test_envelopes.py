"""Envelopes: what records come wrapped in is taken off, whatever the format inside."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from tests.transforms.rules.parsing.foreign import is_nobodys
from uncommon_im.schemas.envelopes import load_envelopes
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.parsing.decode import Decoded, decode_lines
from uncommon_im.transforms.rules.parsing.embedded import MOST_BYTES
from uncommon_im.transforms.rules.parsing.envelopes import MOST_RECORDS
from uncommon_im.transforms.rules.parsing.recognise import MOST_DEEP

Record = dict[str, Any]

NATIVE: Record = {
    "event_time": "2026-03-03T10:00:00Z",
    "host_id": "h-1",
    "process_name": "relay.exe",
    "remote_host": "chat.example.net",
}
TEXT = json.dumps(NATIVE)
ECS: Record = {
    "@timestamp": "2026-03-03T10:00:00Z",
    "event": {"category": ["network"], "type": ["start"], "action": "connection_attempted"},
    "host": {"id": "h-2"},
    "process": {"name": "relay.exe", "executable": "/opt/relay.exe"},
    "destination": {"ip": "192.0.2.7"},
    "network": {"direction": "egress"},
}
FLAT: Record = {"@timestamp": "2026-03-03T10:00:00Z", "event.category": "network", "host.id": "h", "process.name": "a"}
XML = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    "<Provider Name='Microsoft-Windows-Sysmon'/><EventID>3</EventID><Channel>Other</Channel></System></Event>"
)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def zipped(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode())).decode()


def decode(record: object, format: str = "auto") -> Decoded:
    return decode_lines([json.dumps(record).encode()], format, load_mappings())


WRAPPED: dict[str, Record] = {
    "search reply": {"took": 1, "hits": {"total": {"value": 1}, "hits": [{"_index": "i", "_source": NATIVE}]}},
    "replies of several searches": {"took": 1, "responses": [{"hits": {"hits": [{"_source": NATIVE}]}}]},
    "hits": {"hits": [{"_source": NATIVE}]},
    "documents": {"docs": [{"_index": "i", "found": True, "_source": NATIVE}]},
    "search hit": {"_index": "i", "_id": "1", "_source": NATIVE},
    "fields of a search hit": {"_index": "i", "fields": {name: [value] for name, value in FLAT.items()}},
    "reply of Elasticsearch SQL": {
        "columns": [{"name": name, "type": "keyword"} for name in NATIVE],
        "rows": [list(NATIVE.values())],
    },
    "reply of ES|QL": {"columns": [{"name": name} for name in NATIVE], "values": [list(NATIVE.values())]},
    "Splunk result": {"preview": False, "offset": 0, "result": NATIVE},
    "rows of a Splunk search": {"fields": list(NATIVE), "rows": [list(NATIVE.values())]},
    "Splunk text": {"_time": "1", "_raw": TEXT, "host": "h"},
    "Splunk event": {"time": 1, "sourcetype": "s", "event": NATIVE},
    "Azure records": {"records": [NATIVE]},
    "Records": {"Records": [NATIVE]},
    "message of Event Hubs": {"body": NATIVE, "x-opt-offset": "1"},
    "captured message of Event Hubs": {"SequenceNumber": 1, "Offset": "0", "Body": TEXT},
    "diagnostics with an event's XML": {"category": "c", "properties": {"RawXml": XML}},
    "reply of advanced hunting": {"Stats": {}, "Schema": [], "Results": [NATIVE]},
    "reply of an API": {"schema": [], "results": [NATIVE]},
    "reply of Log Analytics": {
        "tables": [{"name": "T", "columns": [{"name": name} for name in NATIVE], "rows": [list(NATIVE.values())]}]
    },
    "alerts of Cortex XDR": {"reply": {"total_count": 1, "alerts": [NATIVE]}},
    "query result of Cortex XDR": {"reply": {"status": "SUCCESS", "results": {"data": [NATIVE]}}},
    "data of Cortex XDR": {"reply": {"data": [NATIVE]}},
    "reply of Cortex XDR": {"reply": TEXT + "\n" + TEXT},
    "fields of an alert of Cortex XDR": {"alert_fields": NATIVE},
    "log events of CloudWatch": {"logGroup": "g", "logEvents": [{"id": "1", "timestamp": 1, "message": TEXT}]},
    "log event of CloudWatch": {"id": "1", "timestamp": 1, "message": TEXT},
    "notification of SNS": {"TopicArn": "arn", "Message": TEXT},
    "record of Kinesis": {"kinesis": {"data": encoded(TEXT)}},
    "record of Firehose": {"recordId": "1", "data": zipped(TEXT)},
    "message of Pub/Sub": {"message": {"data": encoded(TEXT)}, "subscription": "s"},
    "entry of Cloud Logging": {"insertId": "1", "jsonPayload": NATIVE},
    "text of Cloud Logging": {"insertId": "1", "textPayload": TEXT},
    "record of Kafka Connect": {"schema": {"type": "struct"}, "payload": NATIVE},
    "Graph's values": {"@odata.context": "c", "value": [NATIVE]},
    "syslog in Azure Monitor": {"TenantId": "t", "Facility": "user", "SyslogMessage": f"relay: {TEXT}"},
    "hit of Chainsaw": {"group": "Sigma", "document": {"kind": "evtx", "data": NATIVE}},
    "text of a collector": {"event": {"original": TEXT}},
    "message of a collector": {"message": TEXT},
    "log of a container": {"log": TEXT + "\n", "stream": "stdout"},
    "logs": {"logs": [NATIVE]},
    "data": {"data": NATIVE},
    "events": {"events": [NATIVE]},
    "an event": {"event": NATIVE},
}


def test_every_envelope_is_tried() -> None:
    assert set(WRAPPED) == {envelope.id for envelope in load_envelopes()}


@pytest.mark.parametrize("name", sorted(WRAPPED.keys() - {"fields of a search hit", "diagnostics with an event's XML"}))
def test_what_an_envelope_holds_is_read_as_if_it_came_alone(name: str) -> None:
    decoded = decode(WRAPPED[name])
    assert decoded.rejections == []
    assert decoded.rows == [NATIVE] * (2 if name == "reply of Cortex XDR" else 1)
    assert set(decoded.rows_line) == {0}


@pytest.mark.parametrize("format", ["auto", "ecs"])
def test_records_of_a_vendor_are_recognised_inside_of_envelopes_in_envelopes(format: str) -> None:
    wrapped = {"records": [{"_source": ECS}, {"body": json.dumps({"_source": ECS})}]}
    rows = decode(wrapped, format).rows
    assert [row["host_id"] for row in rows] == ["h-2", "h-2"]


def test_fields_of_a_search_hit_are_lists() -> None:
    decoded = decode(WRAPPED["fields of a search hit"])
    assert [dead.reason for dead in decoded.rejections] in ([], ["not_endpoint"])
    assert not any(dead.detail.startswith("no format") for dead in decoded.rejections)


@pytest.mark.parametrize(
    "record",
    [
        {"message": "User mina logged in"},
        {"message": "set {a, b} and <b>"},
        {"_raw": "2026-03-03 host app: hello"},
        {"result": 7},
        {"records": [1, 2]},
        {"records": "text"},
        {"fields": {"a": 1}},
        {"columns": ["a"], "rows": 3},
        {"columns": [1], "rows": [[1]]},
        {"event": "network"},
        {"data": encoded("no record")},
        {"data": "%%%", "recordId": "1"},
    ],
)
def test_what_holds_no_record_is_no_envelope(record: Record) -> None:
    assert is_nobodys(decode(record), record)


def test_of_several_records_each_that_is_none_is_a_dead_letter_of_its_own() -> None:
    decoded = decode({"records": [NATIVE, 3, None, "text", NATIVE, {"message": "hello"}]})
    assert decoded.rows == [NATIVE, NATIVE]
    assert [(dead.row, dead.reason) for dead in decoded.rejections] == [
        (0, "malformed"),
        (0, "malformed"),
        (0, "malformed"),
        (0, "missing_field:event_time"),
    ]
    assert [dead.detail for dead in decoded.rejections[:3]] == [f"records[{n}] is no object" for n in (1, 2, 3)]
    assert [dead.record for dead in decoded.rejections[:2]] == [Raw(b"3"), Raw(b"null")]
    assert decoded.rejections[3].record == {"message": "hello"}


def test_a_dead_letter_of_one_of_several_records_gives_just_that_again() -> None:
    (dead,) = decode({"hits": {"hits": [{"_source": NATIVE}, {"_source": {"a": 1}}]}}).rejections
    assert decode(dead.record).rejections == decode({"a": 1}).rejections


@pytest.mark.parametrize("name", ["_raw", "message", "body"])
def test_broken_json_in_an_envelope_is_one_dead_letter_that_says_where(name: str) -> None:
    (dead,) = decode({name: '{"event_time": 1,'}).rejections
    assert (dead.reason, dead.detail) == ("malformed", f"{name}: invalid JSON: input data was truncated")


def test_broken_xml_in_an_envelope_is_one_dead_letter() -> None:
    (dead,) = decode({"_raw": "<Event><System></Event>"}).rejections
    assert dead.reason == "malformed"
    assert dead.detail.startswith("_raw: no XML of an event")


def test_an_empty_reply_says_that_it_holds_nothing() -> None:
    (dead,) = decode({"took": 1, "hits": {"hits": []}}).rejections
    assert (dead.reason, dead.detail) == ("not_endpoint", "hits.hits holds no records")


def test_more_records_than_an_envelope_may_hold_are_one_dead_letter() -> None:
    (dead,) = decode({"records": [0] * (MOST_RECORDS + 1) + [{}]}).rejections
    assert (dead.reason, dead.detail) == ("malformed", "records holds 131,074 records, more than 131,072")


def test_envelopes_are_taken_off_so_deep_and_no_deeper() -> None:
    record: Record = NATIVE
    for _ in range(MOST_DEEP):
        record = {"body": record}
    assert decode(record).rows == [NATIVE]
    assert is_nobodys(decode({"body": record}), {"body": NATIVE})


def test_a_bomb_of_gzip_is_one_dead_letter() -> None:
    bomb = base64.b64encode(gzip.compress(b" " * (MOST_BYTES + 1))).decode()
    (dead,) = decode({"recordId": "1", "data": bomb}).rejections
    assert (dead.reason, dead.detail) == ("malformed", "data: its compressed text is longer than 16,777,216 bytes")


@pytest.mark.parametrize(
    "line",
    [
        f"<134>1 2026-03-03T10:00:00Z host app - - - {TEXT}",
        f"Mar  3 10:00:00 host app[12]: {TEXT} ",
        f"[{TEXT}]",
        f"[{TEXT}, {TEXT}]",
        f"\ufeff[{TEXT}]",
    ],
)
def test_records_in_a_line_that_is_none_are_read(line: str) -> None:
    decoded = decode_lines([line.encode()], "auto", load_mappings())
    assert decoded.rejections == []
    assert decoded.rows == [NATIVE] * line.count("relay")


@pytest.mark.parametrize("line", ["[1, 2]", "[]", "hello", f"{TEXT} and more", f"app: {TEXT[:-1]}", "<Event>"])
def test_a_line_that_holds_no_record_stays_malformed(line: str) -> None:
    (dead,) = decode_lines([line.encode()], "auto", load_mappings()).rejections
    assert dead.reason == "malformed"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(TEXT) | st.just(NATIVE),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(sorted({path for e in load_envelopes() for path in e.path})), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(sorted({e.path[0] for e in load_envelopes()})), _JSON, max_size=5))
def test_whatever_is_wrapped_however_gives_rows_or_dead_letters_and_never_nothing(record: Record) -> None:
    decoded = decode(record)
    assert len(decoded) >= 1
    assert all(row == NATIVE or "event_time" not in row or "host_id" not in row for row in decoded.rows)
