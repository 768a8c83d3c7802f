"""Rows of BigQuery through its Storage Read API: Arrow record batches, in streams that workers read side by side.

Source: https://cloud.google.com/bigquery/docs/reference/storage. Nothing here makes a Python object of a row.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
from google.api_core.exceptions import Conflict, ServerError
from google.cloud.bigquery import Client, QueryJob, TableReference
from google.cloud.bigquery_storage import BigQueryReadClient
from google.cloud.bigquery_storage import types as storage

from uncommon_im.pipeline.bigquery.access import API_ERRORS, BigQueryAccess, reason_of
from uncommon_im.pipeline.bigquery.outages import storage_retry
from uncommon_im.pipeline.sources.bigquery.tables import InputTable
from uncommon_im.pipeline.sources.files.native_rows import NativeRows
from uncommon_im.pipeline.storage.bad_files import UnreadableInput

log = logging.getLogger(__name__)

BATCH_BYTES: Final = 1 << 26
"""Arrow data that becomes one batch: the more, the less often each distinct value is looked at."""
_ATTEMPTS: Final = 3
"""Jobs that a query may have: BigQuery's own trouble ends one sometimes."""


@dataclass(frozen=True)
class TableStream:
    """A part of the rows of a table, that nobody else reads.

    Args:
        name: of the stream; the session that it belongs to expires six hours after it was planned.
        number: from 1.
        schema: of its batches, as Arrow writes one.
    """

    name: str
    number: int
    schema: bytes


@dataclass(frozen=True, eq=False)
class TableRows(NativeRows):
    """Some rows of a stream as a batch of records.

    Args:
        source: what dead letters call the stream.
        first_record: the number of the first row in the stream, from 1.
    """

    source: str
    first_record: int

    def place(self, row: int) -> tuple[str, int]:
        """(stream, number there from 1) of a row."""
        return self.source, self.first_record + row


def plan_streams(table: InputTable) -> Iterator[TableStream]:
    """The streams of a table, each row in exactly one; as many as BigQuery thinks right for its size.

    Raises:
        UnreadableInput: BigQuery refuses it, or does not answer.
    """
    session = open_session(table)
    if not session.streams:
        log.warning("%s: no rows for the days that the run needs", table.path)
    schema = session.arrow_schema.serialized_schema
    for number, stream in enumerate(session.streams, 1):
        yield TableStream(stream.name, number, schema)


def describe(table: InputTable) -> str:
    """What would be read of a table, as a line for a reader: nothing is read, and no query is run.

    Raises:
        UnreadableInput: BigQuery refuses it, or does not answer.
    """
    if table.table:
        session = open_session(table)
        rows, size = session.estimated_row_count, session.estimated_total_bytes_scanned
        what = f"about {rows:,} rows, {size:,} of its {table.size:,} bytes"
    else:
        what = f"the result of a query over {table.size:,} bytes"
    return f"{table.path}: {what}; columns {', '.join(table.columns)}; where {table.restriction or 'any'}"


def open_session(table: InputTable) -> storage.ReadSession:
    """A read session; it costs nothing until its streams are read.

    Raises:
        UnreadableInput: BigQuery refuses it, or does not answer.
    """
    try:
        request = session_request(table, _readable(table))
        return _reader(table.access).create_read_session(request=request, retry=storage_retry(table.path))
    except API_ERRORS as error:
        raise UnreadableInput(f"{table.path}: cannot be read: {reason_of(error)}") from None


def session_request(table: InputTable, readable: TableReference) -> storage.CreateReadSessionRequest:
    """What BigQuery is asked for: of a table the needed columns and rows as of one moment, of a result all.

    Args:
        table: what is read.
        readable: the table itself, or that which holds the result of its query.
    """
    session = storage.ReadSession(table=readable.path.removeprefix("/"), data_format=storage.DataFormat.ARROW)
    session.read_options.selected_fields = table.columns
    if table.table:
        session.read_options.row_restriction = table.restriction
        session.table_modifiers.snapshot_time = datetime.fromtimestamp(table.at / 1_000_000, UTC)
    return storage.CreateReadSessionRequest(parent=f"projects/{table.access.project}", read_session=session)


def read_stream(table: InputTable, stream: TableStream) -> Iterator[TableRows]:
    """The rows of a stream, a batch for each `BATCH_BYTES`. The client goes on where a broken connection left off.

    Raises:
        UnreadableInput: BigQuery refuses it, or the session has expired.
    """
    held = _Held(table, stream)
    try:
        for message in _reader(table.access).read_rows(stream.name, retry=storage_retry(table.path)):
            held.add(message.arrow_record_batch.serialized_record_batch)
            if held.size >= BATCH_BYTES:
                yield held.batch()
    except API_ERRORS as error:
        raise UnreadableInput(
            f"{table.path}: stream {stream.number} cannot be read from row {held.next_record:,} on: {reason_of(error)}"
        ) from None
    if held.size:
        yield held.batch()


class _Held:
    """Rows of a stream that are to become a batch."""

    def __init__(self, table: InputTable, stream: TableStream) -> None:
        self.size = 0
        self.next_record = 1
        self._source = f"{table.path}#{stream.number}"
        self._schema = pa.ipc.read_schema(pa.py_buffer(stream.schema))
        self._parts: list[pa.RecordBatch] = []

    def add(self, message: bytes) -> None:
        """Takes the rows of a message."""
        part = pa.ipc.read_record_batch(pa.py_buffer(message), self._schema)
        self._parts.append(part)
        self.size += len(message)

    def batch(self) -> TableRows:
        """All rows that are held; holds none of them any more."""
        table = pa.Table.from_batches(self._parts, self._schema).combine_chunks()
        rows = TableRows(table, self._source, self.next_record)
        self.size, self.next_record, self._parts = 0, self.next_record + rows.num_rows, []
        return rows


def _readable(table: InputTable) -> TableReference:
    """The table that is read: itself, or that which holds the result of its query."""
    if table.table:
        return TableReference.from_string(table.table)
    with table.access.client() as client:
        attempt = 1
        while True:
            job = _job(client, table, attempt)
            try:
                job.result()
                return job.destination
            except ServerError as error:
                if attempt == _ATTEMPTS:
                    raise
                log.warning("%s: the query failed, another try: %s", table.path, reason_of(error))
                attempt += 1


def _job(client: Client, table: InputTable, attempt: int) -> QueryJob:
    """The query's job, started by this step or by an earlier try of it: an id is good for one job, failed or not."""
    name, location = table.job
    job = f"{name}-{attempt}"
    try:
        return client.query(table.query, job_id=job, location=location or None, job_retry=None)
    except Conflict:
        return client.get_job(job, location=location or None)


@functools.lru_cache(4)
def _reader(access: BigQueryAccess) -> BigQueryReadClient:
    """A client a process."""
    return access.read_client()
