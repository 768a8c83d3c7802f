"""The tables' schemas: the fields are those of the files, and those of the rows. No engine, no emulator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from google.cloud.bigquery import SchemaField

from tests.organisations import random_organisation
from tests.running import Found, configuration_of, run_records
from uncommon_im.schemas.bigquery import tables
from uncommon_im.schemas.bigquery.tables import TABLES, Table
from uncommon_im.schemas.detector import VARIATION_IDS, VERDICT_IDS
from uncommon_im.transforms.rules.alerts.table_rows import (
    Row,
    alert_row,
    dead_letter_row,
    run_key,
    scope_of,
    summary_of_row,
    summary_row,
    verdict_row,
)
from uncommon_im.transforms.rules.events.tally import READ, UNKNOWN_SIGNATURES, Tally, summary_of

TABLE = pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
PYTHON = {"STRING": str, "INTEGER": int, "BOOLEAN": bool, "DATE": str, "TIMESTAMP": str, "RECORD": dict}


@pytest.fixture(scope="module")
def found() -> Found:
    """What a run finds in an organisation with everything in it, and of a process whose start tells its digest."""
    organisation = random_organisation(3)
    told = {"process_name": "odd.exe", "process_sha256": "ab" * 32, "remote_host": "api.telegram.org"}
    started = told | {"host_id": "pc", "event_type": "process", "process_guid": "g-1", "event_id": "start"}
    records = [
        *organisation.records,
        started | {"event_time": "2026-04-15T09:00:00Z"},
        {name: value for name, value in started.items() if name not in ("event_type", "event_id", *told)}
        | {"remote_host": told["remote_host"], "event_time": "2026-04-15T10:00:00Z"},
    ]
    return run_records(records, configuration_of(organisation.options))


def check(row: Row, fields: tuple[SchemaField, ...], where: str = "") -> set[str]:
    """The paths of a row; fails where it is not what the fields say."""
    names = {field.name for field in fields}
    assert set(row) <= names, f"{where}: no column for {set(row) - names}"
    paths = set()
    for field in fields:
        path = f"{where}{field.name}"
        value = row.get(field.name)
        assert value is not None or field.mode != "REQUIRED", path
        for each in value or [] if field.mode == "REPEATED" else [value]:
            if each is None:
                continue
            assert type(each) is PYTHON[field.field_type], f"{path}: {each!r}"
            paths |= {path} | (check(each, field.fields, f"{path}.") if field.fields else set())
    return paths


def names_of(row: Row, prefix: str = "") -> set[str]:
    """The paths of a row, with and without values."""
    listed = {name: value if isinstance(value, list) else [value] for name, value in row.items()}
    inner = (names_of(each, f"{prefix}{name}.") for name, values in listed.items() for each in values if is_row(each))
    return {f"{prefix}{name}" for name in row}.union(*inner)


def is_row(value: object) -> bool:
    return isinstance(value, dict)


def paths_of(fields: tuple[SchemaField, ...], prefix: str = "") -> set[str]:
    inner = (paths_of(field.fields, f"{prefix}{field.name}.") for field in fields)
    return {f"{prefix}{field.name}" for field in fields}.union(*inner)


@TABLE
def test_the_fields_say_all_that_the_json_files_say(table: Table) -> None:
    path = Path(tables.__file__).with_name(f"{table.name}.json")
    assert json.loads(path.read_text()) == [field.to_api_repr() for field in table.fields]


def test_the_variations_are_named() -> None:
    (variation,) = (field for field in TABLES["alerts"].fields if field.name == "variation")
    assert variation.description == f"What decided: one of {', '.join(VARIATION_IDS)}"


@TABLE
def test_partition_clustering_and_key_are_columns_that_bigquery_takes_for_them(table: Table) -> None:
    by_name = {field.name: field for field in table.fields}
    assert by_name[table.partition].field_type in ("TIMESTAMP", "DATE")
    assert 1 <= len(table.clustering) <= 4
    for name in (*table.clustering, *table.key):
        assert by_name[name].mode != "REPEATED"
        assert by_name[name].field_type in ("STRING", "INTEGER")


@TABLE
def test_every_column_is_described_and_none_is_named_twice(table: Table) -> None:
    def check_described(fields: tuple[SchemaField, ...]) -> None:
        assert len({field.name.lower() for field in fields}) == len(fields)
        for field in fields:
            assert field.description
            assert bool(field.fields) == (field.field_type == "RECORD")
            check_described(field.fields)

    check_described(table.fields)


def test_every_alert_is_a_row_of_its_table_and_its_table_has_no_other_columns(found: Found) -> None:
    fields = TABLES["alerts"].fields
    rows = [alert_row(alert) for alert in found.alerts]
    for row in rows:
        check(row, fields)
    assert set().union(*(names_of(row) for row in rows)) == paths_of(fields)


def test_every_verdict_is_a_row_of_its_table(found: Found) -> None:
    fields = TABLES["verdicts"].fields
    seen = set().union(*(check(verdict_row(row, "run"), fields) for row in found.verdicts))
    assert seen == paths_of(fields) - {"copy"}


def test_every_dead_letter_is_a_row_of_its_table(found: Found) -> None:
    fields = TABLES["dead_letters"].fields
    rows = [dead_letter_row(row, "run", "key", "2026-03-20T00:00:00.000000Z") for row in found.dead_letters]
    assert set().union(*(check(row, fields) for row in rows)) == paths_of(fields) - {"copy"}


def test_every_summary_is_a_row_of_its_table_and_comes_back_from_it() -> None:
    tally = Tally({READ: 3, UNKNOWN_SIGNATURES: 1, ("events", "dead_letter", "malformed"): 2, ("verdicts", "alert"): 1})
    coverage = {("t", 20_000): 5, ("t", 20_001): 6}
    scope = scope_of(coverage, None, None)
    names = {"run_id": "run", "run_key": run_key(None, None, ["x"], "t"), "config_digest": "d"}
    row = summary_row(summary_of(tally), ["x"], scope, coverage, **names)
    assert check(row, TABLES["summaries"].fields) == paths_of(TABLES["summaries"].fields)
    assert summary_of_row(row) == summary_of(tally)
    (verdicts,) = (field for field in TABLES["summaries"].fields if field.name == "verdicts")
    assert tuple(field.name for field in verdicts.fields) == VERDICT_IDS


def test_the_ddl_names_types_partition_and_clustering_as_sql_does() -> None:
    ddl = TABLES["alerts"].ddl("p.d")
    assert ddl.startswith("CREATE TABLE IF NOT EXISTS `p.d.alerts` (\n  `alert_id` STRING NOT NULL OPTIONS (")
    assert "\n  `matched_variations` ARRAY<STRING> OPTIONS" in ddl
    assert "`own_client` BOOL OPTIONS" in ddl
    assert "`process` STRUCT<`name` STRING OPTIONS (description = 'Base name of its image'), " in ddl
    assert "PARTITION BY TIMESTAMP_TRUNC(`timestamp`, DAY)\nCLUSTER BY `tenant_id`, `service_id`\n" in ddl
    assert "\nPARTITION BY `first_day`\n" in TABLES["summaries"].ddl("p.d")
    assert "`coverage` ARRAY<STRUCT<`tenant_id` STRING" in TABLES["summaries"].ddl("p.d")


def test_a_row_has_another_digest_iff_it_says_something_else_than_who_wrote_it(found: Found) -> None:
    alert, verdict = found.alerts[0], found.verdicts[0]
    same = [alert_row(alert), alert_row(alert | {"run_id": "another"})]
    assert len({row["content_digest"] for row in same}) == 1
    others = [alert_row(alert), alert_row(alert | {"late": True}), verdict_row(verdict, "run")]
    others.append(verdict_row(verdict | {"verdict": "other"}, "run"))
    assert len({row["content_digest"] for row in others}) == 4
