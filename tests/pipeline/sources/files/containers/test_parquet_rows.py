"""Parquet files of any vendor's columns are records; native ones stay columns."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.pipeline.sources.files.samples import ROWS, parquet_of, read, read_and_valid, said
from uncommon_im.pipeline.sources.files import readings
from uncommon_im.pipeline.sources.files.containers.gathering import Item
from uncommon_im.pipeline.sources.files.containers.parquet_rows import open_rows, parquet_items
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.readings import InputFile, plan_readings

NATIVE = {
    "event_time": pa.array([datetime(2026, 3, 3, 10, tzinfo=UTC)], pa.timestamp("us", "UTC")),
    "host_id": pa.array(["h"]),
    "process_name": pa.array(["curl"]),
    "remote_host": pa.array(["api.telegram.org"]),
}


def value_of(tmp_path: Path, array: pa.Array) -> Any:
    path = str(tmp_path / "a")
    pq.write_table(pa.table({"v": array}), path)
    found: list[Item] = list(parquet_items(open_rows(path), (0,)))
    assert isinstance(found[0], bytes)
    return json.loads(found[0]).get("v")


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1772532000123456789], pa.timestamp("ns")), "2026-03-03T10:00:00.123456Z"),
        (pa.array([1772532000123], pa.timestamp("ms", "Europe/Berlin")), "2026-03-03T10:00:00.123000Z"),
        (pa.array([253402300800000000], pa.timestamp("us", "UTC")), "10000-01-01 00:00:00.000000Z"),
        (pa.array([date(2026, 3, 3)]), "2026-03-03"),
        (pa.array([Decimal("1.50")]), "1.50"),
        (pa.array([timedelta(seconds=1)], pa.duration("us")), 1_000_000),
        (pa.array([b"\xffa"]), "\ufffda"),
        (pa.array([{"ip": "1.2.3.4", "port": 443, "none": None}]), {"ip": "1.2.3.4", "port": 443, "none": None}),
        (pa.array([[{"a": [datetime(2026, 3, 3)]}]]), [{"a": ["2026-03-03T00:00:00Z"]}]),
        (pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())), {"k": "v"}),
        (pa.array(["x"]).dictionary_encode(), "x"),
        (pa.array([None], pa.string()), None),
        (pa.array([float("inf")]), None),
    ],
)
def test_values_become_json(tmp_path: Path, array: pa.Array, expected: object) -> None:
    assert value_of(tmp_path, array) == expected


def test_text_that_is_no_utf8_is_replaced(tmp_path: Path) -> None:
    for kind in (pa.string(), pa.large_string()):
        bad = pa.Array.from_buffers(
            kind,
            1,
            pa.array([b"a\xff"], pa.binary())
            .cast(pa.large_binary() if kind == pa.large_string() else pa.binary())
            .buffers(),
        )
        assert value_of(tmp_path, bad) == "a\ufffd"


def test_rows_of_a_vendor_are_read_in_the_format_that_is_given() -> None:
    assert read_and_valid(read(parquet_of(), "m365")) == (2, 2)
    assert read_and_valid(read(parquet_of())) == (2, 2)
    assert said(read(parquet_of(), "native"))[0][1].startswith("event_time is missing")


@pytest.mark.parametrize(("format", "native"), [("auto", True), ("native", True), ("m365", False)])
def test_native_columns_are_read_as_columns(tmp_path: Path, format: str, native: bool) -> None:
    path = tmp_path / "a"
    path.write_bytes(parquet_of(NATIVE))
    (reading,) = plan_readings(InputFile(str(path), 1, "1/1"), JsonOptions(format))
    assert (reading.row_groups, reading.native) == (range(1), native)


def test_rows_of_every_group_have_their_number_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "MERGED_RECORDS", 1)
    path = tmp_path / "a"
    pq.write_table(pa.Table.from_pylist([{"DeviceId": "d", "ActionType": "x", "n": n} for n in range(20)]), path, 1)
    planned = list(plan_readings(InputFile(str(path), 1, "1/1"), JsonOptions()))
    assert [reading.row_groups for reading in planned] == [range(8), range(8, 16), range(16, 20)]
    blocks = [block for reading in planned for block in reading.blocks(JsonOptions().policy)]
    assert [number for block in blocks for number in block.numbers.tolist()] == list(range(1, 21))
    assert [json.loads(line)["n"] for block in blocks for line in block.lines] == list(range(20))


def test_a_column_that_is_there_twice_makes_the_file_unreadable() -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["DeviceId", "DeviceId"])
    assert said(read(_bytes(table))) == [
        (1, "cannot be read from record 1 on: it has 2 columns DeviceId: which of them counts?")
    ]


def test_damaged_pages_are_one_clear_line() -> None:
    data = bytearray(parquet_of())
    data[4:120] = bytes(116)
    (letter,) = read(bytes(data)).letters
    assert letter.detail.startswith("cannot be read from record 1 on: ")


def test_the_same_long_text_a_thousand_times_takes_its_memory_once() -> None:
    rows = {name: [value] * 1000 for name, value in ROWS[0].items()}
    outcome = read(parquet_of({**rows, "AdditionalFields": ["x" * 100_000] * 1000}))
    assert outcome.counts[("events", "valid")] == 1000


def _bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())
