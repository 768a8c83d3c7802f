"""BigQuery as a source, on `local-bigquery` over HTTP and gRPC, with Beam's in-process engine (`FnApiRunner`)."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.cloud.bigquery import BigQuery
from tests.objects import FEW, MANY, most_objects, telemetry
from tests.oracle import Options
from tests.organisations import random_organisation
from tests.running import Found, Record, arrow_of, configuration_of, read_rows, run_backfill, run_inputs, write_parquet
from uncommon_im.pipeline.bigquery.options import TABLE_SCHEME
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.sources.bigquery.tables import InputTable, find_tables
from uncommon_im.transforms.rules.events import tally

pytestmark = pytest.mark.cloud


EVENT: Record = {
    "event_time": "2026-04-20T10:00:00Z",
    "event_id": "e",
    "host_id": "h1",
    "os": "windows",
    "process_name": "courier.exe",
    "remote_host": "api.telegram.org",
}
NEEDED = ("event_time", "host_id", "process_name", "remote_host")


def tables_of(bigquery: BigQuery, configuration: Configuration, *paths: str, query: str = "") -> list[InputTable]:
    named = [f"{TABLE_SCHEME}{path}" for path in paths]
    queries = [query] if query else []
    return find_tables(named, queries, bigquery.access, configuration.needed, run_id=uuid.uuid4().hex)


def from_files(records: Sequence[Record], configuration: Configuration, folder: Path) -> Found:
    write_parquet(folder / "events.parquet", records)
    return run_backfill([str(folder / "events.parquet")], configuration)


def letters(found: Found) -> Counter[tuple[str, ...]]:
    """Dead letters without the place that each came from."""
    return Counter(tuple(letter[name] for name in ("reason", "detail", "raw")) for letter in found.dead_letters)


def check_same(found: Found, expected: Found, story: str = "") -> None:
    assert found.facts == expected.facts, story
    assert found.verdict_rows == expected.verdict_rows, story
    assert letters(found) == letters(expected), story
    assert found.summary == expected.summary, story


def within(records: Sequence[Record], configuration: Configuration) -> list[Record]:
    """The records of the days that a run needs, and those without a time."""
    first, end = configuration.needed.start, configuration.needed.end
    times = arrow_of(records).column("event_time").cast(pa.int64()).to_pylist()
    return [
        record
        for record, time in zip(records, times, strict=True)
        if time is None or ((first is None or time >= first) and (end is None or time < end))
    ]


@pytest.mark.parametrize("seed", range(4))
def test_a_table_gives_what_files_of_its_rows_give(seed: int, bigquery: BigQuery, tmp_path: Path) -> None:
    organisation = random_organisation(seed)
    configuration = configuration_of(organisation.options)
    records = [*organisation.records, *({k: v for k, v in EVENT.items() if k != name} for name in NEEDED)]
    expected = from_files(within(records, configuration), configuration, tmp_path)
    assert expected.alerts
    assert expected.summary["events"]["dead_letter"].keys() >= {f"missing_field:{name}" for name in NEEDED}
    path = bigquery.load("events", arrow_of(records))
    found = run_inputs(tables_of(bigquery, configuration, path), configuration)
    check_same(found, expected, organisation.story)
    assert {letter["source"] for letter in found.dead_letters} == {f"{TABLE_SCHEME}{path}#1"}
    assert all(1 <= letter["record"] <= len(records) for letter in found.dead_letters)


def test_a_view_and_a_query_give_what_their_table_gives(bigquery: BigQuery, tmp_path: Path) -> None:
    organisation = random_organisation(4)
    assert organisation.options.start is None
    configuration = configuration_of(organisation.options)
    expected = from_files(organisation.records, configuration, tmp_path)
    path = bigquery.load("raw", arrow_of(organisation.records).rename_columns({"host_id": "agent"}))
    select = f"SELECT * EXCEPT (agent), agent AS host_id FROM `{path}`"
    bigquery.query(f"CREATE VIEW `{bigquery.dataset}.events` AS {select}")
    check_same(run_inputs(tables_of(bigquery, configuration, f"{bigquery.dataset}.events"), configuration), expected)
    query = f"{select} -- all of them\n;"
    check_same(run_inputs(tables_of(bigquery, configuration, query=query), configuration), expected)


def test_a_retried_step_finds_the_query_that_has_run(bigquery: BigQuery) -> None:
    path = bigquery.load("events", arrow_of([EVENT]))
    (table,) = tables_of(bigquery, configuration_of(Options()), query=f"SELECT * FROM `{path}`")
    configuration = configuration_of(Options())
    first = run_inputs([table], configuration)
    bigquery.query(f"INSERT INTO `{path}` SELECT * FROM `{path}`")
    again = run_inputs([table], configuration)
    assert first.summary["events"]["read"] == again.summary["events"]["read"] == 1


def test_streams_are_shared_by_processes_and_each_row_is_read_once(bigquery: BigQuery) -> None:
    events = telemetry(MANY)  # the emulator makes a stream of each 100,000
    place = events.column_names.index("host_id")
    lost = pa.array(np.arange(MANY) % 40_000 == 0)
    hosts = pc.if_else(lost, pa.scalar(None, pa.string()), events.column("host_id"))
    path = bigquery.load("events", events.set_column(place, "host_id", hosts))
    configuration = configuration_of(Options(activation_days=0))
    inputs = tables_of(bigquery, configuration, path)
    for workers in (1, 2):
        found = run_inputs(inputs, configuration, workers=workers)
        assert found.summary["events"] == {
            "read": MANY,
            "valid": MANY - 4,
            "out_of_range": 0,
            "dead_letter": {"missing_field:host_id": 4},
        }
        numbers = {int(json.loads(letter["raw"])["event_id"]): letter for letter in found.dead_letters}
        assert sorted(numbers) == [0, 40_000, 80_000, 120_000]
        assert {letter["source"] for letter in numbers.values()} == {f"{TABLE_SCHEME}{path}#{n}" for n in (1, 2)}


def test_more_rows_are_no_more_python_objects(bigquery: BigQuery) -> None:
    configuration = configuration_of(Options())
    most, more = {}, 2 * FEW  # the emulator takes minutes to load more
    for rows in (FEW, more):
        tables = tables_of(bigquery, configuration, bigquery.load(f"t{rows}", telemetry(rows)))
        most[rows], counted = most_objects(tables, configuration)
        assert counted[tally.VALID] == rows
    assert most[more] - most[FEW] < (more - FEW) / 10


def test_only_the_days_that_a_run_needs_are_read_and_rows_without_a_time(bigquery: BigQuery) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    days = [-31, -30, -1, 0, 1, 2]
    records: list[Record] = [EVENT | {"event_time": (start + timedelta(days=day)).isoformat()} for day in days]
    path = bigquery.load("events", arrow_of([*records, {k: v for k, v in EVENT.items() if k != "event_time"}]))
    configuration = configuration_of(Options(start=date(2026, 3, 1), end=date(2026, 3, 3)))
    found = run_inputs(tables_of(bigquery, configuration, path), configuration)
    assert found.summary["events"] == {
        "read": 5,
        "valid": 4,
        "out_of_range": 0,
        "dead_letter": {"missing_field:event_time": 1},
    }


@pytest.mark.parametrize("kind", ["DATETIME", "INT64", "STRING"])
def test_times_of_other_types_are_read_like_timestamps(kind: str, bigquery: BigQuery, tmp_path: Path) -> None:
    organisation = random_organisation(5)
    assert organisation.options.start is not None
    configuration = configuration_of(organisation.options)
    records = [
        record | {"event_time": milliseconds}  # INT64 tells no more
        for record in within(organisation.records, configuration)
        if (milliseconds := value_ms(record)) > 0
    ]
    expected = from_files(records, configuration, tmp_path)
    path = bigquery.load("events", arrow_of(records))
    time = {
        "DATETIME": "DATETIME(event_time)",
        "INT64": "UNIX_MILLIS(event_time)",
        "STRING": "FORMAT_TIMESTAMP('%FT%H:%M:%E6SZ', event_time)",
    }[kind]
    made = f"{bigquery.dataset}.converted"
    bigquery.query(f"CREATE TABLE `{made}` AS SELECT * EXCEPT (event_time), {time} AS event_time FROM `{path}`")
    found = run_inputs(tables_of(bigquery, configuration, made), configuration)
    assert {alert["alert_id"] for alert in found.alerts} == {alert["alert_id"] for alert in expected.alerts}
    assert found.summary["verdicts"] == expected.summary["verdicts"]


def value_ms(record: Record) -> int:
    """The time of a record in whole milliseconds; 0 or less if it has none."""
    (micros,) = arrow_of([record]).column("event_time").cast(pa.int64()).to_pylist()
    return (micros or 0) // 1000


def test_the_command_says_what_it_would_read_and_reads_it(
    bigquery: BigQuery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = arrow_of([EVENT]).append_column("other", pa.array(["x"]))
    path = f"{TABLE_SCHEME}{bigquery.load('events', table)}"
    command = ["backfill", "--input", path, "--output", str(tmp_path / "run"), "--activation-days", "0"]
    command += ["--start", "2026-04-20", "--end", "2026-04-21", *bigquery.options]
    assert main([*command, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"would read {path}: about 1 rows, " in said
    assert "columns event_id, event_time, " in said
    assert "other" not in said.splitlines()[0]
    assert "event_time >= TIMESTAMP '2026-03-21 00:00:00+00:00'" in said
    assert not (tmp_path / "run").exists()
    assert main(command) == 0
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["verdicts"]["alert"] == 1


def test_files_and_tables_are_read_in_one_run(
    bigquery: BigQuery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_parquet(tmp_path / "events.parquet", [EVENT | {"host_id": "h2"}])
    path = f"{TABLE_SCHEME}{bigquery.load('events', arrow_of([EVENT]))}"
    query = f"SELECT * REPLACE ('h3' AS host_id) FROM `{path.removeprefix(TABLE_SCHEME)}`"
    command = ["backfill", "--input", str(tmp_path / "*.parquet"), "--input", path, "--input-query", query]
    command += ["--output", str(tmp_path / "run"), "--activation-days", "0", *bigquery.options]
    assert main([*command, "--dry-run"]) == 0
    files, table, queried, *_ = capsys.readouterr().out.splitlines()
    assert files.startswith("would read 1 files, ")
    assert table.startswith(f"would read {path}: about 1 rows, ")
    assert queried.startswith("would read input-query 1: the result of a query over ")
    assert main(command) == 0
    alerts = read_rows(str(tmp_path / "run"), "alerts")
    assert sorted(alert["host"]["id"] for alert in alerts) == ["h1", "h2", "h3"]


def test_with_a_snapshot_only_the_runs_own_days_are_read(bigquery: BigQuery, tmp_path: Path) -> None:
    records = [EVENT | {"event_time": f"2026-03-{day:02}T10:00:00Z", "event_id": f"e{day}"} for day in (1, 2, 3)]
    path = f"{TABLE_SCHEME}{bigquery.load('events', arrow_of(records))}"
    command = ["backfill", "--input", path, "--activation-days", "0", *bigquery.options]
    first = ["--end", "2026-03-03", "--baseline-out", str(tmp_path / "b"), "--output", str(tmp_path / "first")]
    second = ["--end", "2026-03-04", "--baseline-in", str(tmp_path / "b"), "--output", str(tmp_path / "second")]
    reads = []
    for name, options in (("first", first), ("second", second)):
        assert main([*command, *options]) == 0
        reads.append(json.loads((tmp_path / name / "summary.json").read_text())["events"]["read"])
    assert reads == [2, 1]


def refused(said: pytest.CaptureFixture[str]) -> str:
    """What the command said, in one line."""
    (line,) = said.readouterr().err.splitlines()
    return line


COLUMNS = {"event_time": "TIMESTAMP", "host_id": "STRING", "process_name": "STRING", "remote_host": "STRING"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"event_time": "DATE"}, "column event_time is DATE, expected TIMESTAMP or DATETIME or INT64 or STRING"),
        ({"host_id": "JSON"}, "column host_id is JSON, expected STRING or INT64"),
        ({"process_name": "ARRAY<STRING>"}, "column process_name is STRING REPEATED, expected STRING"),
        ({"remote_port": "NUMERIC"}, "column remote_port is NUMERIC, expected INT64"),
        ({"remote_host": "STRUCT<a STRING>"}, "column remote_host is STRUCT, expected STRING"),
        ({"host_id": ""}, "no column host_id, without which no row is an event"),
        ({"process_name": ""}, "no column process_name or process_path"),
    ],
)
def test_columns_that_can_hold_no_event_are_refused_before_anything_runs(
    changed: dict[str, str], said: str, bigquery: BigQuery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in (COLUMNS | changed).items() if kind)
    path = f"{bigquery.dataset}.events"
    bigquery.query(f"CREATE TABLE `{path}` ({columns})")
    command = ["backfill", "--input", f"{TABLE_SCHEME}{path}", "--output", str(tmp_path / "run"), *bigquery.options]
    assert main(command) == 2
    assert f"--input {TABLE_SCHEME}{path}: {said}" in refused(capsys)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--input", "bigquery://{dataset}.none"], "--input bigquery://{dataset}.none: there is no such table"),
        (["--input", "bigquery://events"], "--input bigquery://events: expected bigquery://PROJECT.DATASET.TABLE"),
        (["--input", "bigquery://p.d.events_{{date}}"], "of a table the needed days are read"),
        (["--input", "bigquery://p.d.a`b"], "expected bigquery://PROJECT.DATASET.TABLE"),
        (["--input-query", "SELECT FROM"], "--input-query 1: BigQuery does not take the query: "),
        (["--input-query", "SELECT 1 AS n"], "--input-query 1: no column event_time"),
        (["--input", "bigquery://p.d.t", "--require-marker", "_SUCCESS"], "--require-marker is for files"),
    ],
)
def test_what_is_no_table_and_no_query_is_said_in_a_line(
    options: list[str], said: str, bigquery: BigQuery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [option.format(dataset=bigquery.dataset) for option in options]
    assert main(["backfill", *given, "--output", str(tmp_path / "run"), *bigquery.options]) == 2
    assert said.format(dataset=bigquery.dataset) in refused(capsys)


def test_a_table_without_rows_is_a_run_without_events(bigquery: BigQuery, tmp_path: Path) -> None:
    path = bigquery.load("events", arrow_of([EVENT]).slice(0, 0))
    command = ["backfill", "--input", f"{TABLE_SCHEME}{path}", "--output", str(tmp_path / "run"), *bigquery.options]
    assert main(command) == 0
    summary: dict[str, Any] = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["events"]["read"] == 0
