"""Streaming inserts: on `local-bigquery`, over HTTP; steps on Beam's in-process engine, the stream on its local one."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.cloud.bigquery import BigQuery
from tests.cloud.proxy import Answer, Proxy
from tests.cloud.queue import COUNTED, Queue, running, wait_for
from tests.cloud.tables import rows_of, said
from tests.running import read_rows
from uncommon_im.pipeline.bigquery.tables import BigQueryFailed, Dataset
from uncommon_im.pipeline.sinks.bigquery.insert_rows import InsertIntoBigQuery, TableName
from uncommon_im.pipeline.sources.queues.messages import MessagesToBlocks
from uncommon_im.pipeline.sources.queues.pubsub import ReadPubSub

pytestmark = pytest.mark.cloud


def insert(to: BigQuery, *rows: dict[str, Any], table: TableName = "alerts") -> None:
    """Inserts rows of a stream, all in one bundle."""
    sink = InsertIntoBigQuery(Dataset(to.access, to.dataset), table, "run")
    with beam.Pipeline(FnApiRunner()) as pipeline:
        _ = pipeline | beam.Create(rows, reshuffle=False) | sink


def alert(number: int, **more: Any) -> dict[str, Any]:
    when = "2026-03-20T14:00:00.000001Z"
    return {"alert_id": f"a{number}", "tenant_id": "t", "timestamp": when, "service": {"id": "slack"}} | more


def ids(to: BigQuery, table: str = "alerts") -> list[str]:
    return sorted(row["alert_id"] for row in rows_of(to, table))


@pytest.mark.parametrize("emulator", ["drongo"], indirect=True)
def test_a_stream_leaves_in_tables_what_it_leaves_in_files(queue: Queue, tables: BigQuery, tmp_path: Path) -> None:
    now = datetime.now(UTC) + timedelta(seconds=5)
    records = [
        {"event_time": now.isoformat(), "host_id": f"pc{number % 7}", "process_name": f"courier{number % 5}.exe"}
        | {"remote_host": ("api.telegram.org", "hooks.slack.com")[number % 2]}
        for number in range(60)
    ]
    messages = [json.dumps(record).encode() for record in records] + [b"{nope"]
    options = ("--output", str(tmp_path), "--bigquery-output", tables.dataset, *tables.options, "--verdicts")
    source = ReadPubSub(queue.subscription) | MessagesToBlocks()
    with running(queue, source, *options, "--activation-days", "0", "--lateness", "10"):
        queue.publish(*messages)
        wait_for(lambda: COUNTED["activities"] >= 35 and len(rows_of(tables, "verdicts")) == COUNTED["activities"])
        wait_for(lambda: len(rows_of(tables, "alerts")) == COUNTED["verdicts.alert"])
    alerts = read_rows(str(tmp_path), "alerts")
    assert len(alerts) > 5
    assert said(rows_of(tables, "alerts")) == said(alerts)
    assert said(rows_of(tables, "verdicts")) == said(read_rows(str(tmp_path), "verdicts"))
    assert said(rows_of(tables, "dead_letters")) == said(read_rows(str(tmp_path), "dead_letter"))
    assert len(rows_of(tables, "dead_letters")) == 1


def test_an_alert_that_comes_again_is_there_once_in_the_view_however_it_came(tables: BigQuery) -> None:
    insert(tables, alert(1), alert(2), alert(1))
    insert(tables, alert(1, run_id="another"))
    (first,) = (row for row in rows_of(tables, "alerts") if row["alert_id"] == "a2")
    again = {name: value for name, value in first.items() if value not in (None, [])}
    assert tables.client.insert_rows_json(f"{tables.dataset}.alerts", [again], row_ids=["forgotten"]) == []
    assert ids(tables).count("a2") == 2
    assert ids(tables, "alerts_latest") == ["a1", "a2"]


def test_equal_verdicts_and_dead_letters_are_as_many_as_there_are(tables: BigQuery) -> None:
    verdict = {"tenant": "t", "host": "pc", "program": "p", "service": "slack", "hour": 500_000, "verdict": "learning"}
    insert(tables, verdict, verdict, verdict | {"verdict": "training"}, table="verdicts")
    letter = {"reason": "malformed", "detail": "d", "source": "s", "record": 1, "raw": "{"}
    insert(tables, letter, letter, table="dead_letters")
    assert [row["verdict"] for row in rows_of(tables, "verdicts")] == ["learning"] * 2
    assert [row["raw"] for row in rows_of(tables, "dead_letters")] == ["{", "{"]


def test_rows_that_bigquery_refuses_become_dead_letters_with_its_words_and_cost_no_others(tables: BigQuery) -> None:
    insert(tables, *(alert(number) for number in range(3)), alert(3, late="perhaps"), alert(4, unknown="column"))
    assert ids(tables) == ["a0", "a1", "a2"]
    letters = rows_of(tables, "dead_letters")
    assert {letter["reason"] for letter in letters} == {"bigquery_refused"}
    assert {letter["source"] for letter in letters} == {f"{tables.dataset}.alerts"}
    raw = {json.loads(letter["raw"])["alert_id"]: letter["detail"] for letter in letters}
    assert set(raw) == {"a3", "a4"}
    assert "perhaps" in raw["a3"]
    assert raw["a4"] == "unknown: no such field: unknown."


def test_dead_letters_that_are_refused_too_fail_the_bundle_with_bigquerys_words(tables: BigQuery) -> None:
    tables.query(f"ALTER TABLE `{tables.dataset}.dead_letters` DROP COLUMN detail")
    with pytest.raises(BigQueryFailed, match=r"dead_letters refuses 1 rows, the first for .*detail"):
        insert(tables, alert(1, unknown="column"))


def test_a_minute_without_bigquery_loses_and_doubles_nothing_and_is_said(
    tables: BigQuery, shaky: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    shaky.down_for(60)
    insert(tables, *(alert(number) for number in range(1200)))
    assert Counter(ids(tables)) == Counter(f"a{number}" for number in range(1200))
    assert rows_of(tables, "dead_letters") == []
    assert f"{tables.dataset}.alerts: 500 rows are not inserted yet and sent again: " in caplog.text


def test_rows_that_are_refused_for_a_while_are_sent_again_without_the_others(tables: BigQuery, shaky: Proxy) -> None:
    bodies: list[Any] = []

    def rule(method: str, path: str, body: bytes) -> Answer | None:
        if not path.endswith("insertAll?prettyPrint=false"):
            return None
        bodies.append([row["insertId"] for row in json.loads(body)["rows"]])
        failed = {"index": 1, "errors": [{"reason": "backendError", "message": "try again"}]}
        return (200, json.dumps({"insertErrors": [failed]}).encode()) if len(bodies) == 1 else None

    shaky.rule = rule
    insert(tables, alert(0), alert(1), alert(2))
    assert bodies == [["a0", "a1", "a2"], ["a1"]]
    assert rows_of(tables, "dead_letters") == []


def test_of_a_request_that_is_refused_as_a_whole_only_the_rows_that_make_it_so_are_buried(
    tables: BigQuery, shaky: Proxy
) -> None:
    def rule(method: str, path: str, body: bytes) -> Answer | None:
        unreadable = path.endswith("insertAll?prettyPrint=false") and "/alerts/" in path and b"poison" in body
        return (400, b'{"error": {"code": 400, "message": "Invalid JSON payload"}}') if unreadable else None

    shaky.rule = rule
    poisoned = {7: {"user_name": "poison"}, 8: {"user_name": "poison"}, 99: {"user_name": "poison"}}
    insert(tables, *(alert(number, **poisoned.get(number, {})) for number in range(100)))
    assert Counter(ids(tables)) == Counter(f"a{number}" for number in range(100) if number not in poisoned)
    letters = rows_of(tables, "dead_letters")
    assert {json.loads(letter["raw"])["alert_id"] for letter in letters} == {f"a{number}" for number in poisoned}
    assert {letter["detail"].rpartition(": ")[2] for letter in letters} == {"Invalid JSON payload"}


def test_a_row_too_large_for_a_request_is_found_and_buried_cut(tables: BigQuery, shaky: Proxy) -> None:
    shaky.rule = lambda method, path, body: (413, b"Request Entity Too Large") if len(body) > 2_000_000 else None
    insert(tables, alert(0), alert(1, description="x" * 2_500_000), alert(2))
    assert ids(tables) == ["a0", "a2"]
    (letter,) = rows_of(tables, "dead_letters")
    assert "cut to 1,000,000 of 2,500," in letter["detail"]
    assert len(letter["raw"]) == 1_000_000


def test_a_table_that_is_gone_fails_the_bundle(tables: BigQuery) -> None:
    tables.query(f"DROP TABLE `{tables.dataset}.alerts`")
    with pytest.raises(Exception, match=r"Not found: Table"):
        insert(tables, alert(1))
