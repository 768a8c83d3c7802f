"""The files of simulated telemetry: one Parquet file a day and the labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_TEXT = pa.dictionary(pa.int32(), pa.string())

SCHEMA = pa.schema(
    [
        ("event_time", pa.timestamp("us", tz="UTC")),
        ("event_type", _TEXT),
        ("host_id", _TEXT),
        ("host_name", _TEXT),
        ("user_name", _TEXT),
        ("os", _TEXT),
        ("process_name", _TEXT),
        ("process_path", _TEXT),
        ("process_command_line", _TEXT),
        ("process_sha256", _TEXT),
        ("process_signature_status", _TEXT),
        ("process_signer", _TEXT),
        ("process_pid", pa.int64()),
        ("parent_process_name", _TEXT),
        ("parent_process_command_line", _TEXT),
        ("causality_process_name", _TEXT),
        ("causality_process_command_line", _TEXT),
        ("remote_host", _TEXT),
        ("remote_ip", _TEXT),
        ("remote_port", pa.int64()),
        ("protocol", _TEXT),
        ("direction", _TEXT),
        ("bytes_sent", pa.int64()),
        ("bytes_received", pa.int64()),
        ("dns_status", pa.int64()),
    ]
)
"""Columns as they are made; `event_id` comes in front and `tenant_id` stays the run's default."""


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows with some of the columns (a missing one is null) as a table; keys that are no column are ignored."""
    columns = []
    for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True):
        values = [row.get(name) for row in rows]
        plain = pa.array(values, type=pa.string() if kind == _TEXT else kind)
        columns.append(plain.dictionary_encode() if kind == _TEXT else plain)
    return pa.table(columns, schema=SCHEMA)


def clear(folder: Path) -> None:
    """Make the folder of events and remove what an earlier run left in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("dt=*.parquet"):
        old.unlink()


def write_day(
    folder: Path, day: date, ordinary: pa.Table, planted: list[dict[str, Any]], seed: int
) -> tuple[Path, list[str]]:
    """Write one day in order of time; the file, and the event ids that the planted rows were given.

    Ids number the day's events in their order, so they do not tell what was planted.
    """
    table = pa.concat_tables([ordinary, table_of(planted)]).unify_dictionaries().combine_chunks()
    times = table.column("event_time").cast(pa.int64()).to_numpy()
    order = np.argsort(times, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    number = pc.utf8_lpad(pa.array(np.arange(len(order))).cast(pa.string()), width=8, padding="0")
    ids = pc.binary_join_element_wise(f"{seed}-{day:%Y%m%d}", number, "-")
    table = table.take(pa.array(order)).add_column(0, "event_id", ids)
    path = folder / f"dt={day.isoformat()}.parquet"
    pq.write_table(
        table,
        path,
        compression="zstd",
        store_schema=False,
        coerce_timestamps="us",
        use_dictionary=[name for name in table.column_names if name != "event_id"],
    )
    return path, [ids[int(place[len(order) - len(planted) + i])].as_py() for i in range(len(planted))]


def write_labels(path: Path, labels: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line."""
    lines = [json.dumps(label, ensure_ascii=False, sort_keys=False) + "\n" for label in labels]
    path.write_text("".join(lines), encoding="utf-8")
