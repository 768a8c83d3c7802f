"""The files of simulated telemetry: one Parquet file per day, and the labels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from uncommon_im.pipeline.lab.simulation.telemetry.delivery import delays, delivered_twice, event_ids
from uncommon_im.pipeline.lab.simulation.telemetry.sensors import Sensor

_TEXT = pa.dictionary(pa.int32(), pa.string())
_TIME = pa.timestamp("us", tz="UTC")

_NUMBERS = ("process_pid", "remote_port", "bytes_sent", "bytes_received", "dns_status")
_NAMES = """
event_time event_type host_id host_name user_name os
process_name process_path process_command_line process_sha256 process_signature_status process_signer process_pid
parent_process_name parent_process_command_line causality_process_name causality_process_command_line
remote_host remote_ip remote_port protocol direction bytes_sent bytes_received dns_status
"""
_KINDS = {"event_time": _TIME} | dict.fromkeys(_NUMBERS, pa.int64())

SCHEMA = pa.schema([(name, _KINDS.get(name, _TEXT)) for name in _NAMES.split()])
"""The columns. In a file `event_id` comes in front of them and `arrival_time` after them; `tenant_id`
stays the run's default."""
HIDDEN = pa.schema([("number", pa.uint64()), ("label", pa.int32()), ("instance", pa.uint64())])
ROW_SCHEMA = pa.unify_schemas([SCHEMA, HIDDEN])
"""The same with the event's number, the label that it belongs to (-1: none), its process's instance (0: not told)."""


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows with the hidden and some of the other columns (a missing one is null) as a table of `ROW_SCHEMA`."""
    columns = []
    for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True):
        values = [row.get(name) for row in rows]
        plain = pa.array(values, type=pa.string() if kind == _TEXT else kind)
        columns.append(plain.dictionary_encode() if kind == _TEXT else plain)
    hidden = [pa.array([row[field.name] for row in rows], field.type) for field in HIDDEN]
    return pa.table([*columns, *hidden], schema=ROW_SCHEMA)


@dataclass(frozen=True)
class DayFile:
    """A file of events: how many of each type, and those that belong to a label, each once, in order of time.

    `campaign_events` has the columns `event_id`, `event_time`, `host_id` and `label`.
    """

    path: Path
    events: Counter[str]
    campaign_events: pa.Table


def write_day(folder: Path, day: date, tables: Iterable[pa.Table], sensor: Sensor) -> DayFile:
    """Write the events of one day, tables of `ROW_SCHEMA`, as a sensor tells them: in order of time, some twice."""
    table = sensor.shaped(pa.concat_tables(tables).unify_dictionaries().combine_chunks())
    numbers = table.column("number").to_numpy()
    twice = delivered_twice(numbers)
    row = np.concatenate([np.arange(len(numbers)), twice])
    delivery = np.repeat([0, 1], [len(numbers), len(twice)])
    times = table.column("event_time").cast(pa.int64()).to_numpy()[row]
    order = np.argsort(times, kind="stable")
    arrival = pa.array((times + delays(numbers[row], delivery))[order]).cast(_TIME)
    events = table.take(row[order]).add_column(0, "event_id", event_ids(numbers[row[order]]))
    path = folder / f"dt={day.isoformat()}.parquet"
    pq.write_table(
        events.drop_columns(HIDDEN.names).append_column("arrival_time", arrival),
        path,
        compression="zstd",
        store_schema=False,
        coerce_timestamps="us",
        use_dictionary=[name for name in events.schema.names if name not in (*HIDDEN.names, "event_id", "event_time")],
    )
    types = events.column("event_type").value_counts().to_pylist()
    has_label = pc.and_(pc.greater_equal(events.column("label"), 0), pa.array(delivery[order] == 0))
    return DayFile(
        path,
        Counter({count["values"]: count["counts"] for count in types}),
        events.select(["event_id", "event_time", "host_id", "label"]).filter(has_label),
    )


def write_labels(path: Path, labels: Iterable[Mapping[str, Any]]) -> None:
    """Writes one JSON object per line."""
    lines = [json.dumps(label, ensure_ascii=False, sort_keys=False) + "\n" for label in labels]
    path.write_text("".join(lines), encoding="utf-8")
