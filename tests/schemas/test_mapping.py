"""Mapping files: what ships is sound, what is wrong is named, and another vendor needs data only."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from schemas.documents import ConfigurationError
from schemas.mapping import load_mappings, parse_mapping
from transforms.rules.adapt import Rejected, adapt, adapter

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


def test_sysmon_reads_exactly_the_documented_events() -> None:
    sysmon = next(mapping for mapping in load_mappings() if mapping.id == "sysmon")
    ids = {event_id for event in sysmon.events for event_id in event.keys[1]}
    assert ids == {"1", "3", "22", "5156", "5157", "3006", "3008", "3020"}


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
    assert adapt(story, mapping) == Rejected("not_endpoint", "a firewall's story")
    assert adapt({"kind": "network", "agent": "a"}, mapping) == Rejected("not_endpoint", "no process")


def test_if_all_candidates_are_markers_the_first_is_left_to_the_normaliser() -> None:
    mapping = parse_mapping(VENDOR, "vendor.yaml")
    found = adapt({"kind": 2, "agent": "-", "endpoint": "N/A", "actor": {"name": "x"}}, mapping)
    assert isinstance(found, dict)
    assert found["host_id"] == "-"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], r"document: expected an object, not \[\]"),
        (changed("format", to=2), r"format: is 2, this version reads format 1"),
        (changed("events", to=...), r"document\.events: is missing"),
        (changed("extra", to=1), r"document\.extra: unknown key \(known: format, id"),
        (changed("shapes", to=[]), r"shapes: expected a list that is not empty"),
        (changed("shapes", 0, "match", to=[[]]), r"shapes\[0\]\.match\[0\]: expected a list"),
        (
            changed("shapes", 0, "key", to={"id": ["x"]}),
            r"shapes\[0\]\.key: expected exactly the parts of `key`: kind",
        ),
        (changed("shapes", 1, "data", to="a..b"), r"shapes\[1\]\.data: not a path of keys"),
        (changed("events", 0, "key", to=...), r"events\[0\]\.key: is missing"),
        (
            changed("events", 0, "columns", to={"remote_ipp": "x"}),
            r"columns\.remote_ipp: is no native column",
        ),
        (changed("events", 0, "columns", to={"os": 3}), r"columns\.os: expected a text, not 3"),
        (changed("events", 0, "columns", to={"os": {"form": "x"}}), r"columns\.os\.from: is missing"),
        (
            changed("events", 0, "columns", to={"os": {"from": "x", "otherwise": "keep"}}),
            r"otherwise: expected `keep`",
        ),
        (
            changed("events", 0, "constants", to={"event_type": "file"}),
            r"event_type: is 'file', expected one of",
        ),
        (
            changed("events", 1, "constants", to={"failed": "yes"}),
            r"constants\.failed: expected a truth value",
        ),
        (changed("skip", 0, to={"detail": "x"}), r"skip\[0\]: needs `when` or `missing`"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_file_key_and_problem(document: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^bad\\.yaml: .*{message}") as raised:
        parse_mapping(document, "bad.yaml")
    assert isinstance(raised.value, ValueError)
    assert "\n" not in str(raised.value)
