"""What the tables of a dataset hold, comparable with files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from tests.cloud.bigquery import BigQuery
from tests.running import Record
from uncommon_im.schemas.bigquery.tables import TABLES

ADDED = ("content_digest", "copy", "service_id", "run_id", "run_key", "found_at", "hour_start")
"""Columns that rows have beside what files hold, or that name the run."""


def rows_of(to: BigQuery, table: str) -> list[Record]:
    """All rows of a table, in a fixed order, times and dates as the files write them."""
    return sorted((_plain(row) for row in to.query(f"SELECT * FROM `{to.dataset}.{table}`")), key=repr)


def everything(to: BigQuery) -> dict[str, list[Record]]:
    """All rows of all tables."""
    return {table: rows_of(to, table) for table in TABLES}


def said(rows: Sequence[Record], leave: Sequence[str] = ()) -> Counter[str]:
    """Rows of files or tables without what only tables have; a missing value is a null one."""
    return Counter(json.dumps(_without_nulls(row, (*ADDED, *leave)), sort_keys=True) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(value) if isinstance(value, date) else value


def _without_nulls(value: Any, leave: Sequence[str] = ()) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {name: _without_nulls(each) for name, each in value.items() if name not in leave}
    return {name: each for name, each in kept.items() if each not in (None, {})}
