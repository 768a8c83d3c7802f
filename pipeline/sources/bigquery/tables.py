"""Tables, views and queries of BigQuery as input: what there is, and which columns and rows of it a run needs."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, NoReturn

from google.api_core.exceptions import BadRequest, NotFound
from google.cloud.bigquery import Client, QueryJob, QueryJobConfig, SchemaField, Table, TableReference
from google.cloud.bigquery.retry import DEFAULT_RETRY

from uncommon_im.pipeline.bigquery.access import API_ERRORS, BigQueryAccess, reason_of, refused
from uncommon_im.pipeline.bigquery.options import TABLE_SCHEME
from uncommon_im.pipeline.storage.bad_files import UnreadableInput
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.schemas.event import EVENT_COLUMNS, ColumnKind
from uncommon_im.transforms.rules.activities.scan import ScanRange

log = logging.getLogger(__name__)

_RETRY: Final = DEFAULT_RETRY.with_timeout(60)
"""Whoever starts a run is told within a minute that BigQuery does not answer; workers are more patient."""
_NAME: Final = re.compile(r"[^`\\\r\n]+")
"""What may stand between backticks in a query."""
_SYNONYMS: Final = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
_SERVING: Final[dict[ColumnKind, tuple[str, ...]]] = {
    "text": ("STRING", "INT64", "FLOAT64", "BYTES"),
    "integer": ("INT64", "STRING", "FLOAT64"),
    "time": ("TIMESTAMP", "DATETIME", "INT64", "STRING", "FLOAT64"),
    "flag": ("BOOL", "STRING"),
}
"""Types whose values a column can hold: what a file of the same values may have."""
_NEEDED: Final = (("event_time",), ("host_id",), ("process_name", "process_path", "process_guid"))
"""Without one of each of these no row is an event."""


@dataclass(frozen=True)
class InputTable:
    """What a run reads of a table, a view or a query.

    Args:
        path: what messages and dead letters call it.
        access: how BigQuery is reached.
        columns: native columns that it has.
        restriction: an SQL condition that rows fulfil which are needed; empty: all are.
        size: bytes of the whole table, or bytes that the query reads.
        table: `PROJECT.DATASET.TABLE` whose rows are read; empty: those of `query`.
        at: they are read as they were at this moment (µs since 1970), however often a step is retried.
        query: SQL that is run first, and the result of which is read; it selects and restricts already.
        job: (id, location) of the query's job: whoever runs it again gets the same result.
        place: its place among all, for messages.
    """

    path: str
    access: BigQueryAccess
    columns: tuple[str, ...]
    restriction: str
    size: int
    table: str = ""
    at: int = 0
    query: str = ""
    job: tuple[str, str] = ("", "")
    place: str = ""


def find_tables(
    paths: Sequence[str], queries: Sequence[str], access: BigQueryAccess, needed: ScanRange, run_id: str
) -> list[InputTable]:
    """The tables, views and queries that a run reads, looked up in BigQuery.

    Args:
        paths: `bigquery://PROJECT.DATASET.TABLE` each.
        queries: GoogleSQL, whose results have native columns.
        access: how BigQuery is reached.
        needed: days that are read, as far as the type of `event_time` lets rows be told apart. Rows without a time
            are always read: they are dead letters, not silence.
        run_id: the run's.

    Raises:
        ConfigurationError: there is no such table, it is refused, or its columns are none of an event's.
        UnreadableInput: BigQuery does not answer.
    """
    if not paths and not queries:
        return []
    named = f"--input {paths[0]}" if paths else "--input-query"
    with access.reached_client(named) as client:
        lookup = _Lookup(client, replace(access, project=client.project), needed)
        found = [lookup.of_path(path) for path in dict.fromkeys(paths)]
        found += [lookup.of_query(query, f"--input-query {n}") for n, query in enumerate(queries, 1)]
    return [
        replace(table, place=f"{number}/{len(found)}", job=(f"uncommon-im-{run_id}-{number}", table.job[1]))
        for number, table in enumerate(found, 1)
    ]


def reference_of(path: str) -> TableReference:
    """The table that a path names.

    Raises:
        ConfigurationError: it names none.
    """
    name = path.removeprefix(TABLE_SCHEME)
    require("{date}" not in name, f"--input {path}: {{date}} is for files: of a table the needed days are read")
    try:
        require(_NAME.fullmatch(name), "it cannot be quoted")
        return TableReference.from_string(name)
    except ValueError:
        raise ConfigurationError(f"--input {path}: expected {TABLE_SCHEME}PROJECT.DATASET.TABLE") from None


@dataclass(frozen=True)
class _Lookup:
    client: Client
    access: BigQueryAccess
    needed: ScanRange

    def of_path(self, path: str) -> InputTable:
        reference = reference_of(path)
        option = f"--input {path}"
        found = self._table(reference, option)
        columns, restriction = self._wanted(found.schema, option)
        name = f"{reference.project}.{reference.dataset_id}.{reference.table_id}"
        if found.table_type != "TABLE":  # only tables can be read as they are, and as they were
            return self._queried(path, columns, restriction, f"`{name}`", option)
        return InputTable(
            path, self.access, columns, restriction, found.num_bytes or 0, table=name, at=_moment(found.modified)
        )

    def of_query(self, sql: str, option: str) -> InputTable:
        inner = sql.strip().rstrip(";")
        columns, restriction = self._wanted(self._dry(inner, option).schema or [], option)
        return self._queried(option.removeprefix("--"), columns, restriction, f"(\n{inner}\n)", option)

    def _queried(self, path: str, columns: tuple[str, ...], restriction: str, source: str, option: str) -> InputTable:
        where = f"\nWHERE {restriction}" if restriction else ""
        query = f"SELECT {', '.join(columns)}\nFROM {source}{where}"
        job = self._dry(query, option)
        size, location = job.total_bytes_processed or 0, job.location or ""
        return InputTable(path, self.access, columns, restriction, size, query=query, job=("", location))

    def _table(self, reference: TableReference, option: str) -> Table:
        try:
            return self.client.get_table(reference, retry=_RETRY)
        except (BadRequest, NotFound) as error:
            raise ConfigurationError(f"{option}: there is no such table: {reason_of(error)}") from None
        except API_ERRORS as error:
            _give_up(error, option)

    def _dry(self, sql: str, option: str) -> QueryJob:
        try:
            return self.client.query(sql, QueryJobConfig(dry_run=True), retry=_RETRY, job_retry=None)
        except (BadRequest, NotFound) as error:
            raise ConfigurationError(f"{option}: BigQuery does not take the query: {reason_of(error)}") from None
        except API_ERRORS as error:
            _give_up(error, option)

    def _wanted(self, schema: Sequence[SchemaField], option: str) -> tuple[tuple[str, ...], str]:
        """(the native columns that there are, which rows are needed)."""
        fields = {field.name: field for field in schema if field.name in EVENT_COLUMNS}
        for names in _NEEDED:
            require(
                any(name in fields for name in names),
                f"{option}: no column {' or '.join(names)}, without which no row is an event: select native columns "
                "(schemas/event.py) by a view or by --input-query",
            )
        for name, field in fields.items():
            serving = _SERVING[EVENT_COLUMNS[name]]
            require(
                field.mode != "REPEATED" and _type_of(field) in serving,
                f"{option}: column {name} is {_type_of(field)}{' REPEATED' * (field.mode == 'REPEATED')}, expected "
                f"{' or '.join(serving)}: convert it by a view or by --input-query",
            )
        restriction = restriction_of(_type_of(fields["event_time"]), self.needed)
        if restriction is None:
            log.warning("%s: event_time is STRING: all days of it are read, needed or not", option)
        return tuple(name for name in EVENT_COLUMNS if name in fields), restriction or ""


def restriction_of(time_type: str, needed: ScanRange) -> str | None:
    """The SQL condition of the rows of some days; empty if all days are needed, `None` if text says the time.

    Args:
        time_type: of `event_time`; numbers are epoch milliseconds, DATETIME is UTC.
        needed: the days, in µs.
    """
    bounds = [(">=", needed.start), ("<", needed.end)]
    given = [(sign, micros) for sign, micros in bounds if micros is not None]
    if not given:
        return ""
    if time_type == "STRING":
        return None
    within = " AND ".join(f"event_time {sign} {_literal(time_type, micros)}" for sign, micros in given)
    return f"({within}) OR event_time IS NULL"


def _literal(time_type: str, micros: int) -> str:
    if time_type not in ("TIMESTAMP", "DATETIME"):
        return str(micros // 1_000)
    moment = f"{datetime.fromtimestamp(micros / 1_000_000, UTC):%Y-%m-%d %H:%M:%S}"
    return f"TIMESTAMP '{moment}+00:00'" if time_type == "TIMESTAMP" else f"DATETIME '{moment}'"


def _type_of(field: SchemaField) -> str:
    return _SYNONYMS.get(field.field_type, field.field_type)


def _moment(modified: datetime | None) -> int:
    """This second or the table's last change, whichever is later, in µs: past for BigQuery's clock, too."""
    now = datetime.now(UTC).replace(microsecond=0)
    return round(max(now, modified or now).timestamp() * 1_000_000)


def _give_up(error: Exception, option: str) -> NoReturn:
    if refused(error):
        raise ConfigurationError(
            f"{option}: refused: {reason_of(error)}: it takes roles/bigquery.dataViewer on what is read, and "
            "roles/bigquery.readSessionUser and roles/bigquery.jobUser in the project that pays"
        ) from None
    raise UnreadableInput(f"{option}: BigQuery does not answer: {reason_of(error)}") from None
