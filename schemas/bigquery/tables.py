"""The tables of a dataset: what they hold, by which key, how they are cut into partitions; and their DDL.

A table's columns are in `schemas/bigquery/NAME.json`, the form that `bq` and Terraform take: the one definition of
what alerts, verdicts, dead letters and summaries are made of. `REQUIRED` are only columns by which rows are found:
BigQuery lets nobody require a column later. Columns that a newer version adds are `NULLABLE` or `REPEATED`, and come
last.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Final, Literal

from google.cloud.bigquery import SchemaField

_SQL_TYPES: Final = {"INTEGER": "INT64", "BOOLEAN": "BOOL"}
"""Types whose name in a schema is not that in SQL."""


@dataclass(frozen=True)
class Table:
    """A table of the dataset.

    Args:
        name: of the table.
        what: it holds.
        key: columns that name a row: a rerun finds what it found before by them.
        speaks_for: the rows that a run replaces: those of its "days" and tenants, or of the same "run" before it.
        partition: the column whose day is the row's partition.
        clustering: columns that the rows of a partition are sorted by; the tenant is the first if there is one.
    """

    name: str
    what: str
    key: tuple[str, ...]
    speaks_for: Literal["days", "run"]
    partition: str
    clustering: tuple[str, ...]

    @cached_property
    def fields(self) -> tuple[SchemaField, ...]:
        """Its columns."""
        file = resources.files("uncommon_im.schemas.bigquery").joinpath(f"{self.name}.json")
        return tuple(map(SchemaField.from_api_repr, json.loads(file.read_text(encoding="utf-8"))))

    @property
    def columns(self) -> list[str]:
        """Names of its columns."""
        return [field.name for field in self.fields]

    def ddl(self, dataset: str) -> str:
        """The statement that creates it in a dataset (`PROJECT.DATASET`) unless it is there."""
        columns = ",\n".join(f"  {_declared(field)}" for field in self.fields)
        (partition,) = (field for field in self.fields if field.name == self.partition)
        day = f"`{partition.name}`" if partition.field_type == "DATE" else f"TIMESTAMP_TRUNC(`{partition.name}`, DAY)"
        return (
            f"CREATE TABLE IF NOT EXISTS `{dataset}.{self.name}` (\n{columns}\n)\nPARTITION BY {day}\n"
            f"CLUSTER BY {', '.join(f'`{name}`' for name in self.clustering)}\n"
            f"OPTIONS (description = {_quoted(self.what)})"
        )


TABLES: Final = {
    table.name: table
    for table in (
        Table(
            "dead_letters",
            "Records that cannot be used, with the reason",
            key=("run_key", "content_digest", "copy"),
            speaks_for="run",
            partition="found_at",
            clustering=("run_key", "source", "reason"),
        ),
        Table(
            "verdicts",
            "What became of each activity",
            key=("content_digest", "copy"),
            speaks_for="days",
            partition="hour_start",
            clustering=("tenant", "service"),
        ),
        Table(
            "alerts",
            "Uncommon communication with instant messaging servers",
            key=("alert_id",),
            speaks_for="days",
            partition="timestamp",
            clustering=("tenant_id", "service_id"),
        ),
        Table(
            "summaries",
            "What each backfill counted",
            key=("run_key",),
            speaks_for="run",
            partition="first_day",
            clustering=("run_key",),
        ),
    )
}
"""In the order in which a run writes them: whoever sees its summary sees all of it."""


def _declared(field: SchemaField) -> str:
    required = " NOT NULL" if field.mode == "REQUIRED" else ""
    return f"`{field.name}` {_sql_type(field)}{required} OPTIONS (description = {_quoted(field.description)})"


def _sql_type(field: SchemaField) -> str:
    if field.field_type == "RECORD":
        inner = ", ".join(_declared(each) for each in field.fields)
        sql = f"STRUCT<{inner}>"
    else:
        sql = _SQL_TYPES.get(field.field_type, field.field_type)
    return f"ARRAY<{sql}>" if field.mode == "REPEATED" else sql


def _quoted(text: str) -> str:
    """A string literal of GoogleSQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
