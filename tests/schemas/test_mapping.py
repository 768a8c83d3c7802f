"""Mapping files: what ships is sound, what is wrong is named, and another vendor needs data only."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.adapting import adapt
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.mapping import VendorMapping, load_mappings, parse_mapping
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.adapt import adapter

VENDOR: dict[str, Any] = {
    "format": 1,
    "id": "vendor",
    "key": ["kind"],
    "columns": {
        "event_time": "when",
        "host_id": ["agent", "endpoint"],
        "process_name": ["actor.name", "os_actor.name"],
        "direction": {"from": "is_server", "values": {True: "inbound", "false": "outbound"}},
    },
    "skip": [
        {"when": {"os": ["NO_HOST"]}, "detail": "a firewall's story"},
        {"missing": ["actor.name", "os_actor.name"], "detail": "no process"},
    ],
    "shapes": [
        {"id": "wrapped", "match": [["rows"]], "key": {"kind": ["rows.kind"]}, "data": "rows"},
        {"id": "bare", "match": [["kind", "agent"], ["kind", "endpoint"]], "key": {"kind": ["kind"]}},
    ],
    "events": [
        {
            "key": {"kind": ["NETWORK", 2]},
            "constants": {"event_type": "network"},
            "columns": {"remote_ip": "ip"},
        },
        {"key": {"kind": ["FAILED"]}, "constants": {"failed": True}, "columns": {"remote_ip": "ip"}},
    ],
}


def changed(*path: Any, to: Any) -> dict[str, Any]:
    """The vendor's document with one value replaced; removed if `to` is `...`."""
    document = copy.deepcopy(VENDOR)
    node: Any = document
    for key in path[:-1]:
        node = node[key]
    if to is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = to
    return document


def test_shipped_mappings_load_compile_and_are_loaded_once() -> None:
    assert [mapping.id for mapping in load_mappings()].count("sysmon") == 1
    assert load_mappings() is load_mappings()
    for mapping in load_mappings():
        adapter(mapping, keep_domain=True)


def test_records_that_a_mapping_yields_are_not_recognised_but_read_if_they_are_said_to_be_its_own() -> None:
    mapping = parse_mapping({**VENDOR, "yields": [["other.id"], ["x", "y"]]}, "vendor.yaml")
    record = {"kind": 2, "agent": "a", "actor": {"name": "n"}}
    for left in ({"other": {"id": 1}}, {"other.id": 1}, {"x": 1, "y": 2}):
        assert adapter(mapping).recognise({**record, **left}) is None
        assert adapt({**record, **left}, mapping) == adapt(record, mapping)
    for kept in ({}, {"x": 1}, {"other": {}}):
        assert adapter(mapping).recognise({**record, **kept}) == adapt(record, mapping)


def test_sysmon_reads_exactly_the_documented_events() -> None:
    sysmon = next(mapping for mapping in load_mappings() if mapping.id == "sysmon")
    ids = {event_id for event in sysmon.events if not event.skip for event_id in event.keys["event id"]}
    assert ids == {"1", "3", "22", "4688", "5156", "5157", "3006", "3008", "3020"}


def test_a_vendor_with_nested_rows_lists_and_many_candidates_needs_data_only() -> None:
    mapping = parse_mapping(VENDOR, "vendor.yaml")
    data = {
        "kind": "network",
        "when": [1709630131000],
        "agent": "N/A",
        "endpoint": ["e1"],
        "actor": {"name": None},
        "os_actor": {"name": "a.exe"},
        "is_server": True,
        "ip": ["203.0.113.9"],
    }
    expected = {
        "event_type": "network",
        "event_time": 1709630131000,
        "host_id": "e1",
        "process_name": "a.exe",
        "direction": "inbound",
        "remote_ip": "203.0.113.9",
    }
    assert adapt(data, mapping) == adapt({"rows": data}, mapping) == expected
    assert adapt({**data, "kind": 2}, mapping) == expected


def test_records_that_name_no_process_by_design_are_skipped_with_the_mappings_words() -> None:
    mapping = parse_mapping(VENDOR, "vendor.yaml")
    story = {"kind": "network", "agent": "192.0.2.1", "actor": {"name": "x"}, "os": "no_host"}
    assert adapt(story, mapping) == Rejection("not_endpoint", "a firewall's story")
    assert adapt({"kind": "network", "agent": "a"}, mapping) == Rejection("not_endpoint", "no process")


def test_if_all_candidates_are_markers_the_first_is_left_to_the_normaliser() -> None:
    mapping = parse_mapping(VENDOR, "vendor.yaml")
    found = adapt({"kind": 2, "agent": "-", "endpoint": "N/A", "actor": {"name": "x"}}, mapping)
    assert isinstance(found, dict)
    assert found["host_id"] == "-"


def with_events(*events: dict[str, Any], **top: Any) -> VendorMapping:
    return parse_mapping({**VENDOR, "skip": [], **top, "events": list(events)}, "vendor.yaml")


def test_the_more_exact_key_counts_and_of_two_the_one_that_says_the_later_part() -> None:
    keys = {"both": ("a", "x"), "later": ("*", "x"), "earlier": ("a", "*"), "any": ("*", "*")}
    document = {
        "format": 1,
        "id": "v",
        "key": ["kind", "sub"],
        "shapes": [{"id": "s", "match": [["k"]], "key": {"kind": ["k"], "sub": ["s"]}}],
        "events": [
            {"key": {"kind": [kind], "sub": [sub]}, "constants": {"protocol": name}, "columns": {}}
            for name, (kind, sub) in reversed(keys.items())
        ],
    }
    mapping = parse_mapping(document, "v.yaml")
    for text, name in {"ax": "both", "bx": "later", "ay": "earlier", "by": "any"}.items():
        assert adapt({"k": text[0], "s": text[1]}, mapping) == {"protocol": name}
    assert adapt({"k": "b"}, mapping) == {"protocol": "any"}


def test_of_events_of_one_key_the_first_counts_whose_needs_are_met() -> None:
    key = {"kind": ["*"]}
    mapping = with_events(
        {"key": key, "needs": [["a", "b.c"], ["d"]], "columns": {"protocol": "d"}},
        {"key": key, "needs": [["a"]], "columns": {"direction": "a"}},
        columns={},
    )
    base = {"kind": "x", "agent": "1"}
    assert adapt({**base, "b": {"c": ["y"]}, "d": 1}, mapping) == {"protocol": 1}
    assert adapt({**base, "a": "null", "d": "N/A"}, mapping) == {"direction": "null"}
    neither = Rejection("not_endpoint", "vendor does not read kind x")
    assert adapt({**base, "a": "-", "b": [], "d": 1}, mapping) == neither


def test_an_event_may_say_why_it_is_not_read() -> None:
    mapping = with_events({"key": {"kind": ["a"]}, "skip": "no such thing"})
    assert adapt({"kind": "a", "agent": "1"}, mapping) == Rejection("not_endpoint", "no such thing")


def test_a_column_with_differs_counts_only_if_the_first_pair_with_two_values_differs() -> None:
    column = {"from": "parent", "differs": [["id", "pid"], ["name", "pname"]]}
    mapping = with_events({"key": {"kind": ["a"]}, "columns": {"parent_process_name": column}}, columns={})
    base = {"kind": "a", "agent": "1", "parent": "p"}
    assert adapt({**base, "id": 1, "pid": "2", "name": "x", "pname": "x"}, mapping) == {"parent_process_name": "p"}
    assert adapt({**base, "id": 1, "pid": "1", "name": "x", "pname": "y"}, mapping) == {}
    assert adapt({**base, "id": 1, "pid": "-", "name": "x", "pname": "y"}, mapping) == {"parent_process_name": "p"}
    assert adapt({**base, "id": "the same text", "pid": "the same text"}, mapping) == {}
    assert adapt({**base, "id": 1, "name": "x"}, mapping) == {}


JOINED: dict[str, Any] = {"from": "uid", "join": ["id", {"field": "since.ms", "convert": "integer"}]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"id": 7, "since": {"ms": "12"}}, "7@12"),
        ({"id": "7", "since.ms": 12}, "7@12"),
        ({"uid": "u-1", "id": 7, "since": {"ms": 12}}, "u-1"),
        ({"uid": "-", "id": 7, "since": {"ms": 12}}, "7@12"),
        ({"id": 7, "since": {"ms": "soon"}}, None),
        ({"id": "-", "since": {"ms": 12}}, None),
        ({"uid": "-", "id": 7}, "-"),
        ({"since": {"ms": 12}}, None),
    ],
)
def test_fields_are_joined_where_no_other_has_a_value_and_only_all_of_them(
    fields: dict[str, Any], expected: str | None
) -> None:
    mapping = parse_mapping(changed("columns", "process_guid", to=JOINED), "vendor.yaml")
    row = adapt({"kind": 2, "agent": "a", "actor": {"name": "n"}, **fields}, mapping)
    assert isinstance(row, dict)
    assert row.get("process_guid") == expected


def test_fields_may_be_joined_without_any_other() -> None:
    mapping = parse_mapping(changed("columns", "process_guid", to={"join": ["id", "x"]}), "vendor.yaml")
    row = adapt({"kind": 2, "agent": "a", "actor": {"name": "n"}, "id": [3, 4], "x": "b"}, mapping)
    assert isinstance(row, dict)
    assert row["process_guid"] == "3@b"


def test_of_a_list_of_objects_on_the_way_to_a_field_the_first_counts() -> None:
    mapping = parse_mapping(VENDOR, "vendor.yaml")
    record = {"kind": 2, "agent": "a", "actor": [{"name": "n"}, {"name": "m"}], "ip": "192.0.2.1"}
    row = adapt(record, mapping)
    assert isinstance(row, dict)
    assert row["process_name"] == "n"
    for none in ([], ["n"], [[{"name": "n"}]]):
        assert isinstance(adapt({**record, "actor": none}, mapping), Rejection)


def test_null_takes_a_column_away_that_all_other_events_have() -> None:
    mapping = parse_mapping(changed("events", 0, "columns", to={"remote_ip": "ip", "direction": None}), "vendor.yaml")
    record = {"agent": "a", "actor": {"name": "n"}, "ip": "192.0.2.1", "is_server": True}
    found = [adapt({"kind": kind, **record}, mapping) for kind in (2, "FAILED")]
    assert [isinstance(row, dict) and row.get("direction") for row in found] == [None, "inbound"]


def test_a_column_of_null_is_none_so_that_merged_columns_can_be_left_out() -> None:
    mapping = with_events({"key": {"kind": ["a"]}, "columns": {"protocol": None}}, columns={})
    assert adapt({"kind": "a", "agent": "1", "protocol": "tcp"}, mapping) == {}


def test_records_nested_in_a_field_are_rows_that_the_fields_beside_serve() -> None:
    mapping = with_events({"key": {"kind": ["a"]}, "columns": {"host_id": "agent"}}, columns={}, nested=["held"])
    found = adapt({"agent": "1", "held": [{"kind": "a"}, {"kind": "a", "agent": "2"}]}, mapping)
    assert isinstance(found, list)
    assert [row for row, _ in found] == [
        {"host_id": "1"},
        {"host_id": "2"},
    ]
    assert adapt({"kind": "a", "agent": "1", "held": []}, mapping) == {"host_id": "1"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (changed("events", 0, "skip", to="x"), r"events\[0\]: expected one of `columns`, `skip`"),
        (changed("events", 0, "columns", to=...), r"events\[0\]: expected one of `columns`, `skip`"),
        (changed("events", 0, "needs", to=[]), r"events\[0\]\.needs: expected a list"),
        (
            changed("events", 0, "columns", to={"os": {"from": "x", "differs": [["a"]]}}),
            r"columns\.os\.differs\[0\]: expected a list of two fields",
        ),
        (changed("nested", to="events"), r"nested: expected a list that is not empty, not 'events'"),
        (changed("nested", to=[3]), r"nested\[0\]: expected a text"),
        (changed("yields", to=["a"]), r"yields\[0\]: expected a list"),
        ([], r"expected a mapping with format, id, .*, not \[\]"),
        (changed("format", to=2), r"format: expected 1, not 2"),
        (changed("events", to=...), r"`events` is missing"),
        (changed("extra", to=1), r"unknown key extra: known are format, id"),
        (changed("shapes", to=[]), r"shapes: expected a list that is not empty"),
        (
            changed("shapes", 0, "match", to=[[]]),
            r"shapes\[0\] \(wrapped\)\.match\[0\]: expected a list that is not empty",
        ),
        (
            changed("shapes", 0, "key", to={"id": ["x"]}),
            r"shapes\[0\]\.key: expected exactly the parts of `key`: kind",
        ),
        (
            changed("shapes", 1, "data", to="a..b"),
            r"shapes\[1\] \(bare\)\.data: expected a text: a path of keys with dots between them",
        ),
        (changed("events", 0, "key", to=...), r"events\[0\]: `key` is missing"),
        (
            changed("events", 0, "columns", to={"remote_ipp": "x"}),
            r"columns: unknown key remote_ipp: did you mean remote_ip\? known are ",
        ),
        (
            changed("events", 0, "columns", to={"os": 3}),
            r"columns\.os: expected a text: .* or a list .* or a mapping .*, not 3",
        ),
        (
            changed("events", 0, "columns", to={"os": {"form": "x"}}),
            r"columns\.os: unknown key form: did you mean from\?",
        ),
        (
            changed("events", 0, "columns", to={"os": {"from": "x", "otherwise": "keep"}}),
            r"columns\.os: `otherwise: keep` stands beside `values`",
        ),
        (changed("events", 0, "columns", to={"os": {"convert": "lower"}}), r"columns\.os: needs `from` or `join`"),
        (changed("events", 0, "columns", to={"os": {"join": []}}), r"columns\.os\.join: "),
        (
            changed("events", 0, "constants", to={"event_type": "file"}),
            r"event_type: is 'file', expected one of",
        ),
        (
            changed("events", 1, "constants", to={"failed": "yes"}),
            r"constants\.failed: expected true or false",
        ),
        (changed("skip", 0, to={"detail": "x"}), r"skip\[0\]: needs `when` or `missing`"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_file_key_and_problem(document: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^bad\\.yaml: .*{message}") as raised:
        parse_mapping(document, "bad.yaml")
    assert isinstance(raised.value, ValueError)
    assert "\n" not in str(raised.value)
