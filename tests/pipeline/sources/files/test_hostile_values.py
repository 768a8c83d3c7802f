"""Values of the wrong type in every column and every field, in files and through the vendors' mappings."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.oracle import Options
from tests.running import Found, configuration_of, run_backfill, write_lines
from uncommon_im.pipeline.sources.files.json_lines import batch_of
from uncommon_im.schemas.event import EVENT_COLUMNS, FAILED
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.parsing.decode import decode_lines

EVENT: dict[str, Any] = {
    "event_time": "2026-03-01T10:00:00Z",
    "host_id": "h1",
    "process_name": "curl",
    "remote_host": "api.telegram.org",
}
NO_TIME = "event_time is no time of 2000 to 2099: expected RFC 3339 with a zone, or epoch milliseconds"
EXPECTED = {"text": "text", "integer": "a whole number", "flag": "true or false"}
KINDS: list[tuple[object, str]] = [([1], "a list"), ({"a": 1}, "an object"), (True, "true or false")]


def run(pattern: str) -> Found:
    return run_backfill([pattern], configuration_of(Options(activation_days=0)))


def test_a_value_of_the_wrong_type_in_any_column_is_a_dead_letter_that_names_it(tmp_path: Path) -> None:
    faults = [(name, value, kind) for name in EVENT_COLUMNS for value, kind in KINDS]
    faults = [(name, value, kind) for name, value, kind in faults if (name, value) != (FAILED, True)]
    write_lines(tmp_path / "a.jsonl", [EVENT, *(EVENT | {name: value} for name, value, _ in faults)])
    found = run(f"{tmp_path}/a.jsonl")
    assert found.summary["events"]["valid"] == 1
    assert [(row["record"], row["reason"], row["detail"]) for row in found.dead_letters] == [
        (number, "bad_timestamp", NO_TIME)
        if name == "event_time"
        else (number, "malformed", f"{name} is {kind}, expected {EXPECTED[EVENT_COLUMNS[name]]}")
        for number, (name, _, kind) in enumerate(faults, 2)
    ]


def test_a_parquet_column_of_any_odd_type_gives_dead_letters_that_name_it(tmp_path: Path) -> None:
    odd = [pa.array([[1]]), pa.array([{"a": 1}]), pa.array([True]), pa.array([math.nan]), pa.array([b"\xff"])]
    columns = [name for name in EVENT_COLUMNS if name != "event_time"]
    for name in columns:
        for number, array in enumerate(odd):
            if name == FAILED and pa.types.is_boolean(array.type):
                continue
            record = EVENT | {"event_time": 1772359200000}
            table = pa.table({key: pa.array([value]) for key, value in record.items() if key != name} | {name: array})
            pq.write_table(table, tmp_path / f"{name}-{number}.parquet")
    found = run(f"{tmp_path}/*.parquet")
    assert found.summary["events"]["read"] == len(columns) * len(odd) - 1
    assert found.summary["events"]["valid"] == 0
    for row in found.dead_letters:
        name = Path(row["source"]).name.rpartition("-")[0]
        assert row["reason"] == "malformed"
        assert row["detail"].startswith(f"{name} is ")


def test_an_escaped_nul_is_a_character_of_its_text(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [EVENT | {"host_id": "h\x001", "user_name": "\x00"}])
    found = run(f"{tmp_path}/a.jsonl")
    (alert,) = found.alerts
    assert (alert["host"]["id"], alert["user_name"]) == ("h\x001", "\x00")


@pytest.mark.parametrize("format", ["auto", "native", "sysmon", "xdr", "ecs", "m365"])
def test_lines_that_are_no_records_are_malformed_in_every_format(format: str) -> None:
    lines = [
        b"[1]", b"17", b"null", b'"text"', b"{", b"\xff\xfe{}", b'{"a": NaN}', b'{"a": -Infinity}',
        b"\x00" * 50, b'{"a":' * 5000, b'{"a": "\\ud800"}', b"{}}", b"{'a': 1}",
    ]  # fmt: skip
    decoded = decode_lines(lines, format, load_mappings())
    assert decoded.rows == []
    assert [dead.reason for dead in decoded.rejections] == ["malformed"] * len(lines)
    assert [dead.row for dead in decoded.rejections] == list(range(len(lines)))


@pytest.mark.parametrize("nested", ["events", "xdr_data"])
def test_records_in_records_in_records_are_not_followed(nested: str) -> None:
    record: Any = {"actor_process_image_name": "a.exe", "action_remote_ip": "149.154.167.9", "event_type": "NETWORK"}
    for _ in range(200):
        record = {nested: [record], "alert_id": "1", "endpoint_id": "e"}
    decoded = decode_lines([json.dumps(record).encode()], "auto", load_mappings())
    assert len(decoded.rows) + len(decoded.rejections) == 1


def test_an_alert_of_many_bad_events_costs_no_multiple_of_its_line() -> None:
    alert = {"alert_id": "1", "endpoint_id": "e", "name": "x" * 1_000_000, "events": [1] * 500}
    line = json.dumps(alert).encode()
    batch = batch_of(decode_lines([line], "auto", load_mappings()), "a.jsonl", np.ones(1, np.int64))
    assert sum(len(letter.raw) for letter in batch.lost()) < 4 * len(line)
