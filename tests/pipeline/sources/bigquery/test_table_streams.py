"""What BigQuery is asked for, and what is made of its errors: against servers of this process, over gRPC and HTTP.

The emulator neither breaks a stream, nor refuses anybody, nor reads a table as it was.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import grpc
import pyarrow as pa
import pytest
from google.cloud.bigquery import TableReference
from google.cloud.bigquery.retry import DEFAULT_RETRY
from google.cloud.bigquery_storage import types

from tests.oracle import Options
from tests.running import configuration_of
from uncommon_im.pipeline.bigquery.access import BigQueryAccess
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.sources.bigquery import streams as table_streams
from uncommon_im.pipeline.sources.bigquery.streams import TableStream, plan_streams, read_stream, session_request
from uncommon_im.pipeline.sources.bigquery.tables import InputTable, restriction_of
from uncommon_im.pipeline.storage.bad_files import UnreadableInput
from uncommon_im.transforms.rules.activities.scan import ScanRange

SCHEMA = pa.schema({"host_id": pa.string(), "remote_port": pa.int64()})
PARTS = [pa.record_batch([[f"h{part}-{row}" for row in range(3)], [part] * 3], schema=SCHEMA) for part in range(4)]
AT = datetime(2026, 3, 5, 12, 30, tzinfo=UTC)


def table_at(access: BigQueryAccess) -> InputTable:
    at = int(AT.timestamp()) * 1_000_000
    where = "event_time >= TIMESTAMP '2026-03-01 00:00:00+00:00'"
    return InputTable("bigquery://p.d.t", access, ("host_id", "remote_port"), where, 5, table="p.d.t", at=at)


class Server:
    """The Storage Read API as a table of four messages; `breaks` says how it fails, after how many messages."""

    def __init__(self, breaks: list[tuple[int, grpc.StatusCode, str]]) -> None:
        self.breaks = breaks
        self.asked: list[types.CreateReadSessionRequest] = []
        self.offsets: list[int] = []

    def create(self, request: types.CreateReadSessionRequest, context: grpc.ServicerContext) -> types.ReadSession:
        self.asked.append(request)
        if self.breaks:
            context.abort(*self.breaks.pop(0)[1:])
        schema = types.ArrowSchema(serialized_schema=SCHEMA.serialize().to_pybytes())
        return types.ReadSession(
            streams=[types.ReadStream(name="s/1"), types.ReadStream(name="s/2")], arrow_schema=schema
        )

    def read(self, request: types.ReadRowsRequest, context: grpc.ServicerContext) -> Iterator[types.ReadRowsResponse]:
        self.offsets.append(request.offset)
        end, *error = self.breaks.pop(0) if self.breaks else (len(PARTS),)
        for part in PARTS[request.offset // 3 : end]:
            batch = types.ArrowRecordBatch(serialized_record_batch=part.serialize().to_pybytes())
            yield types.ReadRowsResponse(arrow_record_batch=batch, row_count=part.num_rows)
        if error:
            context.abort(*error)


@contextmanager
def serving(*breaks: tuple[int, grpc.StatusCode, str]) -> Iterator[tuple[Server, InputTable]]:
    """A server, and a table there."""
    server = Server([*breaks])
    methods = {
        "CreateReadSession": grpc.unary_unary_rpc_method_handler(
            server.create, types.CreateReadSessionRequest.deserialize, types.ReadSession.serialize
        ),
        "ReadRows": grpc.unary_stream_rpc_method_handler(
            server.read, types.ReadRowsRequest.deserialize, types.ReadRowsResponse.serialize
        ),
    }
    name = "google.cloud.bigquery.storage.v1.BigQueryRead"
    running = grpc.server(ThreadPoolExecutor(2), [grpc.method_handlers_generic_handler(name, methods)])
    port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    try:
        yield server, table_at(BigQueryAccess("payer", "http://127.0.0.1:1", f"http://127.0.0.1:{port}"))
    finally:
        running.stop(None).wait()


def rows_of(table: InputTable, stream: TableStream) -> list[tuple[str, int, list[str]]]:
    """(source, first record, hosts) of the batches of a stream."""
    return [
        (rows.source, rows.first_record, rows.table.column("host_id").to_pylist())
        for rows in read_stream(table, stream)
    ]


ALL = [host for part in PARTS for host in part.column(0).to_pylist()]
STREAM = TableStream("s/1", 1, SCHEMA.serialize().to_pybytes())


def test_a_session_asks_for_columns_rows_and_a_moment_and_its_streams_are_planned() -> None:
    with serving() as (server, table):
        assert [(stream.name, stream.number) for stream in plan_streams(table)] == [("s/1", 1), ("s/2", 2)]
    (asked,) = server.asked
    assert asked.parent == "projects/payer"
    session = asked.read_session
    assert session.table == "projects/p/datasets/d/tables/t"
    assert session.data_format == types.DataFormat.ARROW
    assert list(session.read_options.selected_fields) == ["host_id", "remote_port"]
    assert session.read_options.row_restriction == table.restriction
    assert session.table_modifiers.snapshot_time.timestamp() == AT.timestamp()
    assert asked.max_stream_count == 0  # as many as BigQuery thinks right


def test_of_the_result_of_a_query_all_rows_are_read_as_they_are() -> None:
    query = InputTable("input-query 1", BigQueryAccess("payer"), ("host_id",), "event_time > x", 5, query="SELECT 1")
    session = session_request(query, TableReference.from_string("payer._anon.result")).read_session
    assert session.table == "projects/payer/datasets/_anon/tables/result"
    assert list(session.read_options.selected_fields) == ["host_id"]
    assert not session.read_options.row_restriction
    assert "snapshot_time" not in session.table_modifiers


def test_a_stream_that_breaks_goes_on_where_it_broke() -> None:
    lost = (grpc.StatusCode.UNAVAILABLE, "connection lost")
    with serving((2, *lost), (2, *lost), (3, *lost)) as (server, table):
        assert rows_of(table, STREAM) == [("bigquery://p.d.t#1", 1, ALL)]
    assert server.offsets == [0, 6, 6, 9]


def test_sessions_and_streams_wait_for_bigquery_and_say_so(caplog: pytest.LogCaptureFixture) -> None:
    away = (0, grpc.StatusCode.UNAVAILABLE, "away")
    with serving(away, away) as (_, table):
        assert len(list(plan_streams(table))) == 2
    with serving(away) as (_, table):
        assert rows_of(table, STREAM) == [("bigquery://p.d.t#1", 1, ALL)]
    assert caplog.messages == ["bigquery://p.d.t: BigQuery does not answer, another try follows: 503 away"] * 3


def test_a_stream_becomes_batches_that_know_their_first_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_streams, "BATCH_BYTES", PARTS[0].nbytes * 2)
    with serving() as (_, table):
        batches = rows_of(table, STREAM)
    assert len(batches) > 1
    assert [host for _, _, hosts in batches for host in hosts] == ALL
    assert [ALL[first - 1] for _, first, _ in batches] == [hosts[0] for _, _, hosts in batches]


def test_what_no_other_try_mends_ends_the_run_in_a_line() -> None:
    denied = (grpc.StatusCode.PERMISSION_DENIED, "no bigquery.readsessions.create")
    with serving((0, *denied)) as (_, table), pytest.raises(UnreadableInput) as refused:
        list(plan_streams(table))
    assert str(refused.value) == "bigquery://p.d.t: cannot be read: no bigquery.readsessions.create"
    expired = (grpc.StatusCode.FAILED_PRECONDITION, "session expired")
    with serving((2, *expired)) as (_, table), pytest.raises(UnreadableInput) as failed:
        rows_of(table, STREAM)
    assert str(failed.value) == "bigquery://p.d.t: stream 1 cannot be read from row 1 on: session expired"


DAY = 86_400_000_000
RANGE = ScanRange(20_513 * DAY, 20_514 * DAY)  # 1 March 2026


@pytest.mark.parametrize(
    ("kind", "needed", "expected"),
    [
        ("TIMESTAMP", ScanRange(), ""),
        ("STRING", ScanRange(), ""),
        ("STRING", RANGE, None),
        (
            "TIMESTAMP",
            RANGE,
            "(event_time >= TIMESTAMP '2026-03-01 00:00:00+00:00' AND "
            "event_time < TIMESTAMP '2026-03-02 00:00:00+00:00') OR event_time IS NULL",
        ),
        ("DATETIME", ScanRange(end=RANGE.end), "(event_time < DATETIME '2026-03-02 00:00:00') OR event_time IS NULL"),
        ("INT64", ScanRange(RANGE.start), "(event_time >= 1772323200000) OR event_time IS NULL"),
    ],
)
def test_the_row_filter_holds_the_days_that_a_run_needs(kind: str, needed: ScanRange, expected: str | None) -> None:
    assert restriction_of(kind, needed) == expected


def test_a_run_needs_its_days_and_those_that_train_it() -> None:
    configuration = configuration_of(Options(start=date(2026, 3, 31), end=date(2026, 4, 2), training_days=30))
    assert configuration.needed == ScanRange(RANGE.start, RANGE.start + 32 * DAY)
    assert configuration_of(Options()).needed == ScanRange()


@contextmanager
def answering(status: int, message: str) -> Iterator[str]:
    """BigQuery's REST API, which answers everything with an error."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"error": {"code": status, "message": message, "errors": []}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Command = Callable[[str], int]


@pytest.fixture
def command(tmp_path: object) -> Command:
    """A backfill from a table at an endpoint."""

    def run(endpoint: str) -> int:
        options = ["--input", "bigquery://p.d.t", "--output", f"{tmp_path}/run", "--project", "payer"]
        options += ["--bigquery-endpoint", endpoint, "--bigquery-storage-endpoint", "http://127.0.0.1:1"]
        return main(["backfill", *options])

    return run


def test_a_table_that_is_refused_says_which_roles_it_takes(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(403, "Access Denied: Table p:d.t: User does not have permission") as endpoint:
        assert command(endpoint) == 2
    said = capsys.readouterr().err
    assert said.startswith("uncommon-im: --input bigquery://p.d.t: refused: ")
    assert "Access Denied: Table p:d.t" in said
    assert "roles/bigquery.dataViewer" in said
    assert "roles/bigquery.readSessionUser" in said


def test_bigquery_that_does_not_answer_fails_the_run(
    command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uncommon_im.pipeline.sources.bigquery.tables._RETRY", DEFAULT_RETRY.with_timeout(0.1))
    with answering(503, "try again later") as endpoint:
        assert command(endpoint) == 1
    assert "--input bigquery://p.d.t: BigQuery does not answer: " in capsys.readouterr().err
