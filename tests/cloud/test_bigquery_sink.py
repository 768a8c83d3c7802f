"""Backfills to BigQuery: on `local-bigquery`, over HTTP, by the command itself on Beam's in-process engine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import SchemaField

from pipeline.bigquery_tables import Dataset
from pipeline.main import main
from schemas.bigquery.tables import TABLES
from tests.cloud.bigquery import BigQuery
from tests.oracle import Options, detect
from tests.organisations import random_organisation
from tests.running import Record, read_rows, write_lines

pytestmark = pytest.mark.cloud

ADDED = ("content_digest", "copy", "service_id", "run_id", "run_key", "found_at", "hour_start")
"""Columns that rows have beside what files hold, or that name the run."""


@pytest.fixture
def tables(bigquery: BigQuery) -> BigQuery:
    """A dataset with the tables that runs write to."""
    Dataset(bigquery.access, bigquery.dataset).apply(bigquery.client)
    return bigquery


def backfill(to: BigQuery, events: Path, *options: str) -> int:
    return main(["backfill", "--input", str(events), "--bigquery-output", to.dataset, *to.options, *options])


def rows_of(to: BigQuery, table: str) -> list[Record]:
    """All rows of a table, in a fixed order, times and dates as the files write them."""
    return sorted((_plain(row) for row in to.query(f"SELECT * FROM `{to.dataset}.{table}`")), key=repr)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(value) if isinstance(value, date) else value


def said(rows: Sequence[Record]) -> Counter[str]:
    """Rows of files or tables without what only tables have; a missing value is a null one."""
    return Counter(json.dumps(_without_nulls(row, ADDED), sort_keys=True) for row in rows)


def _without_nulls(value: Any, leave: Sequence[str] = ()) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {name: _without_nulls(each) for name, each in value.items() if name not in leave}
    return {name: each for name, each in kept.items() if each not in (None, {})}


def everything(to: BigQuery) -> dict[str, list[Record]]:
    return {table: rows_of(to, table) for table in TABLES}


def test_tables_hold_what_files_do_and_a_second_run_changes_nothing(tables: BigQuery, tmp_path: Path) -> None:
    organisation = random_organisation(3)
    events, output = tmp_path / "events.jsonl", str(tmp_path / "run")
    bad = [{"host_id": "pc"}, {"host_id": "pc"}]
    write_lines(events, organisation.records + bad)
    assert backfill(tables, events, "--output", output, "--verdicts") == 0
    first = everything(tables)
    print({k: len(v) for k, v in first.items()})
    alerts, verdicts = read_rows(output, "alerts"), read_rows(output, "verdicts")
    assert said(first["alerts"]) == said(alerts)
    assert said(first["dead_letters"]) == said(read_rows(output, "dead_letter"))
    assert said(first["verdicts"]) == said([row for row in verdicts if row["verdict"] != "training"])
    assert backfill(tables, events, "--verdicts") == 0
    assert everything(tables) == first
