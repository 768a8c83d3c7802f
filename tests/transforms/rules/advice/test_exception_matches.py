"""What exceptions match among verdict rows: chosen rows, and random organisations against the oracle."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import detect
from tests.oracle.activities import communication_of, first_communications
from tests.oracle.detect import Result, read_events
from tests.oracle.exceptions import matches
from tests.oracle.instances import completed
from tests.organisations import random_organisation
from uncommon_im.schemas.exceptions import ExceptionEntry, parse_exceptions
from uncommon_im.transforms.rules.advice.exception_matches import (
    VERDICT_ROW_SCHEMA,
    Matches,
    RunMatches,
    missing_fields,
)
from uncommon_im.transforms.rules.columns.days import day_number

DAY = day_number(date(2026, 5, 1))
ROWS = (
    ("curl", "unknown:/usr/bin", "telegram", "h1", "alert"),
    ("curl", "unknown:/usr/bin", "slack", "h2", "excepted"),
    ("agent.exe", "acme corp", "slack", "h1", "duplicate"),
    ("agent.exe", "unsigned:c:/apps", "slack", "h2", "common_on_host"),
    ("chat.exe", "slack technologies", "slack", "h3", "training"),
)


def entries(*listed: dict[str, Any]) -> tuple[ExceptionEntry, ...]:
    return parse_exceptions([entry | {"reason": "r"} for entry in listed], "exceptions")


def batch(rows: Any, day: int = DAY) -> pa.RecordBatch:
    names = ("program", "origin", "service", "host", "verdict")
    return pa.RecordBatch.from_pylist(
        [dict(zip(names, row, strict=True)) | {"hour": day * 24 + 23} for row in rows], VERDICT_ROW_SCHEMA
    )


def evidence(*listed: dict[str, Any]) -> RunMatches:
    found = RunMatches(entries(*listed))
    found.add_verdicts(batch(ROWS))
    return found


def findings(found: RunMatches) -> list[tuple[int, str]]:
    return [(finding.number, finding.kind) for finding in found.findings()]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"process_name": "CURL"}, Matches(activities=2, possible=2, rare=2, possible_rare=2)),
        ({"process_name": "a*", "origin": "*/apps"}, Matches(activities=1, possible=1)),
        ({"service_id": "slack", "host_id": "h[12]"}, Matches(activities=3, possible=3, rare=2, possible_rare=2)),
        ({"service_id": "slack", "user_name": "al"}, Matches(possible=4, possible_rare=2)),
        ({"process_path": "*", "parent_process_name": "*", "remote_host": "x"}, Matches(possible=5, possible_rare=3)),
        ({"process_name": "curl", "service_id": "discord", "user_name": "al"}, Matches()),
        ({"host_id": "h4"}, Matches()),
    ],
)
def test_fields_of_the_row_are_judged_and_others_leave_it_open(entry: dict[str, str], expected: Matches) -> None:
    assert evidence(entry).of_entry == [expected]


@pytest.mark.parametrize(
    ("signer", "expected"),
    [
        ("Acme*", Matches(activities=1, possible=4, rare=1, possible_rare=3)),
        ("*", Matches(activities=2, possible=5, rare=1, possible_rare=3)),
        ("unknown:*", Matches(possible=3, possible_rare=2)),
    ],
)
def test_a_signer_is_certain_only_where_the_origin_is_one(signer: str, expected: Matches) -> None:
    assert evidence({"signer": signer}).of_entry == [expected]


@pytest.mark.parametrize(("expires", "activities"), [("2026-04-30", 0), ("2026-05-01", 2), ("2026-05-02", 2)])
def test_an_entry_matches_rows_up_to_its_last_day(expires: str, activities: int) -> None:
    (found,) = evidence({"process_name": "curl", "expires": expires}).of_entry
    assert (found.activities, found.possible) == (activities, activities)


def test_what_no_entry_can_have_excepted_is_unexplained() -> None:
    assert evidence({"service_id": "telegram"}, {"host_id": "h3"}).unexplained == 1
    assert evidence({"service_id": "telegram"}, {"host_id": "h2", "user_name": "al"}).unexplained == 0


def test_batches_add_up() -> None:
    found = evidence({"process_name": "curl"})
    found.add_verdicts(batch(ROWS[:2]))
    found.add_verdicts(batch([]))
    assert (found.activities, found.rare, found.of_entry[0].activities) == (7, 5, 4)


def test_an_entry_that_can_match_no_activity_is_unmatched() -> None:
    found = evidence({"host_id": "h4"}, {"host_id": "h3"}, {"host_id": "h4", "user_name": "*"}, {"user_name": "al"})
    assert findings(found) == [(1, "unmatched"), (3, "unmatched")]


def test_without_activities_nothing_is_unmatched() -> None:
    found = RunMatches(entries({"host_id": "h4"}))
    found.add_verdicts(batch([]))
    assert findings(found) == []


def test_an_entry_that_matches_all_that_was_rare_hides_everything() -> None:
    found = evidence({"process_name": "[ac]*"}, {"process_name": "curl"}, {"process_name": "*", "user_name": "*"})
    assert findings(found) == [(1, "hides_everything")]


def test_an_entry_that_hides_the_only_rare_program_is_what_exceptions_are_for() -> None:
    found = RunMatches(entries({"process_name": "curl"}))
    found.add_verdicts(batch([*ROWS[:2], *ROWS[:2], *ROWS[3:]]))
    assert found.of_entry[0].rare == found.rare == 4
    assert found.rare_programs == {"curl"}
    assert findings(found) == []


def test_alerts_are_judged_by_all_fields_and_their_day() -> None:
    found = RunMatches(entries({"user_name": "al*"}, {"user_name": "bo"}, {"user_name": "al", "expires": "2026-04-30"}))
    found.add_alert({"user_name": "AL", "process_name": "curl"}, DAY)
    found.add_alert({"user_name": None, "process_name": "curl"}, DAY)
    assert [one.alerts for one in found.of_entry] == [1, 0, 0]


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(("process_name", "origin", "service_id", "host_id", "signer", "user_name")),
            st.sampled_from(("curl", "*", "a*", "slack", "h?", "unknown:*", "acme corp", "*c*", "h1", "unsigned:*")),
            min_size=1,
        ),
        min_size=1,
        max_size=10,
    ),
    st.lists(st.sampled_from(ROWS), max_size=12),
)
def test_entries_that_are_counted_together_count_what_each_does_alone(
    listed: list[dict[str, Any]], rows: list[tuple[str, ...]]
) -> None:
    together = RunMatches(entries(*listed))
    together.add_verdicts(batch(rows))
    for entry, found in zip(listed, together.of_entry, strict=True):
        alone = [evidence_of(row, entry) for row in rows]
        assert found == Matches(*(sum(getattr(one, name) for one in alone) for name in Matches.__annotations__))
    excepted = [row for row in rows if row[-1] == "excepted"]
    assert together.unexplained == sum(not any(evidence_of(row, one).possible for one in listed) for row in excepted)


def evidence_of(row: tuple[str, ...], entry: dict[str, Any]) -> Matches:
    """What an entry matches of one row, by the meaning of each field."""
    program, origin, service, host, verdict = row
    said = {"process_name": program, "origin": origin, "service_id": service, "host_id": host}
    signed = not origin.startswith(("unsigned:", "unknown:"))
    said |= {"signer": origin} if signed else {}
    possible = all(fnmatchcase(said[name], glob) for name, glob in entry.items() if name in said)
    sure, rare = possible and entry.keys() <= said.keys(), verdict in ("excepted", "duplicate", "rolled_up", "alert")
    return Matches(int(sure), int(possible), int(sure and rare), int(possible and rare))


@pytest.mark.parametrize("seed", range(12))
def test_what_the_oracle_excepts_lies_between_the_certain_and_the_possible(seed: int) -> None:
    organisation = random_organisation(seed)
    options = replace(organisation.options, dispositions=())  # what is benign is excepted, too
    listed = [
        *options.exceptions,
        {"signer": "kiosk*"},
        {"origin": "unsigned:*"},
        {"service_id": "t*", "host_id": "*1"},
    ]
    found = RunMatches(entries(*listed))
    activities = detect(organisation.records, options).activities
    rows = [(*a["program"][:2], a["service"], a["host"], a["verdict"]) for a in activities]
    for activity, row in zip(activities, rows, strict=True):
        found.add_verdicts(batch([row], activity["hour"] // 24))
    events = completed(read_events(organisation.records, options, Result()), options)
    firsts = first_communications([c for event in events if (c := communication_of(event, options))])
    assert len(firsts) == len(rows) == found.activities
    for entry, parsed, one in zip(listed, found.entries, found.of_entry, strict=True):
        matched = sum(matches(entry, first.event, first.match.service) for first in firsts)
        assert one.activities <= matched <= one.possible
        if not missing_fields(parsed) and "signer" not in entry:
            assert one.activities == matched == one.possible
    assert found.unexplained == 0
