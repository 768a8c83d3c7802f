"""Rows of a backfill -> staging tables -> one MERGE a table: what is in BigQuery is what the run found.

A staging table is loaded by load jobs, deleted after the run whatever became of it, and expires by itself within a day.
All of them are loaded before the first MERGE: a run that fails earlier changes nothing. Each MERGE is atomic, and
repeating it changes nothing: a run that fails between two of them is put right by running it again.
"""

from __future__ import annotations

import io
import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import TimeoutError as TooSlow
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from google.cloud.bigquery import (
    ArrayQueryParameter,
    Client,
    LoadJobConfig,
    QueryJobConfig,
    ScalarQueryParameter,
    SourceFormat,
)
from google.cloud.bigquery import Table as Existing
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY, DEFAULT_RETRY

from uncommon_im.pipeline.bigquery.access import API_ERRORS, reason_of
from uncommon_im.pipeline.bigquery.tables import BigQueryFailed, Dataset
from uncommon_im.schemas.bigquery.tables import TABLES, Table
from uncommon_im.transforms.rules.alerts.table_rows import Scope

log = logging.getLogger(__name__)

_STAGING_LIVES: Final = timedelta(days=1)
_URIS_A_JOB: Final = 10_000
"""A load job takes no more."""
_CANCEL_SECONDS: Final = 10
_DROP_SECONDS: Final = 60
_FAILURES: Final = (*API_ERRORS, TooSlow)
_NO_DAY: Final = Scope(date(1970, 1, 1), date(1970, 1, 1), ())


@dataclass(frozen=True)
class Merge:
    """What a run does to a dataset.

    Args:
        dataset: it.
        run_key: what the run shares with the one that it repeats.
        scope: what it speaks for; `None`: for no day.
        seconds: how long a load or a MERGE may take.
    """

    dataset: Dataset
    run_key: str
    scope: Scope | None
    seconds: int

    def run(self, client: Client, staged: Mapping[str, Sequence[str | bytes]]) -> None:
        """Loads all tables, then merges one after the other, in the order of `TABLES`.

        Args:
            client: of BigQuery.
            staged: name of a table -> its rows as JSON lines: paths of files, local or gs://, or the lines themselves.

        Raises:
            BigQueryFailed: BigQuery did not do it; says how far it came.
        """
        tables = [table for table in TABLES.values() if table.name in staged]
        with self._staging(client, tables) as staging:
            for table in tables:
                with self._told(f"loading rows for {self.dataset.path(table)}"):
                    self._load(client, staging[table.name], table, staged[table.name])
            merged: list[str] = []
            for table in tables:
                with self._told(f"the MERGE into {self.dataset.path(table)}", merged):
                    self._merge(client, staging[table.name], table)
                merged.append(table.name)

    @contextmanager
    def _staging(self, client: Client, tables: Sequence[Table]) -> Iterator[dict[str, str]]:
        """Names of empty staging tables, which are gone afterwards."""
        suffix = uuid.uuid4().hex
        names = {table.name: f"{self.dataset.name}.staging_{table.name}_{suffix}" for table in tables}
        try:
            with self._told("making staging tables"):
                for table in tables:
                    made = Existing(names[table.name], schema=table.fields)
                    made.expires = datetime.now(UTC) + _STAGING_LIVES
                    client.create_table(made, timeout=self.seconds)
            yield names
        finally:
            for name in names.values():
                _drop(client, name)

    def _load(self, client: Client, staging: str, table: Table, files: Sequence[str | bytes]) -> None:
        config = LoadJobConfig(source_format=SourceFormat.NEWLINE_DELIMITED_JSON, schema=table.fields)
        how: dict[str, Any] = {"job_config": config, "timeout": self.seconds}
        remote = [file for file in files if _is_object(file)]
        for first in range(0, len(remote), _URIS_A_JOB):
            job = client.load_table_from_uri(remote[first : first + _URIS_A_JOB], staging, **how)
            job.result(timeout=self.seconds)
        for file in files:
            if not _is_object(file):
                with io.BytesIO(file) if isinstance(file, bytes) else open(file, "rb") as lines:
                    client.load_table_from_file(lines, staging, **how).result(timeout=self.seconds)

    def _merge(self, client: Client, staging: str, table: Table) -> None:
        text = merge_sql(table, self.dataset.path(table), staging)
        config = QueryJobConfig(query_parameters=self._parameters())
        retry = DEFAULT_RETRY.with_timeout(self.seconds)

        def once() -> Any:
            job = client.query(text, job_config=config, retry=retry, timeout=self.seconds, job_retry=None)
            try:
                job.result(retry=retry, timeout=self.seconds, job_retry=None)
            except TooSlow:
                job.cancel(retry=None, timeout=_CANCEL_SECONDS)
                raise
            return job

        # the client's own retries of a job have a deadline of 40 minutes that nothing shortens
        done = DEFAULT_JOB_RETRY.with_timeout(self.seconds)(once)()
        log.info("%s: %s", self.dataset.path(table), _in_words(done.dml_stats))

    def _parameters(self) -> list[ScalarQueryParameter | ArrayQueryParameter]:
        scope = self.scope or _NO_DAY
        first, end = (datetime.combine(day, time(), UTC) for day in (scope.first_day, scope.end_day))
        return [
            ScalarQueryParameter("run_key", "STRING", self.run_key),
            ScalarQueryParameter("first", "TIMESTAMP", first),
            ScalarQueryParameter("end", "TIMESTAMP", end),
            ArrayQueryParameter("tenants", "STRING", list(scope.tenants)),
        ]

    @contextmanager
    def _told(self, doing: str, merged: Sequence[str] = ()) -> Iterator[None]:
        """Says in one line what was being done when BigQuery failed, how far the run came, and what mends it."""
        try:
            yield
        except _FAILURES as error:
            reason = f"not done within {self.seconds} s" if isinstance(error, TooSlow) else reason_of(error)
            far = f"{' and '.join(merged)} are already those of this run" if merged else "no table has been changed"
            raise BigQueryFailed(f"BigQuery: {doing}: {reason}; {far}: run the same command again") from error


def _is_object(file: str | bytes) -> bool:
    return isinstance(file, str) and file.startswith("gs://")


def merge_sql(table: Table, target: str, staging: str) -> str:
    """The MERGE of a run's rows into a table; its parameters are `run_key`, `first`, `end` and `tenants`.

    Rows of equal content are numbered, so that as many of them are kept as there are: a key has one row.

    Args:
        table: which one.
        target: its full name.
        staging: full name of the table that holds the run's rows.
    """
    numbered = "ROW_NUMBER() OVER (PARTITION BY content_digest) AS copy"
    columns = f"* REPLACE ({numbered})" if "copy" in table.key else "*"
    spoken_for = _spoken_for(table)
    same = " AND ".join(f"T.{name} = S.{name}" for name in table.key)
    names = ", ".join(f"`{name}`" for name in table.columns)
    values = ", ".join(f"S.`{name}`" for name in table.columns)
    changes = ", ".join(f"`{name}` = S.`{name}`" for name in table.columns if name not in table.key)
    return (
        f"MERGE `{target}` T\nUSING (SELECT {columns} FROM `{staging}`) S\nON {same} AND {spoken_for}\n"
        f"WHEN MATCHED AND T.content_digest != S.content_digest THEN UPDATE SET {changes}\n"
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})\n"
        f"WHEN NOT MATCHED BY SOURCE AND {spoken_for} THEN DELETE"
    )


def _spoken_for(table: Table) -> str:
    """The rows of a table that the run speaks for; by days, so that BigQuery reads only their partitions."""
    if table.speaks_for == "run":
        return "T.run_key = @run_key"
    day, tenant = table.partition, table.clustering[0]
    return f"T.`{day}` >= @first AND T.`{day}` < @end AND T.`{tenant}` IN UNNEST(@tenants)"


def _drop(client: Client, name: str) -> None:
    """Deletes a staging table; if that fails, it expires."""
    try:
        client.delete_table(
            name, not_found_ok=True, timeout=_DROP_SECONDS, retry=DEFAULT_RETRY.with_timeout(_DROP_SECONDS)
        )
    except _FAILURES as error:
        log.warning("staging table %s is left, and expires within a day: %s", name, reason_of(error))


def _in_words(stats: Any) -> str:
    if stats is None:
        return "merged"
    return (
        f"{stats.inserted_row_count:,} rows new, {stats.updated_row_count:,} changed, {stats.deleted_row_count:,} taken"
        " back"
    )
