"""Plain records, many at a time, give what the adapter makes of each alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import GOLDEN
from uncommon_im.schemas.event import ALWAYS_NEEDED, EVENT_COLUMNS, FAILED
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.columns.coerce import coerce_array, coerce_values
from uncommon_im.transforms.rules.columns.text_lines import TextBlock, TextLines
from uncommon_im.transforms.rules.parsing.decode import decode_lines, plain_reader
from uncommon_im.transforms.rules.parsing.lookups import Row
from uncommon_im.transforms.rules.parsing.plain.fields import PATIENCE
from uncommon_im.transforms.rules.parsing.plain.reader import PlainReader, has_plain_records
from uncommon_im.transforms.rules.parsing.plain.records import PlainRecords, PlainTable

XDR: Final = GOLDEN / "xdr"
MAPPINGS: Final = load_mappings()
RECORDS: Final[list[dict[str, Any]]] = [
    json.loads(line)["record"] for path in sorted(XDR.glob("*.jsonl")) for line in path.read_text().splitlines()
]
XQL: Final[dict[str, Any]] = {
    "event_timestamp": 1_772_359_200_000,
    "event_type": "NETWORK",
    "event_sub_type": "NETWORK_STREAM_CONNECT",
    "agent_id": "a1",
    "actor_process_image_name": "relay.exe",
    "action_external_hostname": "api.telegram.org",
}
OTHERS: Final = {"host_id", "raw", "event", "event.category", "DeviceId", "records"}
FIELDS: Final = sorted({name for record in RECORDS for name in record if isinstance(record, dict)} | OTHERS)
ODD: Final[list[Any]] = [
    None, "", "-", " N/A ", "null", "unknown", 0, 1, 5, -1, 2**62, 2**63, 10**40, True, False, 1.0, 1.5, [], ["x"], [7],
    {}, {"a": 1}, "x", " a.exe ", "Ä.exe", "149.154.167.99", "[2001:db8::1]:443", "https://t.me/x",
    "2026-03-01T10:00:00Z", 1_772_359_200_123, "1772359200123", "ENUM.NETWORK", "PROCESS", "NETWORK_DNS_QUERY",
    "NO_HOST", "C:\\a\\b.exe", "x" * 300,
]  # fmt: skip
FORMATS: Final = ("auto", "xdr")


def table_of(blocks: Sequence[Sequence[bytes]], format: str = "auto") -> tuple[PlainRecords, list[int]]:
    reader = plain_reader(format, MAPPINGS, False)
    assert reader is not None
    return read_by(reader, blocks)


def read_by(reader: PlainReader, blocks: Sequence[Iterable[bytes]]) -> tuple[PlainRecords, list[int]]:
    table, text = PlainTable(reader), TextLines(map(TextBlock.of_lines, blocks))
    for block in text.blocks:
        table.add(block)
    return table.records(text)


def fitting(name: str, plain: PlainRecords, rows: Sequence[int]) -> list[object]:
    """A column of some records as the normaliser gets it."""
    column = plain.column_at(name, np.array(rows, np.int64))
    return [None] * len(rows) if column is None else coerce_array(name, column)[0].to_pylist()


@pytest.fixture(autouse=True, scope="module")
def reads_even_one_record_as_a_whole() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("uncommon_im.transforms.rules.parsing.plain.records._MANY", 1)
        yield


def assert_same_as_alone(lines: Sequence[bytes], format: str) -> int:
    """Compares every column of every plain record with the adapter's; returns how many records were plain."""
    plain, others = table_of([lines], format)
    assert sorted([*plain.lines.tolist(), *others]) == list(range(len(lines)))
    decoded = decode_lines(lines, format, MAPPINGS, wanted=plain.lines.tolist())
    assert decoded.rejections == []
    assert decoded.rows_line == plain.lines.tolist()
    everyone = range(len(plain.lines))
    for name in ALWAYS_NEEDED:
        expected, unfit = coerce_values(name, [row.get(name) for row in decoded.rows])
        assert unfit == {}
        found = plain.columns.get(name)
        values = [None] * len(everyone) if found is None else coerce_array(name, found)[0].to_pylist()
        assert values == coerce_array(name, expected)[0].to_pylist(), name
    for name in (*EVENT_COLUMNS, FAILED):
        values = [row.get(name) for row in decoded.rows]
        assert plain.values(name, everyone) == values, name
        expected = coerce_array(name, coerce_values(name, values)[0])[0].to_pylist()
        assert fitting(name, plain, everyone) == expected, name
        for kind in range(len(plain.plans)):  # of some kinds all fields are read at once, column by column
            rows = np.flatnonzero(plain.plan == kind)
            assert fitting(name, plain, rows) == [expected[row] for row in rows.tolist()], name
    return len(everyone)


def encoded(record: Row) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


@pytest.mark.parametrize("format", FORMATS)
def test_golden_records_that_are_plain_give_what_the_adapter_gives(format: str) -> None:
    lines = [encoded(record) for record in RECORDS]
    assert assert_same_as_alone(lines, format) > len(lines) / 3


def test_a_number_that_one_plan_takes_and_another_leaves_out_is_the_adapters() -> None:
    """The port of a lookup's server is no port of the lookup, though connections take the same field."""
    kinds = ("ENUM.NETWORK_STREAM_ACCEPT", "NETWORK_DNS_QUERY")
    connection, *lookups = (record for kind in kinds for record in RECORDS if record.get("event_sub_type") == kind)
    assert any(record.get("action_remote_port") for record in lookups)
    for lookup in lookups:
        assert_same_as_alone([encoded(connection), encoded(lookup)], "auto")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(RECORDS), st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(ODD), max_size=6)),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(FORMATS),
)
def test_records_with_anything_in_any_field_give_what_the_adapter_gives(
    drawn: list[tuple[dict[str, Any], dict[str, Any]]], format: str
) -> None:
    assert_same_as_alone([encoded(record | odd) for record, odd in drawn], format)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(RECORDS), max_size=6), st.lists(st.sampled_from([b"", b"{", b"\xff", b"[]"]), max_size=3)
)
def test_how_lines_are_cut_into_blocks_makes_no_difference(records: list[dict[str, Any]], bad: list[bytes]) -> None:
    lines = [*bad, *map(encoded, records)]
    together, _ = table_of([lines])
    apart, _ = table_of([[line] for line in lines])
    assert together.lines.tolist() == apart.lines.tolist()
    for name in ALWAYS_NEEDED:
        one, other = together.columns.get(name), apart.columns.get(name)
        assert (one is None) == (other is None)
        assert one is None or other is None or one.to_pylist() == other.to_pylist()


def fresh_reader() -> PlainReader:
    known = plain_reader("xdr", MAPPINGS, False)
    assert known is not None
    return PlainReader(known.adapter, (), known.wanted, ())


def lines_of(reader: PlainReader, *records: dict[str, Any]) -> tuple[PlainRecords, list[int]]:
    return read_by(reader, [map(encoded, records)])


def test_a_later_choice_is_read_from_when_on_a_first_one_lacks_a_value() -> None:
    reader = fresh_reader()
    nameless = {key: value for key, value in XQL.items() if key != "agent_id"}
    nameless["endpoint_id"] = "late"
    lines_of(reader, XQL, XQL)
    assert "endpoint_id" not in reader.usual_fields.fields
    plain, others = lines_of(reader, XQL, nameless)
    assert (others, plain.columns["host_id"].to_pylist()[1]) == ([], "late")
    assert "endpoint_id" in reader.usual_fields.fields


def test_an_odd_value_where_nobody_looks_leaves_a_record_plain_until_somebody_does() -> None:
    reader = fresh_reader()
    odd = XQL | {"endpoint_id": ["a", "b"]}
    assert lines_of(reader, XQL, odd)[1] == [1]
    assert lines_of(reader, XQL, odd)[1] == []
    marked = XQL | {"agent_id": "N/A", "endpoint_id": "late"}
    assert lines_of(reader, XQL, odd, marked)[1] == [1]


def test_a_row_under_xdr_data_is_plain_and_one_that_shares_its_line_with_others_is_not() -> None:
    held = {"xdr_data": XQL}
    beside = {"xdr_data": XQL, "agent_hostname": "desk"}
    listed = {"xdr_data": [XQL]}
    alert = {"alert_id": "1", "endpoint_id": "e", "events": [XQL, XQL]}
    lines = [encoded(record) for record in (XQL, held, beside, listed, alert)]
    plain, others = table_of([lines])
    assert (plain.lines.tolist(), others) == ([0, 1], [2, 3, 4])
    assert_same_as_alone(lines, "auto")


def test_fields_beside_a_held_row_serve_it_where_they_decide_nothing() -> None:
    line = encoded({"xdr_data": XQL, "user_name": "mina"})
    plain, _ = table_of([[line]])
    assert plain.values("user_name", [0]) == ["mina"]
    assert_same_as_alone([line], "auto")


@pytest.mark.parametrize(
    "sign",
    [
        {"host_id": "h"},
        {"event_time": 1},
        {"raw": "{}"},
    ],
)
def test_a_record_with_a_sign_of_another_format_is_looked_at_by_itself(sign: Row) -> None:
    assert table_of([[encoded(XQL | sign)]])[1] == [0]


def test_no_format_is_tried_before_the_one_that_has_plain_records() -> None:
    assert MAPPINGS[0].id == "xdr"
    assert table_of([[encoded(XQL | {"EventID": 3, "@timestamp": 1, "process": {}})]])[1] == []


@pytest.mark.parametrize(
    "unread", [b'"\\u00e4"', b"1e400", b"9" * 5000, b'["a", {"b": null}]', '"ä"'.encode(), b"1.5", b"true"]
)
def test_what_nobody_reads_may_be_anything(unread: bytes) -> None:
    line = encoded(XQL)[:-1] + b', "backtrace": ' + unread + b"}"
    assert assert_same_as_alone([line], "auto") == 1


@pytest.mark.parametrize("unread", [b'"\xff"', b'"\\ud800"', b"NaN", b"01", b'"\x01"', b"[1,]", b"tru"])
def test_what_is_no_json_is_found_where_nobody_reads(unread: bytes) -> None:
    line = encoded(XQL)[:-1] + b', "backtrace": ' + unread + b"}"
    assert table_of([[line]])[1] == [0]
    assert [dead.reason for dead in decode_lines([line], "auto", MAPPINGS).rejections] == ["malformed"]


def test_mappings_that_read_below_the_top_have_no_plain_records() -> None:
    assert [mapping.id for mapping in MAPPINGS if has_plain_records(mapping, ALWAYS_NEEDED)] == ["xdr"]


def test_two_records_on_a_line_and_one_on_two_lines_do_not_make_up_for_each_other() -> None:
    row = encoded(XQL)
    begin, end = row.split(b", ", 1)
    lines = [row, row + row, begin + b",", end, row]
    assert table_of([lines])[1] == [1, 2, 3]
    odd = [b"{" + b"}", row + b" " + row, b'{"a":', b"{}}"]
    assert len(table_of([[row, *odd, row]])[0].lines) == 2


@pytest.mark.parametrize("foreign", [b'{"@timestamp":"2026-03-01T10:00:00Z","process":{}}', b'{"event_time":1}', b"no"])
def test_lines_after_many_foreign_ones_are_left_to_others_and_after_few_they_are_plain(foreign: bytes) -> None:
    row = json.dumps(XQL).encode()
    few, _ = table_of([[foreign] * (PATIENCE - 1) + [row]])
    many, others = table_of([[foreign] * PATIENCE + [row]])
    assert (few.lines.tolist(), many.lines.tolist()) == ([PATIENCE - 1], [])
    assert others == list(range(PATIENCE + 1))
