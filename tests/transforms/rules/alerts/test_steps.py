"""Investigative steps: SQL that a parser of BigQuery's dialect (sqlglot) takes, XQL whose strings nothing can end."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from tests.transforms.rules.candidates import candidate
from tests.transforms.rules.records import quick
from uncommon_im.transforms.rules.alerts.steps import steps_of, with_steps
from uncommon_im.transforms.rules.verdicts.flood_control import control_flood

QUESTIONS = (
    "Is the application legitimate?",
    "What is its parent process?",
    "Is the time of the communication unusual?",
    "What else did the process and its host do around that time?",
    "Who else communicates like this?",
)
HOSTILE = (
    'a"; DROP TABLE x; --',
    "a' OR '1'='1",
    "back\\slash\\",
    'ends \\"',
    "`DATASET.other`",
    "line\nbreak\r\u2028\u2029\x85end",
    "nul\x00bell\x07del\x7f",
    '" | dataset = other | "',
    "/* // # -- */",
    '"""',
    "日本語 ünïcode 🦊",
    "@parameter {{template}} %s ${x}",
)
DIGEST = "AB" * 32
BY_ADDRESS = {"attribution": "ip_range", "matched": "149.154.160.0/20"}


def steps(**more: Any) -> list[dict[str, str]]:
    return steps_of(candidate(**more).alert)


def strings_of(sql: str) -> set[str]:
    """The string literals of a query; fails unless it is one statement that reads the one table."""
    (query,) = sqlglot.parse(sql, read="bigquery")
    assert isinstance(query, exp.Select)
    assert [table.sql("bigquery") for table in query.find_all(exp.Table)] == ["`DATASET.xdr_events`"]
    return {literal.this for literal in query.find_all(exp.Literal) if literal.is_string}


def skeleton_of_sql(sql: str) -> str:
    """A query without its literals."""
    (query,) = sqlglot.parse(sql, read="bigquery")
    assert query is not None
    return query.transform(lambda node: exp.Literal.string("") if isinstance(node, exp.Literal) else node).sql()


def skeleton_of_xql(xql: str) -> str:
    """A query without what is between double quotes, where XQL escapes nothing."""
    return re.sub(r'"[^"]*"', '""', xql)


def test_the_guidances_questions_come_first_then_what_else_and_who_else() -> None:
    found = steps()
    assert [step["question"] for step in found] == list(QUESTIONS)
    assert all(list(step) == ["question", "why", "bigquery_sql", "xql"] and all(step.values()) for step in found)


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"process_sha256": DIGEST, "process_pid": 7, "host_name": "pc-7"},
        BY_ADDRESS,
        BY_ADDRESS | {"matched": "2001:b28:f23d::/48"},
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_every_query_is_one_statement_over_the_view_of_events(evidence: dict[str, Any], zone: str) -> None:
    for step in steps(time_zone=zone, **evidence):
        strings_of(step["bigquery_sql"])
        timeframe, dataset, *stages = step["xql"].split("\n| ")
        assert re.fullmatch(r'config timeframe between "[\d:+ -]{25}" and "[\d:+ -]{25}"', timeframe)
        assert dataset == "dataset = xdr_data"
        assert {stage.split()[0] for stage in stages} <= {"filter", "alter", "comp", "fields", "sort", "limit"}


def test_queries_name_this_host_process_digest_destination_and_time() -> None:
    evidence = {
        "host": "ID-7",
        "host_name": "pc-7",
        "process_name": "Odd.exe",
        "process_sha256": DIGEST,
        "process_pid": 7,
    }
    images, parents, hours, around, others = steps(time_zone="Asia/Kolkata", **evidence)
    window = {"2026-01-30 00:00:00+00", "2026-03-02 00:00:00+00"}
    assert strings_of(images["bigquery_sql"]) == window | {"odd.exe", DIGEST.lower()}
    assert strings_of(parents["bigquery_sql"]) == window | {"odd.exe", "ID-7"}
    assert strings_of(hours["bigquery_sql"]) == window | {"Asia/Kolkata", "ID-7", ".t.me", "."}
    around_it = {"2026-03-01 11:30:00+00:00", "2026-03-01 12:30:00+00:00"}
    assert strings_of(around["bigquery_sql"]) == around_it | {"odd.exe", "ID-7"}
    assert "process_pid = 7" in around["bigquery_sql"]
    assert strings_of(others["bigquery_sql"]) == window | {"odd.exe", DIGEST.lower(), ".t.me", "."}
    assert '(agent_id = "ID-7" or agent_hostname = "pc-7")' in around["xql"]
    assert f'(actor_process_image_name = "Odd.exe" or actor_process_image_sha256 = "{DIGEST}")' in images["xql"]
    assert 'in ("t.me", "*.t.me")' in hours["xql"]


def test_a_destination_known_by_its_range_is_asked_for_by_its_range() -> None:
    hours = steps(**BY_ADDRESS)[2]
    assert {"149.154.160.0", "149.154.175.255"} <= strings_of(hours["bigquery_sql"])
    assert 'incidr(action_remote_ip, "149.154.160.0/20") = true' in hours["xql"]
    assert "incidr6(" in steps(**BY_ADDRESS | {"matched": "2001:b28:f23d::/48"})[2]["xql"]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_values_and_change_no_query(value: str) -> None:
    names = ("host", "host_name", "process_name", "process_sha256")
    for plain, hostile in zip(steps(**dict.fromkeys(names, "x")), steps(**dict.fromkeys(names, value)), strict=True):
        assert skeleton_of_sql(hostile["bigquery_sql"]) == skeleton_of_sql(plain["bigquery_sql"])
        assert skeleton_of_xql(hostile["xql"]) == skeleton_of_xql(plain["xql"])
    around = steps(**dict.fromkeys(names, value))[3]
    assert {value, value.lower()} <= strings_of(around["bigquery_sql"])


@quick
@given(value=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_no_text_gets_out_of_its_string(value: str) -> None:
    around = steps(host=value, host_name=value, process_name=value)[3]
    assert {value, value.lower()} <= strings_of(around["bigquery_sql"])
    assert skeleton_of_xql(around["xql"]) == skeleton_of_xql(steps()[3]["xql"])
    assert "\n" not in around["xql"].split('agent_id = "')[1].split('"')[0]


def test_queries_hold_no_command_line_no_user_and_no_path() -> None:
    names = ("process_command_line", "parent_process_command_line", "causality_process_command_line")
    secret = dict.fromkeys((*names, "user_name", "process_path", "remote_host"), "hunter2")
    assert "hunter2" not in json.dumps(steps(**secret))


def test_steps_are_written_for_what_is_raised_and_not_for_what_is_rolled_up() -> None:
    first, second = candidate(event_id="e1"), candidate(event_id="e2")
    assert first.alert["steps"] == []
    (alert, _), (rolled_up, _) = control_flood([first, second], limit=1)
    assert rolled_up is None
    assert alert is not None
    assert with_steps(alert) == alert | {"steps": steps_of(first.alert)}
    assert list(with_steps(alert)) == list(first.alert)
