"""The queries themselves: SQL by DuckDB, which gives the same alerts; the others by their form and their meaning."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot

from tests.golden_records import golden
from tests.oracle import Options
from tests.organisations import random_organisation
from tests.running import configuration_of, run_backfill, write_parquet
from uncommon_im.pipeline.lab.simulation import Scenario, simulate
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.transforms.rules.exports.dialects.elastic import clause
from uncommon_im.transforms.rules.exports.dialects.words import Request, in_quotes
from uncommon_im.transforms.rules.exports.predicate import Is, holds
from uncommon_im.transforms.rules.exports.queries import DIALECTS
from uncommon_im.transforms.rules.exports.source import ELASTIC, communicates, needed

CATALOGUE = load_catalogue()
SQL = ("bigquery", "athena")
PIPES = ("kql", "xql", "splunk", "falcon")


def asked(
    name: str,
    start: date | None = None,
    end: date | None = None,
    without: tuple[str, ...] = (),
    operator_ranges: bool = False,
) -> Request:
    source = DIALECTS[name].source
    columns = tuple(column for column in source.columns if column not in without)
    condition = needed(source, CATALOGUE, operator_ranges, without)
    return Request(source, source.table, condition, columns, start, end, lookback=7)


def export(name: str, lake: str, to: Path, **of: Any) -> tuple[int, int]:
    """Runs a dialect's query over a lake by DuckDB; (records of the lake, records that are exported)."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(f"CREATE VIEW events AS SELECT * FROM '{lake}'")
        have = {row[0] for row in connection.execute("DESCRIBE events").fetchall()}
        lacks = tuple(column for column in EVENT_COLUMNS if column not in have)
        query = DIALECTS[name].export(asked(name, without=lacks, **of))
        (translated,) = sqlglot.transpile(query, read=name, write="duckdb")
        connection.execute(f"COPY ({translated}) TO '{to}' (FORMAT parquet)")
        counted = [connection.execute(f"SELECT COUNT(*) FROM '{path}'").fetchone() for path in (lake, to)]
    return counted[0][0], counted[1][0]


@pytest.mark.parametrize(("seed", "dialect"), [(1, "bigquery"), (4, "athena")])
def test_a_lake_as_exported_gives_the_alerts_of_the_whole_lake(seed: int, dialect: str, tmp_path: Path) -> None:
    """Of random organisations, with everything that a detector may get wrong; on Beam's in-process engine."""
    organisation = random_organisation(seed)
    whole, part = tmp_path / "whole.parquet", tmp_path / "part.parquet"
    write_parquet(whole, organisation.records)
    read, exported = export(dialect, str(whole), part, operator_ranges=organisation.options.operator_ranges)
    configuration = configuration_of(organisation.options)
    expected = run_backfill([str(whole)], configuration)
    found = run_backfill([str(part)], configuration)
    assert exported < read
    assert found.facts == expected.facts
    assert expected.alerts


@pytest.mark.parametrize("sensor", ["xdr", "crowdstrike"])
def test_a_simulated_lake_as_exported_gives_the_same_alerts_at_a_small_part_of_its_events(
    sensor: Any, tmp_path: Path
) -> None:
    """Of a sensor that says all in each event, and of one that names instances; on Beam's in-process engine."""
    made = simulate(str(tmp_path / "lake"), Scenario(hosts=6, days=16, seed=2, sensor=sensor))
    part = tmp_path / "part.parquet"
    read, exported = export("bigquery", made.events_glob, part)
    configuration = configuration_of(Options())
    expected = run_backfill([made.events_glob], configuration)
    assert run_backfill([str(part)], configuration).facts == expected.facts
    assert expected.alerts
    assert exported < read / 10


def test_a_day_on_which_nothing_else_is_exported_is_still_a_covered_day(tmp_path: Path) -> None:
    """Each tenant's first event of the day that can be used comes along, and no other."""
    lake, part = tmp_path / "lake.parquet", tmp_path / "part.parquet"
    idle = {"host_id": "h", "process_name": "a.exe", "remote_ip": "192.0.2.1"}
    days = [f"2026-03-0{day}T0{hour}:00:00Z" for day in (1, 2) for hour in (1, 2, 3)]
    write_parquet(lake, [{**idle, "event_time": day, "tenant_id": tenant} for day in days for tenant in ("a", "b")])
    assert export("athena", str(lake), part) == (12, 4)


def test_days_bound_what_is_read_and_starts_may_lie_before_them(tmp_path: Path) -> None:
    lake, part = tmp_path / "lake.parquet", tmp_path / "part.parquet"
    start = {"host_id": "h", "process_name": "a.exe", "process_guid": "g", "event_type": "process"}
    talk = {"host_id": "h", "process_guid": " g ", "remote_host": "api.telegram.org"}
    rows = [
        {**start, "event_time": "2026-03-01T00:00:00Z"},  # too early
        {**start, "event_time": "2026-03-04T00:00:00Z"},
        {**start, "event_time": "2026-03-04T00:00:00Z", "process_guid": "other"},
        {**start, "event_time": "2026-03-04T00:00:00Z", "host_id": "elsewhere"},
        {**talk, "event_time": "2026-03-09T23:00:00Z"},
        {**talk, "event_time": "2026-03-10T00:00:00Z"},
        {**talk, "event_time": "2026-03-11T00:00:00Z"},
    ]
    write_parquet(lake, rows)
    _, exported = export("bigquery", str(lake), part, start=date(2026, 3, 10), end=date(2026, 3, 11))
    assert exported == 2


@pytest.mark.parametrize("name", PIPES)
def test_queries_in_stages_are_balanced_and_say_their_days(name: str) -> None:
    query = DIALECTS[name].export(asked(name, date(2026, 3, 1), date(2026, 3, 2)))
    outside = re.sub(r'"[^"]*"|=/[^/]*/', "", query)
    assert query.count('"') % 2 == 0
    assert outside.count("(") == outside.count(")")
    assert all(part not in outside for part in ("/", "\\", "$", "^"))
    assert any(day in query for day in ("2026-03-01", "1772323200"))
    assert any(day in query for day in ("2026-03-02", "1772409600"))


@pytest.mark.parametrize("name", PIPES)
def test_queries_in_stages_have_each_pattern_and_each_column(name: str) -> None:
    request = asked(name)
    query, peers = DIALECTS[name].export(request), communicates(request.source, CATALOGUE, False)
    for pattern in (peers.named, peers.ranged, peers.out):
        assert pattern in query
    for column in request.columns if name != "splunk" else ("_raw", *peers.all_addresses):
        assert re.search(rf"(?<![\w.]){re.escape(column)}(?![\w.])", query), column


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_patterns_need_no_escape_in_any_language(dialect: Any) -> None:
    query = dialect.export(asked(next(name for name, each in DIALECTS.items() if each is dialect)))
    assert "\\" not in query
    with pytest.raises(ValueError, match="quote"):
        in_quotes('a"b')


def test_the_search_of_elasticsearch_means_what_the_condition_says() -> None:
    condition = needed(ELASTIC, CATALOGUE, operator_ranges=False)
    search = clause(condition)
    hits = [(each.proves, found(search, each.record), holds(condition, each.record)) for each in golden("ecs")]
    assert all(meant == said for _, said, meant in hits)
    assert {said for _, said, _ in hits} == {True, False}


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ({"ip": "149.154.167.50"}, True),
        ({"ip": "2001:67c:4e8::1"}, True),
        ({"ip": "192.0.2.1"}, False),
        ({"domain": "API.Telegram.ORG."}, True),
        ({"domain": "telegram.org.example"}, False),
        ({"domain": "config.edge.skype.com"}, False),
        ({"address": "149.154.167.50"}, True),
        ({"address": "web.whatsapp.com"}, False),  # a name counts in the fields of names
    ],
)
def test_the_search_of_elasticsearch_finds_names_and_addresses(destination: dict[str, str], expected: bool) -> None:
    record = {"event": {"category": ["network"]}, "process": {"name": "a.exe"}, "destination": destination}
    condition = needed(ELASTIC, CATALOGUE, operator_ranges=False)
    assert found(clause(condition), record) is expected
    assert holds(condition, record) is expected


def test_patterns_of_elasticsearch_are_as_short_as_an_index_allows() -> None:
    query = DIALECTS["elastic"].export(asked("elastic"))
    patterns = re.findall(r'"value": "([^"]*)"', query)
    assert max(map(len, patterns)) <= 1_000
    assert query.count('{"regexp"') + query.count('{"terms"') < 1_024  # clauses of a query
    assert json.loads(query)["_source"] == list(ELASTIC.columns)


def found(search: dict[str, Any], record: dict[str, Any]) -> bool:
    """What Elasticsearch's documentation says of a query's clause."""
    ((kind, body),) = search.items()
    if kind == "bool":
        assert body.keys() <= {"filter", "should", "must_not", "minimum_should_match"}
        return (
            all(found(each, record) for each in body.get("filter", ()))
            and not any(found(each, record) for each in body.get("must_not", ()))
            and ("should" not in body or any(found(each, record) for each in body["should"]))
        )
    ((field, wanted),) = body.items()
    if kind == "regexp":
        assert wanted["case_insensitive"]
        return any(re.fullmatch(wanted["value"], text, re.IGNORECASE) for text in values(record, field))
    assert kind == "terms"
    if field.endswith(".ip"):
        return any(holds(_within(tuple(wanted)), {"ip": text}) for text in values(record, field))
    return any(holds(Is("x", tuple(wanted)), {"x": text}) for text in values(record, field))


def _within(networks: tuple[str, ...]) -> Any:
    from uncommon_im.transforms.rules.exports.predicate import Peers

    return Peers((), ("ip",), (), (), (), networks)


def values(record: Any, field: str) -> list[str]:
    """The texts of a field, whose name may be written with dots or as objects."""
    if isinstance(record, dict) and field in record:
        value = record[field]
        return [str(each) for each in (value if isinstance(value, list) else [value]) if each is not None]
    head, _, rest = field.partition(".")
    return values(record.get(head), rest) if isinstance(record, dict) and rest else []
