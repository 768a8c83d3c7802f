"""The dataset that runs write to: its tables are made, brought up to date, and compared with what a run writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from google.api_core.exceptions import Forbidden, NotFound
from google.cloud.bigquery import Client, SchemaField
from google.cloud.bigquery import Table as Existing

from uncommon_im.pipeline.bigquery.access import API_ERRORS, BigQueryAccess, reason_of
from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.schemas.bigquery.tables import TABLES, Table
from uncommon_im.schemas.bigquery.views import view_ddls
from uncommon_im.schemas.documents import ConfigurationError, require

_SAME_TYPES: Final = {"INT64": "INTEGER", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}


class BigQueryFailed(RunFailed):
    """BigQuery did not do what a run needs; the message says what, and how to mend it."""


@dataclass(frozen=True)
class Dataset:
    """A dataset of BigQuery. Small and picklable.

    Args:
        access: how BigQuery is reached.
        name: `PROJECT.DATASET`.
        option: of the command line that names it, for messages.
    """

    access: BigQueryAccess
    name: str
    option: str = "--bigquery-output"

    def __post_init__(self) -> None:
        parts = self.name.split(".")
        require(len(parts) == 2 and all(parts), f"{self.option} {self.name}: expected PROJECT.DATASET")

    def path(self, table: Table) -> str:
        """The full name of a table."""
        return f"{self.name}.{table.name}"

    def apply(self, client: Client) -> list[str]:
        """Makes tables that are not there, adds columns that they lack, makes the views; says what it has changed.

        Raises:
            ConfigurationError: the dataset is not there, or a table cannot become what runs write to.
        """
        with self._answering():
            existing = self._existing(client, TABLES.values())
            for table, found in existing:
                self._refuse(table, found)
            said = [change for table, found in existing for change in self._bring_up(client, table, found)]
            for statement in view_ddls(self.name):
                client.query_and_wait(statement)
        return said

    def check(self, client: Client, tables: Sequence[str]) -> None:
        """Makes sure that a run can write to tables, by what BigQuery says of them.

        Raises:
            ConfigurationError: the dataset or a table is not there, or is not what the run writes to.
        """
        mend = f"`uncommon-im schema bigquery --dataset {self.name} --apply`"
        with self._answering():
            existing = self._existing(client, [TABLES[name] for name in tables])
        for table, found in existing:
            where = f"{self.option} {self.path(table)}"
            if found is None:
                raise ConfigurationError(f"{where}: there is no such table: {mend} makes it")
            self._refuse(table, found)
            lacks = ", ".join(path for path, _ in lacking(table.fields, found.schema))
            require(not lacks, f"{where}: it is of an older version and lacks {lacks}: {mend} adds what is new")

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turns what BigQuery says into what there is to do."""
        try:
            yield
        except NotFound:
            make = f"`bq mk --dataset {self.name.replace('.', ':')}` makes it, where you want its data to be"
            raise ConfigurationError(f"{self.option} {self.name}: there is no such dataset: {make}") from None
        except Forbidden as error:
            need = "it takes bigquery.dataEditor on the dataset, and bigquery.jobUser on the project that pays"
            raise ConfigurationError(f"{self.option} {self.name}: not permitted: {reason_of(error)}: {need}") from None
        except API_ERRORS as error:
            raise BigQueryFailed(f"{self.option} {self.name}: BigQuery does not do it: {reason_of(error)}") from error

    def _existing(self, client: Client, tables: Iterable[Table]) -> list[tuple[Table, Existing | None]]:
        client.get_dataset(self.name)
        return [(table, _get(client, self.path(table))) for table in tables]

    def _refuse(self, table: Table, found: Existing | None) -> None:
        """Raises `ConfigurationError` if a table is there, but no new columns make it what runs write to."""
        if found is None:
            return
        problem = next(_conflicts(table, found), None)
        require(
            problem is None,
            f"{self.option} {self.path(table)}: {problem}: give another dataset, or copy what the table holds, delete "
            "it and apply the schema again",
        )

    def _bring_up(self, client: Client, table: Table, found: Existing | None) -> list[str]:
        if found is None:
            client.query_and_wait(table.ddl(self.name))
            return [f"made {self.path(table)}"]
        lacks = [path for path, _ in lacking(table.fields, found.schema)]
        if lacks:
            found.schema = completed(table.fields, found.schema)
            client.update_table(found, ["schema"])
        return [f"added {path} to {self.path(table)}" for path in lacks]


def lacking(wanted: Sequence[SchemaField], found: Sequence[SchemaField], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(path, mode) of the columns that a table does not have, those inside of records too."""
    by_name = {field.name.lower(): field for field in found}
    for field in wanted:
        existing = by_name.get(field.name.lower())
        if existing is None:
            yield f"{prefix}{field.name}", field.mode
        elif field.fields:
            yield from lacking(field.fields, existing.fields, f"{prefix}{field.name}.")


def completed(wanted: Sequence[SchemaField], found: Sequence[SchemaField]) -> list[SchemaField]:
    """The columns that a table has, as they are, then those that it lacks; the same inside of records."""
    by_name = {field.name.lower(): field for field in wanted}
    kept = [_completed_field(by_name.get(field.name.lower()), field) for field in found]
    here = {field.name.lower() for field in found}
    return kept + [field for field in wanted if field.name.lower() not in here]


def _completed_field(wanted: SchemaField | None, found: SchemaField) -> SchemaField:
    if wanted is None or not wanted.fields:
        return found
    fields = completed(wanted.fields, found.fields)
    return SchemaField(found.name, found.field_type, found.mode, description=found.description, fields=fields)


def _conflicts(table: Table, found: Existing) -> Iterator[str]:
    """What no new column mends, each in a few words."""
    yield from _clashes(table.fields, found.schema)
    for path, mode in lacking(table.fields, found.schema):
        if mode == "REQUIRED":
            yield f"it lacks {path}, which BigQuery adds to no table that exists"
    ours = {field.name.lower() for field in table.fields}
    for field in found.schema:
        if field.mode == "REQUIRED" and field.name.lower() not in ours:
            yield f"it requires {field.name}, which this program does not know"
    partitioned = found.time_partitioning and (found.time_partitioning.field, found.time_partitioning.type_)
    if partitioned != (table.partition, "DAY"):
        yield f"it is not partitioned by the day of {table.partition}"
    if tuple(found.clustering_fields or ()) != table.clustering:
        yield f"it is not clustered by {', '.join(table.clustering)}"


def _clashes(wanted: Sequence[SchemaField], found: Sequence[SchemaField], prefix: str = "") -> Iterator[str]:
    by_name = {field.name.lower(): field for field in found}
    for field in wanted:
        existing = by_name.get(field.name.lower())
        if existing is None:
            continue
        ours, theirs = _kind(field), _kind(existing)
        if ours != theirs:
            yield f"{prefix}{field.name} is {theirs} and should be {ours}"
        elif existing.mode == "REQUIRED" and field.mode != "REQUIRED":
            yield f"{prefix}{field.name} is required, and is not always there"
        yield from _clashes(field.fields, existing.fields, f"{prefix}{field.name}.")


def _kind(field: SchemaField) -> str:
    kind = _SAME_TYPES.get(field.field_type, field.field_type)
    return f"repeated {kind}" if field.mode == "REPEATED" else kind


def _get(client: Client, path: str) -> Existing | None:
    try:
        return client.get_table(path)
    except NotFound:
        return None
