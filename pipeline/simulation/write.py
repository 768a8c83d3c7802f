"""The files of simulated telemetry: one Parquet file a day and the labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
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

PLANTED = 3
"""What campaigns do is this part of a day's events; the background has smaller numbers."""
_HEX_PAIRS = np.frombuffer("".join(f"{n:02x}" for n in range(256)).encode(), dtype=np.uint16)


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


def event_ids(seed: int, day: date, part: int, count: int) -> pa.StringArray:
    """Ids of the events of one of at most 4 parts of a day: 16 hex digits that say nothing about event or part.

    They are the numbers of the events, mixed by the finaliser of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable
    pseudorandom number generators"). It is one to one, so no two events of a seed share an id.
    """
    first = np.uint64(day.toordinal() << 40 | part << 38)
    mixed = _mix(np.arange(count, dtype=np.uint64) + first ^ _mix(np.array([seed + 1], dtype=np.uint64)))
    digits = _HEX_PAIRS[mixed.astype(">u8").view(np.uint8)]
    offsets = np.arange(0, 16 * count + 1, 16, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(digits))


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def write_day(
    folder: Path, day: date, ordinary: pa.Table, planted: list[dict[str, Any]], seed: int
) -> tuple[Path, list[str]]:
    """Write one day in order of time; the file, and the event ids that the planted rows were given."""
    ids = event_ids(seed, day, PLANTED, len(planted))
    acted = table_of(planted).add_column(0, "event_id", ids)
    table = pa.concat_tables([ordinary, acted]).unify_dictionaries().combine_chunks()
    table = table.take(pc.sort_indices(table.column("event_time")))
    path = folder / f"dt={day.isoformat()}.parquet"
    pq.write_table(
        table,
        path,
        compression="zstd",
        store_schema=False,
        coerce_timestamps="us",
        use_dictionary=[name for name in table.column_names if name != "event_id"],
    )
    return path, ids.to_pylist()


def write_labels(path: Path, labels: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line."""
    lines = [json.dumps(label, ensure_ascii=False, sort_keys=False) + "\n" for label in labels]
    path.write_text("".join(lines), encoding="utf-8")
