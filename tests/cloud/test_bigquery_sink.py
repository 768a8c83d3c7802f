"""Backfills to BigQuery: on `local-bigquery`, over HTTP, by the command itself on Beam's in-process engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cloud.bigquery import BigQuery
from tests.cloud.proxy import DOWN, Answer, Proxy, Rule
from tests.cloud.tables import everything, rows_of, said
from tests.organisations import random_organisation
from tests.running import Record, read_rows, write_lines, write_parquet
from uncommon_im.pipeline.bigquery.tables import Dataset
from uncommon_im.pipeline.cli.main import main
from uncommon_im.schemas.bigquery.tables import TABLES

pytestmark = pytest.mark.cloud

DAY_20 = ("--start", "2026-03-20", "--end", "2026-03-21")
DAY_21 = ("--start", "2026-03-21", "--end", "2026-03-22")


def backfill(to: BigQuery, events: Path | str, *options: str) -> int:
    limits = ("--activation-days", "0", "--verdicts")
    return main(["backfill", "--input", str(events), "--bigquery-output", to.dataset, *to.options, *limits, *options])


def event(host: str, day: int, program: str = "courier.exe") -> Record:
    """A communication of an afternoon in March."""
    when = f"2026-03-{day:02}T14:00:00Z"
    return {"event_time": when, "host_id": host, "process_name": program, "remote_host": "api.telegram.org"}


def who(to: BigQuery) -> set[tuple[str, str, str]]:
    """(tenant, host, day) of all alerts."""
    return {(row["tenant_id"], row["host"]["id"], row["timestamp"][:10]) for row in rows_of(to, "alerts")}


def test_tables_hold_what_files_do_and_a_second_run_changes_nothing(tables: BigQuery, tmp_path: Path) -> None:
    organisation, output = random_organisation(3), str(tmp_path / "run")
    events = tmp_path / "events.jsonl"
    twice = [{"host_id": "pc", "event_time": "never"}] * 2
    write_lines(events, organisation.records + twice)
    assert backfill(tables, events, "--output", output, "--start", "2026-03-12") == 0
    first = everything(tables)
    alerts, verdicts = read_rows(output, "alerts"), read_rows(output, "verdicts")
    assert len(alerts) > 50
    assert said(first["alerts"]) == said(alerts)
    assert said(first["dead_letters"]) == said(read_rows(output, "dead_letter"))
    training = [row for row in verdicts if row["verdict"] == "training"]
    assert training
    assert said(first["verdicts"]) == said([row for row in verdicts if row not in training])
    (summary,) = first["summaries"]
    counted = json.loads(Path(output, "summary.json").read_text())
    assert (summary["verdicts"], summary["alerts"]) == (counted["verdicts"], counted["alerts"])
    assert {each["reason"]: each["records"] for each in summary["events"]["dead_letter"]} == counted["events"][
        "dead_letter"
    ]
    assert backfill(tables, events, "--start", "2026-03-12") == 0
    assert everything(tables) == first


def test_from_a_table_of_bigquery_it_finds_what_it_found_in_files_and_writes_no_row_again(
    tables: BigQuery, tmp_path: Path
) -> None:
    write_parquet(tmp_path / "events.parquet", random_organisation(3).records)
    assert backfill(tables, tmp_path / "events.parquet") == 0
    found = {name: rows_of(tables, name) for name in ("alerts", "verdicts")}
    assert len(found["alerts"]) > 50
    events = tables.load("events", pq.read_table(tmp_path / "events.parquet"))
    for _ in range(2):
        assert backfill(tables, f"bigquery://{events}") == 0
        assert {name: rows_of(tables, name) for name in found} == found
    assert len(rows_of(tables, "summaries")) == 2, "one of the run over files, one of the run over the table"


def test_a_rerun_after_late_files_takes_back_what_they_revoke_of_its_days_and_tenants_only(
    tables: BigQuery, tmp_path: Path
) -> None:
    lake, others = tmp_path / "lake", tmp_path / "others"
    for folder in (lake, others):
        folder.mkdir()
        write_lines(folder / "day-20.jsonl", [event("pc1", 20), {"host_id": folder.name}])
    write_lines(lake / "day-21.jsonl", [event("pc9", 21, "pigeon.exe"), event("pc8", 21)])
    assert backfill(tables, lake / "*.jsonl", *DAY_20) == 0
    assert backfill(tables, lake / "*.jsonl", *DAY_21) == 0
    assert backfill(tables, others / "*.jsonl", *DAY_20, "--tenant", "acme") == 0
    rest = {("default", "pc9", "2026-03-21"), ("default", "pc8", "2026-03-21"), ("acme", "pc1", "2026-03-20")}
    assert who(tables) == {("default", "pc1", "2026-03-20")} | rest
    others_letters = [row for row in rows_of(tables, "dead_letters") if "others" in row["source"]]
    write_lines(lake / "late.jsonl", [event(f"pc{number}", 10) for number in range(2, 7)])
    write_lines(lake / "day-20.jsonl", [event("pc1", 20)])  # the bad record is mended
    assert backfill(tables, lake / "*.jsonl", *DAY_20) == 0
    assert who(tables) == rest
    verdict = {row["tenant"]: row["verdict"] for row in rows_of(tables, "verdicts") if row["hour_start"] < "2026-03-21"}
    assert verdict == {"default": "common_in_organisation", "acme": "alert"}
    letters = rows_of(tables, "dead_letters")
    assert [row for row in letters if "others" in row["source"]] == others_letters
    assert len([row for row in letters if "lake" in row["source"]]) == 1, "that of the run of the 21st is its own"
    alerts = [(row["first_day"], row["alerts"]["base"]) for row in rows_of(tables, "summaries")]
    assert sorted(alerts) == [("2026-03-20", 0), ("2026-03-20", 1), ("2026-03-21", 2)]
    assert backfill(tables, lake / "*.jsonl", *DAY_21) == 0
    assert who(tables) == rest - {("default", "pc8", "2026-03-21")}


def test_a_backfill_replaces_what_a_stream_said_of_its_days(tables: BigQuery, tmp_path: Path) -> None:
    write_lines(tmp_path / "events.jsonl", [event("pc1", 20)])
    assert backfill(tables, tmp_path / "events.jsonl") == 0
    judged, dataset = everything(tables), Dataset(tables.access, tables.dataset)
    of_stream = [{**row, "copy": None, "run_id": "stream"} for row in judged["verdicts"]]
    revoked = {"hour_start": "2026-03-20T15:00:00Z", "tenant": "default", "service": "slack", "content_digest": "old"}
    for table, rows in (("verdicts", [*of_stream, *of_stream, revoked]), ("alerts", judged["alerts"])):
        ids = [f"{table}{number}" for number in range(len(rows))]
        assert tables.client.insert_rows_json(dataset.path(TABLES[table]), rows, row_ids=ids) == []
    assert backfill(tables, tmp_path / "events.jsonl") == 0
    assert rows_of(tables, "verdicts") == judged["verdicts"]
    assert rows_of(tables, "alerts") == judged["alerts"] * 2, "the same alert, which the view has once"


def test_an_outage_before_and_between_loads_and_merges_is_waited_for_and_said(
    tables: BigQuery, shaky: Proxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_lines(tmp_path / "events.jsonl", [event("pc1", 20), {"host_id": "pc1"}])
    shaky.rule = _flickering()
    assert backfill(tables, tmp_path / "events.jsonl") == 0
    assert {name: len(rows) for name, rows in everything(tables).items()} == dict.fromkeys(everything(tables), 1)
    for reason in ("ConnectionError", "HTTP 503"):
        assert f"BigQuery does not answer (try 1, 0 s after the first): {reason}" in caplog.messages


def test_a_minute_without_bigquery_in_the_middle_of_the_merges_is_waited_for_and_said(
    tables: BigQuery, shaky: Proxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_lines(tmp_path / "events.jsonl", [event("pc1", 20), {"host_id": "pc1"}])

    def rule(method: str, path: str, body: bytes) -> float | None:
        if b"MERGE" not in body or b".verdicts`" not in body:
            return None
        shaky.down_for(60)
        return DOWN

    shaky.rule = rule
    assert backfill(tables, tmp_path / "events.jsonl") == 0
    assert {name: len(rows) for name, rows in everything(tables).items()} == dict.fromkeys(everything(tables), 1)
    assert len([line for line in caplog.messages if line.startswith("BigQuery does not answer (try ")]) > 3
    waited = [int(line.split()[-2]) for line in caplog.messages if line.startswith("BigQuery answers again, after ")]
    assert max(waited) >= 60


def _flickering() -> Rule:
    """Every third request finds nobody, or a server that is overloaded."""
    seen: list[str] = []

    def rule(method: str, path: str, body: bytes) -> Answer | float | None:
        seen.append(path)
        return (DOWN, None, None, (503, b""), None, None)[len(seen) % 6]

    return rule


def test_a_run_whose_rows_cannot_be_loaded_changes_nothing_and_leaves_no_staging_table(
    tables: BigQuery, shaky: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(tmp_path / "events.jsonl", [event("pc1", 20)])
    assert backfill(tables, tmp_path / "events.jsonl") == 0
    before = everything(tables)
    write_lines(tmp_path / "events.jsonl", [event("pc1", 20), event("pc2", 20)])
    denied = denial("no bigquery.tables.updateData")
    shaky.rule = lambda method, path, body: denied if "/upload/" in path and b"alerts" in body else None
    capsys.readouterr()
    assert backfill(tables, tmp_path / "events.jsonl", "--output", str(tmp_path / "run")) == 1
    assert last_line(capsys) == (
        f"uncommon-im: the run failed: BigQuery: loading rows for {tables.dataset}.alerts: Access Denied: no "
        "bigquery.tables.updateData; no table has been changed: run the same command again (--verbose shows all)"
    )
    assert everything(tables) == before
    assert not (tmp_path / "run" / "summary.json").exists()
    assert not [table.table_id for table in tables.client.list_tables(tables.dataset) if "staging" in table.table_id]


def test_a_merge_that_takes_too_long_says_how_far_the_run_came_and_a_rerun_mends_it(
    tables: BigQuery, shaky: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(tmp_path / "events.jsonl", [event("pc1", 20), {"host_id": "pc1"}])
    shaky.rule = lambda method, path, body: 90.0 if b"MERGE" in body and b".alerts`" in body else None
    assert backfill(tables, tmp_path / "events.jsonl", "--bigquery-timeout", "20") == 1
    line = last_line(capsys)
    assert f"BigQuery: the MERGE into {tables.dataset}.alerts: " in line
    assert "dead_letters and verdicts are already those of this run: run the same command again" in line
    assert {name: len(rows) for name, rows in everything(tables).items()} == {
        "dead_letters": 1,
        "verdicts": 1,
        "alerts": 0,
        "summaries": 0,
    }
    shaky.rule = lambda *_: None
    assert backfill(tables, tmp_path / "events.jsonl") == 0
    assert all(len(rows) == 1 for rows in everything(tables).values())


def denial(what: str) -> Answer:
    """As BigQuery says that somebody may not."""
    said = {"message": f"Access Denied: {what}", "domain": "global", "reason": "accessDenied"}
    return 403, json.dumps({"error": {"code": 403, "message": said["message"], "errors": [said]}}).encode()


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DROP TABLE `{}.alerts`"], "{}.alerts: there is no such table: `uncommon-im schema bigquery --dataset {} "),
        (["ALTER TABLE `{}.alerts` DROP COLUMN late"], "is of an older version and lacks late: `uncommon-im schema"),
        (
            ["DROP TABLE `{}.alerts`", "CREATE TABLE `{}.alerts` (alert_id INT64)"],
            "alert_id is INTEGER and should be STRING: give another dataset",
        ),
    ],
)
def test_tables_that_are_not_as_they_should_be_are_refused_before_anything_is_read(
    tables: BigQuery, tmp_path: Path, statements: Sequence[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(tmp_path / "events.jsonl", [event("pc1", 20)])
    for statement in statements:
        tables.query(statement.format(tables.dataset))
    assert backfill(tables, tmp_path / "events.jsonl") == 2
    assert said.format(tables.dataset, tables.dataset) in capsys.readouterr().err


def test_a_dataset_that_is_not_there_or_not_permitted_is_refused_with_what_to_do(
    tables: BigQuery, shaky: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(tmp_path / "events.jsonl", [event("pc1", 20)])
    denied = denial("Dataset d")
    shaky.rule = lambda *_: denied
    assert backfill(tables, tmp_path / "events.jsonl") == 2
    assert "not permitted: Access Denied: Dataset d: it takes bigquery.dataEditor" in last_line(capsys)
    shaky.rule = lambda *_: None
    assert backfill(tables, tmp_path / "events.jsonl", "--bigquery-output", "test-project.nowhere") == 2
    assert "there is no such dataset: `bq mk --dataset test-project:nowhere` makes it" in last_line(capsys)
    assert backfill(tables, tmp_path / "events.jsonl", "--bigquery-output", "nowhere") == 2
    assert "argument --bigquery-output: expected PROJECT.DATASET" in last_line(capsys)


def test_workers_elsewhere_need_a_place_that_they_share_to_stage_rows(
    tables: BigQuery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(tmp_path / "events.jsonl", [event("pc1", 20)])
    assert backfill(tables, tmp_path / "events.jsonl", "--runner=PrismRunner") == 2
    assert "--bigquery-output with --runner needs --temp_location: a gs:// folder" in last_line(capsys)


def test_a_dry_run_says_which_tables_it_would_merge_into_and_leaves_them(
    tables: BigQuery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(tmp_path / "events.jsonl", [event("pc1", 20)])
    assert backfill(tables, tmp_path / "events.jsonl", "--dry-run") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"would merge into {tables.dataset}.{{alerts,dead_letters,verdicts,summaries}}"
    assert not any(everything(tables).values())
