"""Activities: communications of one hour, represented by their first event."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import (
    CATALOGUE,
    DAY,
    DAY_US,
    RECORD,
    Record,
    activities,
    activity,
    events_of,
    quick,
    rows_of,
)
from uncommon_im.transforms.rules.activities.hourly import activities_of, merge_activities
from uncommon_im.transforms.rules.baseline.tables import ACTIVITY_KEY, ACTIVITY_SCHEMA
from uncommon_im.transforms.rules.events.event_id import event_id, row_details
from uncommon_im.transforms.rules.recognition.communications import Recogniser
from uncommon_im.transforms.rules.recognition.destination import Destinations
from uncommon_im.transforms.rules.recognition.identity import Identities

START = DAY * DAY_US


def recognised(*records: Record) -> pa.Table:
    recogniser = Recogniser(Destinations(CATALOGUE), Identities(CATALOGUE))
    events = events_of(*records)
    return activities_of(events, recogniser.communications(events, recogniser.candidates(events, events.valid)), "UTC")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {},
            '{"event_time":1728000000000000,"host_id":"h1","process_name":"a.exe","remote_host":"api.telegram.org"}',
        ),
        (
            {"process_name": "C:\\x\\Búho.exe", "remote_port": "443", "os": " Windows ", "user_name": "-"},
            '{"event_time":1728000000000000,"host_id":"h1","os":"windows","process_name":"Búho.exe",'
            '"remote_host":"api.telegram.org","remote_port":443}',
        ),
        (
            {"remote_host": "https://149.154.160.1:443/x", "event_type": "Network"},
            '{"event_time":1728000000000000,"event_type":"network","host_id":"h1","process_name":"a.exe",'
            '"remote_ip":"149.154.160.1"}',
        ),
        (
            {"process_name": "", "process_path": "/opt/a.exe", "tenant_id": "t"},
            '{"event_time":1728000000000000,"host_id":"h1","process_name":"a.exe","process_path":"/opt/a.exe",'
            '"remote_host":"api.telegram.org","tenant_id":"t"}',
        ),
    ],
)
def test_an_event_without_id_is_known_by_the_digest_of_its_given_columns(changes: Record, text: str) -> None:
    table = recognised({**RECORD, **changes})
    assert event_id(row_details(table, 0)) == digest(text)


def test_an_event_with_an_id_keeps_it() -> None:
    assert event_id(row_details(recognised({**RECORD, "event_id": " E 1 "}), 0)) == "E 1"


def test_each_communication_is_a_row_with_its_key_subjects_and_evidence() -> None:
    record = {
        **RECORD,
        "event_time": RECORD["event_time"] + 3_600_000,
        "tenant_id": "acme",
        "process_name": "Python3",
        "process_path": "/usr/bin/python3",
        "process_command_line": "python3 /tmp/x/bot.py",
        "process_sha256": "ABCD",
        "parent_process_name": "/bin/Bash",
        "os": "linux",
        "bytes_sent": 7,
    }
    (row,) = recognised(record, {**RECORD, "remote_host": "example.com"}).to_pylist()
    script = "python|script:/tmp/x/bot.py"
    expected: dict[str, Any] = {
        "tenant": "acme",
        "host": "h1",
        "program": "python3",
        "origin": "unknown:/usr/bin",
        "script": script,
        "reduced_script": "python|script:/tmp/*",
        "service": "telegram",
        "reasons": "",
        "fingerprint": script,
        "excepted": False,
        "hour": DAY * 24 + 1,
        "communication": f'["communication","python3","unknown:/usr/bin","{script}","telegram"]',
        "execution": f'["execution","{script}"]',
        "parentage": f'["parentage","bash","python3","unknown:/usr/bin","{script}"]',
        "binary": '["binary","abcd"]',
        "event_time": START + 3_600_000_000,
        "event_id": None,
        "attribution": "domain",
        "matched": "api.telegram.org",
        "process_name": "Python3",
        "event_type": None,
        "bytes_sent": 7,
        "events": 1,
        "total_sent": 7,
        "total_received": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert list(row) == ACTIVITY_SCHEMA.names


@pytest.mark.parametrize(
    "changes",
    [
        {"event_type": "process"},
        {"direction": "Inbound"},
        {"event_type": "dns", "dns_status": 3},
        {"event_type": "dns", "process_name": "svchost.exe", "os": "windows"},
        {"remote_host": "example.com"},
    ],
)
def test_what_is_no_communication_makes_no_activity(changes: Record) -> None:
    assert recognised({**RECORD, **changes}).num_rows == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"direction": "outbound"},
        {"event_type": "dns", "dns_status": 0},
        {"event_type": "dns"},
        {"event_type": "network", "dns_status": 3},
        {"process_name": "svchost.exe", "os": "windows"},
        {
            "event_type": "dns",
            "process_name": "svchost.exe",
            "os": "windows",
            "process_path": "C:\\x\\svchost.exe",
        },
    ],
)
def test_what_resembles_it_but_is_a_communication_makes_one(changes: Record) -> None:
    assert recognised({**RECORD, **changes}).num_rows == 1


def first_of(*rows: Record) -> Record:
    merged = merge_activities(activities(*rows)).to_pylist()
    assert len(merged) == 1
    return dict(merged[0])


def test_the_first_event_is_the_earliest_then_the_smallest_id() -> None:
    late = activity(event_time=START + 5, event_id="e1", user_name="late")
    tied = activity(event_time=START + 1, event_id="e3", user_name="tied")
    first = activity(event_time=START + 1, event_id="e2", user_name="first")
    for rows in ((late, tied, first), (first, tied, late), (tied, first, late)):
        assert first_of(*rows)["user_name"] == "first"


def test_the_ids_that_break_ties_include_computed_ones() -> None:
    rows = [activity(event_id=None, event_type="network", user_name=name) for name in ("al", "bo", "cy")]
    smallest = min(rows, key=event_id)
    assert first_of(*rows)["user_name"] == first_of(*reversed(rows))["user_name"] == smallest["user_name"]


def test_events_of_the_same_time_and_id_are_told_apart_by_content() -> None:
    rows = [activity(user_name=name) for name in ("bo", "al", None)]
    found = first_of(*rows)
    assert found["user_name"] == first_of(*reversed(rows))["user_name"]
    assert found["events"] == 3


def test_totals_add_up_and_are_missing_only_if_no_event_says() -> None:
    rows = [
        activity(total_sent=5, events=2),
        activity(total_sent=None, event_id="e2"),
        activity(total_sent=7, event_id="e3"),
    ]
    found = first_of(*rows)
    assert (found["events"], found["total_sent"], found["total_received"]) == (4, 12, None)
    assert first_of(activity(total_received=0), activity())["total_received"] == 0


@pytest.mark.parametrize("name", ACTIVITY_KEY)
def test_activities_that_differ_in_any_part_of_the_key_stay_apart(name: str) -> None:
    other = {"hour": DAY * 24 + 1, "excepted": True}.get(name, "other")
    assert merge_activities(activities(activity(), activity(**{name: other}))).num_rows == 2
    assert merge_activities(activities(activity(), activity(event_id="e2"))).num_rows == 1


ROWS = st.lists(
    st.builds(
        activity,
        host=st.sampled_from(["h1", "h2"]),
        fingerprint=st.sampled_from([None, "python|stdin"]),
        event_time=st.integers(START, START + 2),
        event_id=st.sampled_from([None, "e1", "e2"]),
        user_name=st.sampled_from([None, "al", "bo"]),
        remote_port=st.sampled_from([None, 80, 443]),
        events=st.integers(1, 3),
        total_sent=st.sampled_from([None, 1, 2]),
    ),
    max_size=8,
)


@quick
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_events_decides_nothing(rows: list[Record], chance: Any) -> None:
    shuffled = chance.sample(rows, len(rows))
    assert rows_of(merge_activities(activities(*shuffled))) == rows_of(merge_activities(activities(*rows)))


@quick
@given(ROWS, ROWS, ROWS)
def test_merging_parts_first_gives_the_same(a: list[Record], b: list[Record], c: list[Record]) -> None:
    def merge(*tables: pa.Table) -> pa.Table:
        return merge_activities(pa.concat_tables(tables))

    x, y, z = activities(*a), activities(*b), activities(*c)
    whole = rows_of(merge(x, y, z))
    assert rows_of(merge(merge(x, y), z)) == whole
    assert rows_of(merge(x, merge(y, z))) == whole
    assert rows_of(merge(merge(z), merge(x), merge(y))) == whole


@quick
@given(ROWS)
def test_merging_keeps_each_activity_once_and_every_event_counted(rows: list[Record]) -> None:
    merged = merge_activities(activities(*rows)).to_pylist()
    keys = [tuple(row[name] for name in ACTIVITY_KEY) for row in merged]
    assert sorted(keys, key=repr) == sorted({tuple(row[name] for name in ACTIVITY_KEY) for row in rows}, key=repr)
    assert sum(row["events"] for row in merged) == sum(row["events"] for row in rows)
    for row, key in zip(merged, keys, strict=True):
        times = [r["event_time"] for r in rows if tuple(r[name] for name in ACTIVITY_KEY) == key]
        assert row["event_time"] == min(times)


def test_delivering_events_twice_changes_totals_only() -> None:
    rows = [activity(user_name="al"), activity(event_id="e0", host="h2", user_name="bo")]
    once, twice = (merge_activities(activities(*(rows * n))).drop_columns(["events"]) for n in (1, 2))
    assert rows_of(once) == rows_of(twice)


def test_no_events_are_no_activities() -> None:
    assert merge_activities(ACTIVITY_SCHEMA.empty_table()).num_rows == 0
    assert recognised().num_rows == 0
    assert np.array_equal(recognised({}).column("hour").to_numpy(), np.zeros(0, np.int64))
