"""What a stream finds, to BigQuery: streaming inserts, a request for many rows; what is refused is a dead letter."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import apache_beam as beam
from apache_beam.io.gcp.bigquery_tools import RetryStrategy
from apache_beam.metrics import Metrics
from google.api_core.exceptions import GoogleAPICallError, ServiceUnavailable
from google.cloud.bigquery import Client
from google.cloud.bigquery.retry import DEFAULT_RETRY

from uncommon_im.pipeline.bigquery.access import reason_of
from uncommon_im.pipeline.bigquery.tables import BigQueryFailed, Dataset
from uncommon_im.schemas.bigquery.tables import TABLES
from uncommon_im.transforms.rules.alerts.table_rows import Row, alert_row, dead_letter_row, is_judged, verdict_row
from uncommon_im.transforms.rules.columns.json_lines import to_json
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.stream.keyed_step import NAMESPACE

log = logging.getLogger(__name__)

REFUSED: Final = "bigquery_refused"
"""The reason of dead letters that stand for rows which BigQuery does not take."""
TableName = Literal["alerts", "verdicts", "dead_letters"]

_MOST_ROWS: Final = 500
_MOST_BYTES: Final = 5_000_000
"""Of a request: BigQuery advises the first, and takes no more than 10 MB."""
_MOST_RAW: Final = 1_000_000
"""Characters of a refused row that its dead letter keeps."""
_REQUEST_SECONDS: Final = 60
_UNUSABLE: Final = (400, 413)
"""Status of a request that will never be taken: it cannot be read, or is too large."""


@dataclass
class InsertIntoBigQuery(beam.PTransform):
    """Rows as objects -> rows of a table; yields the ids of the alerts in it once they are inserted or refused.

    At least once: a bundle that the engine tries again is inserted again. An alert has its id as `insertId`, by which
    BigQuery drops most repetitions, and the view `alerts_latest` all of them; of verdicts and dead letters, which may
    be equal and yet two, only those of one request are dropped.

    What fails for a while (no connection, quota, overload) is tried again for ten minutes, then the bundle is, by the
    engine. A row that BigQuery refuses for what it is becomes a row of `dead_letters`, reason `bigquery_refused`, with
    BigQuery's words and the row: it does not block the stream. If that row is refused too, the bundle fails.

    Beam's own `WriteToBigQuery` is not used: it makes the ids of rows itself.

    Args:
        dataset: its tables exist.
        table: its name.
        run_id: of the stream.
    """

    dataset: Dataset
    table: TableName
    run_id: str

    def expand(self, rows: beam.PCollection[Row]) -> beam.PCollection[str]:
        """Inserts as many rows a request as it takes, the last of them at the end of the bundle."""
        return rows | "Insert" >> beam.ParDo(_Insert(self.dataset, self.table, self.run_id)).with_output_types(str)


class _Insert(beam.DoFn):
    def __init__(self, dataset: Dataset, table: TableName, run_id: str) -> None:
        self._dataset, self._table, self._run_id = dataset, table, run_id
        self._refused = Metrics.counter(NAMESPACE, "bigquery.refused")

    def setup(self) -> None:
        self._inserts = Inserts(self._dataset, self._table, self._run_id)

    def start_bundle(self) -> None:
        self._inserts.forget()

    def process(self, found: Row) -> Iterator[str]:
        self._refused.inc(self._inserts.add(found))
        if self._table == "alerts":
            yield found["alert_id"]

    def finish_bundle(self) -> None:
        """A bundle is done once all of its rows are somewhere."""
        self._refused.inc(self._inserts.flush())

    def teardown(self) -> None:
        self._inserts.close()


class Inserts:
    """Rows on their way to a table, as many a request as it takes; `InsertIntoBigQuery` says what becomes of them."""

    def __init__(self, dataset: Dataset, table: TableName, run_id: str) -> None:
        """Opens a client."""
        self._dataset, self._table, self._run_id = dataset, table, run_id
        self._client = dataset.access.client()
        self.forget()

    def forget(self) -> None:
        """Drops what is not inserted yet: it comes again."""
        self._rows: dict[str, Row] = {}
        self._bytes = 0

    def add(self, found: Row) -> int:
        """Takes a row; inserts what came before if a request is full, and says how many rows were refused."""
        if self._table == "verdicts" and not is_judged(found):
            return 0
        size, refused = len(to_json(found).encode()), 0
        if len(self._rows) == _MOST_ROWS or self._bytes + size > _MOST_BYTES:
            refused = self.flush()
        self._rows[found["alert_id"] if self._table == "alerts" else uuid.uuid4().hex] = self._row(found)
        self._bytes += size
        return refused

    def flush(self) -> int:
        """Inserts all; how many rows were refused, and became dead letters.

        Raises:
            GoogleAPIError: the table is not there or not permitted, or BigQuery was not there for ten minutes.
            BigQueryFailed: a dead letter was refused too.
        """
        refused = insert(self._client, self._dataset.path(TABLES[self._table]), self._rows)
        self.forget()
        if refused:
            self._bury(refused)
        return len(refused)

    def close(self) -> None:
        """Closes the client."""
        self._client.close()

    def _row(self, found: Row) -> Row:
        if self._table == "alerts":
            return alert_row(found)
        if self._table == "verdicts":
            return verdict_row(found, self._run_id)
        return dead_letter_row(found, self._run_id, None, _now())

    def _bury(self, refused: list[Refused]) -> None:
        """Makes dead letters of what BigQuery refuses."""
        source, letters = self._dataset.path(TABLES[self._table]), self._dataset.path(TABLES["dead_letters"])
        log.warning("%s refuses %d rows, which become dead letters; the first: %s", source, len(refused), refused[0])
        rows = {
            uuid.uuid4().hex: dead_letter_row(asdict(_letter_of(each, source)), self._run_id, None, _now())
            for each in refused
        }
        again = insert(self._client, letters, rows)
        if again:
            raise BigQueryFailed(f"BigQuery: {letters} refuses {len(again)} rows, the first for {again[0]}")


@dataclass(frozen=True)
class Refused:
    """A row that BigQuery does not take, and its reasons in its own words."""

    row: Row
    detail: str

    def __str__(self) -> str:
        return self.detail


def insert(client: Client, path: str, rows: Mapping[str, Row]) -> list[Refused]:
    """Inserts rows, those that fail for a while again and again; returns those that are refused.

    Args:
        client: of BigQuery.
        path: full name of the table.
        rows: by their insert ids.

    Raises:
        GoogleAPIError: the table is not there or not permitted, or BigQuery was not there for ten minutes.
    """
    left, refused = dict(rows), list[Refused]()

    def attempt() -> None:
        errors = _errors(client, path, left)
        for insert_id, row in list(left.items()):
            problems = errors.get(insert_id, [])
            lasting = [error for error in problems if not _passes(error)]
            if lasting:
                refused.append(Refused(row, "; ".join(_in_words(error) for error in lasting)))
            if lasting or not problems:
                del left[insert_id]
        if left:
            raise ServiceUnavailable("rows failed for a while")  # type: ignore[no-untyped-call]

    def say(error: Exception) -> None:
        log.warning("%s: %d rows are not inserted yet and sent again: %s", path, len(left), reason_of(error))

    if left:
        DEFAULT_RETRY(attempt, on_error=say)()
    return refused


def _errors(client: Client, path: str, rows: Mapping[str, Row]) -> dict[str, list[dict[str, str]]]:
    """What BigQuery says against rows, by their insert ids. A request that it refuses is halved to find the row."""
    ids = list(rows)
    try:
        found = client.insert_rows_json(
            path, list(rows.values()), row_ids=ids, skip_invalid_rows=True, retry=None, timeout=_REQUEST_SECONDS
        )
    except GoogleAPICallError as error:
        if error.code not in _UNUSABLE:
            raise
        if len(ids) == 1:
            return {ids[0]: [{"reason": "invalid", "message": reason_of(error)}]}
        halves = (ids[: len(ids) // 2], ids[len(ids) // 2 :])
        first, second = (_errors(client, path, {each: rows[each] for each in half}) for half in halves)
        return first | second
    return {ids[each["index"]]: each["errors"] for each in found}


def _passes(error: Mapping[str, str]) -> bool:
    return bool(RetryStrategy.should_retry(RetryStrategy.RETRY_ON_TRANSIENT_ERROR, error["reason"]))


def _in_words(error: Mapping[str, str]) -> str:
    where = f"{error['location']}: " if error.get("location") else ""
    return f"{where}{error.get('message') or error['reason']}"


def _letter_of(refused: Refused, source: str) -> DeadLetter:
    raw = to_json(refused.row)
    cut = f" (cut to {_MOST_RAW:,} of {len(raw):,} characters)" if len(raw) > _MOST_RAW else ""
    return DeadLetter(REFUSED, refused.detail + cut, source, 1, raw[:_MOST_RAW])


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
