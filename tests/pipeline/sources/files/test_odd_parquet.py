"""Parquet that writers make, and that damage makes: rows are events or dead letters, files are read or refused."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fuzzing.checks import Outcome, read_files
from uncommon_im.pipeline.sources.files import parquet, parquet_file
from uncommon_im.pipeline.sources.files.parquet import RowGroups, native_batches
from uncommon_im.pipeline.storage.bad_files import FAIL, UnreadableInput
from uncommon_im.transforms.rules.events import tally

TIME_US = 1_772_359_200_000_000
GOOD: dict[str, pa.Array] = {
    "event_time": pa.array([TIME_US] * 2, pa.timestamp("us", "UTC")),
    "host_id": pa.array(["h1", "h2"]),
    "process_name": pa.array(["curl"] * 2),
    "remote_host": pa.array(["api.telegram.org"] * 2),
    "process_path": pa.array(["/usr/bin/curl"] * 2),
    "bytes_sent": pa.array([1, 2]),
}


def file_of(columns: dict[str, pa.Array] | pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), sink)
    return sink.getvalue()


def read(**changes: pa.Array) -> Outcome:
    """Two good rows with other columns."""
    return read_files([file_of({**GOOD, **changes})], ".parquet")


def raw(outcome: Outcome) -> list[dict[str, Any]]:
    return [json.loads(letter.raw) for letter in outcome.letters]


def bytes_as_text(values: Sequence[bytes]) -> pa.Array:
    """A text column of any bytes: writers do not look."""
    return pa.Array.from_buffers(pa.string(), len(values), pa.array(values, pa.binary()).buffers())


def test_the_good_rows_are_communications() -> None:
    assert read().counts[tally.COMMUNICATIONS] == 2


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (pa.array([1, None], pa.timestamp("ns")), "a time"),
        (pa.array([2**62, None], pa.timestamp("us", "Europe/Berlin")), "a time"),
        (pa.array([date(2026, 3, 1), None]), "a time"),
        (pa.array([2**31 - 1, None], pa.int32()).cast(pa.date32()), "a time"),
        (pa.array([time(1), None], pa.time64("ns")), "a time"),
        (pa.array([timedelta(days=1), None], pa.duration("ns")), "a time"),
        (pa.array([[1], None]), "a list"),
        (pa.array([["a"], None], pa.list_(pa.string_view())), "a list"),
        (pa.array([{"a": "b"}, None], pa.struct([("a", pa.string_view())])), "an object"),
        (pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int8())), "a list"),
    ],
)
def test_values_that_neither_text_nor_number_holds_are_dead_letters(array: pa.Array, kind: str) -> None:
    outcome = read(process_path=array)
    assert [letter.detail for letter in outcome.letters] == [f"process_path is {kind}, expected text"]
    outcome = read(bytes_sent=array)
    assert [letter.detail for letter in outcome.letters] == [f"bytes_sent is {kind}, expected a whole number"]
    if not pa.types.is_timestamp(array.type):
        outcome = read(event_time=array)
        assert [letter.reason for letter in outcome.letters] == ["bad_timestamp", "missing_field:event_time"]


@pytest.mark.parametrize("stored", [pa.string_view(), pa.binary_view(), pa.binary(), pa.large_string()])
def test_text_of_every_layout_is_text(stored: pa.DataType) -> None:
    texts = {name: array.cast(stored) for name, array in GOOD.items() if array.type == pa.string()}
    assert read(**texts).counts == read().counts


def test_bytes_that_are_no_utf8_cost_no_row() -> None:
    outcome = read(host_id=bytes_as_text([b"h\xff", b"h2"]), process_path=bytes_as_text([b"\xc3", b"/tmp/x"]))
    assert outcome.counts == read().counts
    outcome = read(host_id=bytes_as_text([b"h\xff", b"h2"]), bytes_sent=pa.array(["x", "y"]))
    assert [row["host_id"] for row in raw(outcome)] == ["h\ufffd", "h2"]


def test_bytes_are_text_in_dead_letters_too() -> None:
    outcome = read(host_id=pa.array([b"h1", b"h2"]), bytes_sent=pa.array(["x", None]))
    assert [row["host_id"] for row in raw(outcome)] == ["h1"]


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_a_time_that_no_calendar_has_costs_its_neighbours_not_theirs(unit: str) -> None:
    """A dead letter can be read again once its cause is mended: its time is a time still."""
    value = TIME_US if unit == "us" else TIME_US * 1000 + 1
    times = pa.array([2**62, value], pa.timestamp(unit))
    far, near = raw(read(event_time=times, bytes_sent=pa.array(["x", "y"])))
    assert near["event_time"] == "2026-03-01T10:00:00+00:00"
    assert far["event_time"] == 2**62 if unit == "us" else far["event_time"].startswith("2116-")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("1.5"), timedelta(microseconds=1)])
def test_dead_letters_are_json_whatever_a_column_holds(value: object) -> None:
    outcome = read(bytes_sent=pa.array([value, value]), host_id=pa.nulls(2))
    assert len(raw(outcome)) == 2
    lines = b"".join(letter.raw.encode() + b"\n" for letter in outcome.letters)
    assert not [letter for letter in read_files([lines], ".jsonl").letters if "invalid JSON" in letter.detail]


def test_a_column_that_is_there_twice_is_refused() -> None:
    names = [*GOOD, "host_id"]
    data = file_of(pa.table([*GOOD.values(), GOOD["host_id"]], names=names))
    with pytest.raises(UnreadableInput, match="it has 2 columns host_id: which of them counts"):
        read_files([data], ".parquet", on_bad_file="fail")
    assert len(read_files([data], ".parquet").unreadable) == 1


def test_further_columns_may_be_there_twice() -> None:
    table = pa.table([*GOOD.values(), pa.nulls(2), pa.nulls(2)], names=[*GOOD, "note", "note"])
    assert read_files([file_of(table)], ".parquet").counts == read().counts


def test_few_bytes_that_claim_many_records_are_refused() -> None:
    many = pa.repeat(pa.scalar("h1"), (1 << 23) + 1).dictionary_encode()
    sink = io.BytesIO()
    pq.write_table(pa.table({"host_id": many}), sink, row_group_size=len(many))
    assert len(sink.getvalue()) < 1_000_000
    with pytest.raises(UnreadableInput, match="row group 0 claims 8,388,609 records, more than 8,388,608: write it"):
        read_files([sink.getvalue()], ".parquet", on_bad_file="fail")


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_row_group_in_several_batches_gives_the_same_events_and_dead_letters(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    hosts = pa.array([None if row % 3 else f"h{row}" for row in range(20)])
    rows = {name: pa.concat_arrays([column] * 10) for name, column in GOOD.items()} | {"host_id": hosts}
    content = file_of(rows)
    whole = read_files([content], ".parquet")
    monkeypatch.setattr(parquet, "BATCH_RECORDS", size)
    parts = read_files([content], ".parquet")
    assert parts.counts == whole.counts
    assert [replace(letter, source="") for letter in parts.letters] == [
        replace(letter, source="") for letter in whole.letters
    ]
    assert [letter.record for letter in whole.letters] == [row + 1 for row in range(20) if row % 3]


def test_batches_of_a_row_group_are_bounded_and_read_each_column_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(file_of({"host_id": pa.array([f"h{row}" for row in range(20)])}))
    monkeypatch.setattr(parquet, "BATCH_RECORDS", 8)
    parts = list(RowGroups.one(str(path), 0).parts())
    assert [(part.num_rows, part.first_record) for part in parts] == [(8, 1), (8, 9), (4, 17)]
    assert [value for part in parts for value in part.column("host_id").to_pylist()] == [f"h{row}" for row in range(20)]
    again = pickle.loads(pickle.dumps(parts[1]))
    path.unlink()
    assert [part.column("host_id").to_pylist() for part in (parts[1], again)] == [
        [f"h{row}" for row in range(8, 16)]
    ] * 2


def texts(rows: int, values: int) -> dict[str, pa.Array]:
    """Native columns; host id and name have so many values."""
    numbers = [number % values for number in range(rows)]
    return {
        "event_time": pa.array([TIME_US] * rows, pa.timestamp("us", "UTC")),
        "host_id": pa.array([f"h{number}" for number in numbers]),
        "process_name": pa.array(["curl"] * rows),
        "remote_host": pa.array([f"h{number}.telegram.org" for number in numbers]),
    }


def test_columns_of_many_values_are_read_as_text_of_few_as_dictionaries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "FORMS", parquet_file.Forms())
    monkeypatch.setattr(parquet_file, "FORMS", parquet.FORMS)
    seen = []
    for number, values in enumerate((5_000, 5_000, 9, 9)):
        path = tmp_path / f"{number}.parquet"
        path.write_bytes(file_of(texts(5_000, values)))
        column = RowGroups.one(str(path), 0).column("remote_host")
        assert column is not None
        seen.append(pa.types.is_dictionary(column.type))
        assert column.to_pylist() == texts(5_000, values)["remote_host"].to_pylist()
    assert seen == [True, False, False, True]


@pytest.mark.parametrize("values", [9, 20_000])
def test_the_form_in_which_text_is_read_makes_no_difference(values: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for plain in (set(), set(texts(1, 1))):
        forms = parquet_file.Forms()
        forms._plain = plain
        monkeypatch.setattr(parquet, "FORMS", forms)
        monkeypatch.setattr(parquet_file, "FORMS", forms)
        found.append(read_files([file_of(texts(20_000, values))], ".parquet"))
    assert found[0] == found[1]
    assert found[0].counts[tally.COMMUNICATIONS] == 20_000


def groups_of(count: int, size: int) -> bytes:
    sink = io.BytesIO()
    hosts = pa.array([None if row % 5 == 3 else f"h{row}" for row in range(count * size)])
    rows = {name: pa.concat_arrays([column.slice(0, 1)] * count * size) for name, column in GOOD.items()}
    pq.write_table(pa.table(rows | {"host_id": hosts}), sink, row_group_size=size)
    return sink.getvalue()


def sizes(path: Path, numbers: range) -> list[tuple[int, int]]:
    """(first record, records) of the batches of some row groups."""
    return [(batch.first_record, batch.num_rows) for batch in native_batches(str(path), numbers, FAIL)]


def test_small_row_groups_are_read_together_and_large_ones_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(groups_of(10, 3))
    assert sizes(path, range(10)) == [(1, 30)]
    assert sizes(path, range(2, 4)) == [(7, 6)]
    monkeypatch.setattr(parquet, "MERGED_RECORDS", 7)
    assert sizes(path, range(1, 6)) == [(4, 6), (10, 6), (16, 3)]
    monkeypatch.setattr(parquet, "MERGED_RECORDS", 2)
    monkeypatch.setattr(parquet, "BATCH_RECORDS", 2)
    assert sizes(path, range(2)) == [(1, 2), (3, 1), (4, 2), (6, 1)]


@pytest.mark.parametrize("size", [1, 4])
def test_row_groups_together_give_what_each_gives_alone(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    content = groups_of(12, size)
    together = read_files([content], ".parquet")
    monkeypatch.setattr(parquet, "MERGED_RECORDS", 0)
    alone = read_files([content], ".parquet")
    assert together.counts == alone.counts
    assert [letter.record for letter in together.letters] == [letter.record for letter in alone.letters]
    assert together.counts[tally.COMMUNICATIONS] > 0


def test_damage_costs_its_row_group_and_not_those_that_are_read_with_it() -> None:
    whole = groups_of(12, 4)
    group = pq.ParquetFile(io.BytesIO(whole)).metadata.row_group(5)
    (host,) = (c for c in map(group.column, range(group.num_columns)) if c.path_in_schema == "host_id")
    damaged = bytearray(whole)
    start = host.dictionary_page_offset
    damaged[start : start + host.total_compressed_size] = b"\xff" * host.total_compressed_size
    outcome = read_files([bytes(damaged)], ".parquet")
    lost = [letter for letter in outcome.letters if "cannot be read" in letter.detail]
    assert [letter.record for letter in lost] == [21]
    expected = read_files([whole], ".parquet").counts[tally.VALID]
    assert outcome.counts[tally.VALID] == expected - sum(row % 5 != 3 for row in range(20, 24))
