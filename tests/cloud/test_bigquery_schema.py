"""`uncommon-im schema bigquery` and the example queries, on `local-bigquery`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

from tests.cloud.bigquery import BigQuery
from tests.running import Record
from uncommon_im.pipeline.cli.main import main
from uncommon_im.schemas.bigquery.tables import TABLES

pytestmark = pytest.mark.cloud

QUERIES = Path(__file__).parents[2] / "deploy" / "bigquery"
FIRST = ScalarQueryParameter("first", "DATE", date(2026, 3, 1))


def schema(to: BigQuery, *options: str) -> int:
    return main(["schema", "bigquery", "--dataset", to.dataset, *to.options, *options])


def run(to: BigQuery, name: str, *parameters: ScalarQueryParameter) -> list[Record]:
    config = QueryJobConfig(query_parameters=parameters, default_dataset=to.dataset)
    text = (QUERIES / f"{name}.sql").read_text()
    return [dict(row) for row in to.client.query_and_wait(text, job_config=config)]


def insert(to: BigQuery, table: str, *rows: Record) -> None:
    assert to.client.insert_rows_json(f"{to.dataset}.{table}", rows) == []


def test_the_schema_is_applied_once_and_then_has_nothing_to_change(
    bigquery: BigQuery, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schema(bigquery, "--apply") == 0
    assert capsys.readouterr().out.splitlines() == [f"made {bigquery.dataset}.{name}" for name in TABLES]
    for name, table in TABLES.items():
        made = bigquery.client.get_table(f"{bigquery.dataset}.{name}")
        assert [field.name for field in made.schema] == table.columns
        assert made.time_partitioning.field == table.partition
        assert tuple(made.clustering_fields) == table.clustering
    before = {name: bigquery.client.get_table(f"{bigquery.dataset}.{name}").etag for name in TABLES}
    assert schema(bigquery, "--apply") == 0
    assert capsys.readouterr().out == f"{bigquery.dataset} has all tables as they should be\n"
    assert {name: bigquery.client.get_table(f"{bigquery.dataset}.{name}").etag for name in TABLES} == before


def test_what_is_printed_makes_the_same_tables(bigquery: BigQuery, capsys: pytest.CaptureFixture[str]) -> None:
    assert schema(bigquery) == 0
    statements = capsys.readouterr().out.rstrip().rstrip(";").split(";\n\n")
    assert len(statements) == len(TABLES) + 2
    for statement in statements:
        bigquery.client.query_and_wait(statement)
    assert schema(bigquery, "--apply") == 0
    assert capsys.readouterr().out == f"{bigquery.dataset} has all tables as they should be\n"


def test_a_table_of_an_older_version_gets_what_is_new_and_keeps_its_rows(
    tables: BigQuery, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"found_at": "2026-03-20T00:00:00Z", "reason": "malformed", "source": "s", "content_digest": "d"}
    insert(tables, "dead_letters", row)
    tables.query(f"ALTER TABLE `{tables.dataset}.dead_letters` DROP COLUMN detail")
    assert schema(tables, "--apply") == 0
    assert capsys.readouterr().out == f"added detail to {tables.dataset}.dead_letters\n"
    (kept,) = tables.query(f"SELECT source, detail FROM `{tables.dataset}.dead_letters`")
    assert kept == {"source": "s", "detail": None}


def test_a_table_that_is_something_else_is_refused_and_left_as_it_is(
    tables: BigQuery, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.query(f"DROP TABLE `{tables.dataset}.verdicts`")
    tables.query(f"CREATE TABLE `{tables.dataset}.verdicts` (hour STRING)")
    assert schema(tables, "--apply") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"uncommon-im: --dataset {tables.dataset}.verdicts: hour is STRING and should be INTEGER: ")
    assert len(tables.client.get_table(f"{tables.dataset}.verdicts").schema) == 1


def alert(number: int, program: str, host: str, day: int, group: str) -> Record:
    return {
        "alert_id": f"a{number}",
        "group_id": group,
        "tenant_id": "acme",
        "service_id": "telegram",
        "severity": "Low" if number % 2 else "Informational",
        "timestamp": f"2026-03-{day:02}T14:00:00Z",
        "process": {"name": program, "origin": "unsigned:/opt"},
        "host": {"id": host},
        "group_saturated": number == 2,
        "activity": {"events": 1},
        "content_digest": f"d{number}",
    }


@pytest.fixture
def alerts(tables: BigQuery) -> BigQuery:
    """Three alerts of a roll-out of courier, one of them written twice, one of pigeon, and an old one."""
    rows = [alert(number, "courier", f"pc{number}", 20, "g1") for number in range(3)]
    insert(tables, "alerts", *rows, alert(3, "pigeon", "pc0", 21, "g2"), alert(4, "courier", "pc0", 1, "g0"))
    insert(tables, "alerts", rows[0] | {"run_id": "again"})
    return tables


def test_a_roll_out_is_one_line(alerts: BigQuery) -> None:
    first, second = run(alerts, "alerts_by_group", ScalarQueryParameter("first", "DATE", date(2026, 3, 2)))
    assert (first["program"], first["hosts"], first["alerts"], first["low"]) == ("courier", 3, 3, 1)
    assert (first["day"], first["more_than_shown"], first["group_id"]) == (date(2026, 3, 20), True, "g1")
    assert (second["program"], second["hosts"], second["more_than_shown"]) == ("pigeon", 1, False)


def test_the_noisiest_program_comes_first(alerts: BigQuery) -> None:
    first, second = run(alerts, "noisy_programs", FIRST)
    assert (first["program"], first["alerts"], first["hosts"], first["days"]) == ("courier", 4, 3, 2)
    assert (second["program"], second["alerts"]) == ("pigeon", 1)


def test_the_most_urgent_case_with_an_alert_since_the_day_comes_first(alerts: BigQuery) -> None:
    first, second = run(alerts, "cases", FIRST)
    assert (first["program"], first["alerts"], first["hosts"], first["case_id"]) == ("courier", 4, 3, "a4")
    assert (first["more_than_shown"], first["open_first"]) == (True, "a1")
    assert (second["program"], second["alerts"]) == ("pigeon", 1)
    (only,) = run(alerts, "cases", ScalarQueryParameter("first", "DATE", date(2026, 3, 21)))
    assert only["program"] == "pigeon"


def test_coverage_counts_each_day_once_whichever_runs_read_it(tables: BigQuery) -> None:
    def summary(key: str, *days: tuple[str, int]) -> Record:
        covered = [{"tenant_id": tenant, "day": f"2026-03-{day:02}", "events": 10} for tenant, day in days]
        return {"run_key": key, "first_day": "2026-03-01", "coverage": covered, "content_digest": key}

    acme = [("acme", day) for day in range(1, 15)]
    insert(tables, "summaries", summary("month", *acme, ("new", 14)), summary("day", ("acme", 14), ("acme", 15)))
    new, old = run(tables, "coverage", ScalarQueryParameter("day", "DATE", date(2026, 3, 15)))
    assert (new["tenant_id"], new["coverage_days"], new["active"]) == ("new", 1, False)
    assert (old["tenant_id"], old["coverage_days"], old["active"], old["events"]) == ("acme", 14, True, 140)


def test_dead_letters_are_counted_by_reason_with_the_newest_as_example(tables: BigQuery) -> None:
    def letter(number: int, reason: str, day: int) -> Record:
        found = {"found_at": f"2026-03-{day:02}T00:00:00Z", "reason": reason, "content_digest": str(number)}
        return found | {"source": f"s{number}", "record": number, "detail": "why"}

    days = enumerate(((20, "malformed"), (21, "malformed"), (22, "bad_timestamp")))
    insert(tables, "dead_letters", *(letter(number, reason, day) for number, (day, reason) in days))
    first, second = run(tables, "dead_letters_by_reason", FIRST)
    assert (first["reason"], first["records"], first["sources"]) == ("malformed", 2, 2)
    assert first["example"] == {"source": "s1", "record": 1, "detail": "why"}
    assert (second["reason"], second["records"]) == ("bad_timestamp", 1)


def test_there_is_no_example_query_without_a_test() -> None:
    tested = {"alerts_by_group", "cases", "noisy_programs", "coverage", "dead_letters_by_reason"}
    assert {path.stem for path in QUERIES.glob("*.sql")} == tested
