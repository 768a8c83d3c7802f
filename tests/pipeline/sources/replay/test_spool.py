"""History in the order of arrival: complete, in order, the same on every machine. No engine."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.organisations import random_organisation
from tests.running import write_lines, write_parquet
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals, block_of_lines
from uncommon_im.pipeline.sources.replay import spool as spooling
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes, BlockPlace, read_block, spool
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy, UnreadableInput
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.columns.days import rfc3339
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.events.raw_batch import RawBatch

SECOND = 1_000_000
NOON = 1_772_366_400 * SECOND


def talk(time: int, **more: Any) -> dict[str, Any]:
    record = {"event_time": rfc3339(time), "host_id": "h1", "process_name": "curl", "remote_host": "api.telegram.org"}
    return record | more


def blocks(folder: Path, index: list[BlockPlace]) -> list[tuple[RawBatch, Longs]]:
    reader = OpenArrivals(JsonOptions())
    return [batch for place in index for batch in reader(read_block(str(folder), place))]


def spooled(folder: Path, patterns: str, times: ArrivalTimes, options: JsonOptions | None = None) -> list[BlockPlace]:
    target = folder / "spool"
    target.mkdir(exist_ok=True)
    return spool(match_files([patterns]), options or JsonOptions(), times, target)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 7), records=st.sampled_from((3, 50, 20_000)), held=st.sampled_from((1, 1 << 28)))
def test_every_record_is_in_one_block_and_blocks_come_in_the_order_of_arrival(
    seed: int, records: int, held: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    organisation, chooser = random_organisation(seed), random.Random(seed)
    chooser.shuffle(organisation.records)
    half = len(organisation.records) // 2
    write_lines(folder / "a.jsonl.gz", organisation.records[:half])
    write_parquet(folder / "b.parquet", organisation.records[half:], row_group_size=83)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spooling, "BLOCK_RECORDS", records)
        patch.setattr(spooling, "_MEMORY_BYTES", held)
        index = spooled(folder, f"{folder}/*.*", ArrivalTimes(seed=seed, lateness=600 * SECOND))
    assert sum(place.records for place in index) == len(organisation.records)
    assert [place.arrival for place in index] == sorted(place.arrival for place in index)
    found = blocks(folder / "spool", index)
    following = [*(place.arrival for place in index[1:]), 2**62]
    for (batch, arrival), place, after in zip(found, index, following, strict=True):
        assert batch.num_rows == len(arrival)
        assert all(place.arrival <= at for at in arrival.tolist())
        assert all(at < after or after == place.arrival for at in arrival.tolist())
    valid = sum(int(Events(batch).valid.sum()) for batch, _ in found)
    assert valid > len(organisation.records) * 0.8


def test_a_seed_delays_each_record_by_up_to_the_lateness_and_no_seed_by_nothing(tmp_path: Path) -> None:
    write_lines(tmp_path / "e.jsonl", [talk(NOON + n * SECOND) for n in range(500)])
    delays = {}
    for seed in (None, 1, 2):
        times = ArrivalTimes(seed=seed, lateness=60 * SECOND)
        found = blocks(tmp_path / "spool", spooled(tmp_path, str(tmp_path / "e.jsonl"), times))
        delays[seed] = [
            int(at - t) for batch, arrival in found for at, t in zip(arrival, Events(batch).time.values, strict=True)
        ]
    assert set(delays[None]) == {0}
    assert delays[1] != delays[2]
    for seed in (1, 2):
        assert 0 <= min(delays[seed]) < 5 * SECOND < 55 * SECOND < max(delays[seed]) <= 60 * SECOND


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_arrival_times_can_be_given(kind: str, tmp_path: Path) -> None:
    records = [talk(NOON + n * SECOND) for n in range(5)]
    path = tmp_path / f"e.{kind}"
    if kind == "jsonl":
        write_lines(path, [record | {"seen": rfc3339(NOON + (9 - n) * SECOND)} for n, record in enumerate(records)])
    else:
        write_parquet(path, records)
        seen = pa.array([NOON + (9 - n) * SECOND for n in range(5)], pa.timestamp("us"))
        pq.write_table(pq.read_table(path).append_column("seen", seen), path)
    ((_, arrival),) = blocks(tmp_path / "spool", spooled(tmp_path, str(path), ArrivalTimes(column="seen")))
    assert [(at - NOON) // SECOND for at in arrival.tolist()] == [5, 6, 7, 8, 9]


def test_a_file_without_the_column_of_arrival_times_is_refused_by_name(tmp_path: Path) -> None:
    write_parquet(tmp_path / "e.parquet", [talk(NOON)])
    with pytest.raises(ConfigurationError, match=r"--arrival-column: .*e\.parquet has no column seen"):
        spooled(tmp_path, str(tmp_path / "e.parquet"), ArrivalTimes(column="seen"))


def test_what_arrived_before_a_day_can_be_left_out(tmp_path: Path) -> None:
    write_lines(tmp_path / "e.jsonl", [talk(NOON - SECOND), talk(NOON)])
    (place,) = spooled(tmp_path, str(tmp_path / "e.jsonl"), ArrivalTimes(since=NOON))
    assert (place.records, place.arrival) == (1, NOON)


def test_dead_letters_name_the_file_and_the_line_that_they_came_from(tmp_path: Path) -> None:
    lines = ["{broken", '{"event_time": "2026-03-01T12:00:00Z"}', '{"host_id": "h", "event_time": "soon"}']
    (tmp_path / "e.jsonl").write_text("\n".join(lines))
    found = blocks(tmp_path / "spool", spooled(tmp_path, str(tmp_path / "e.jsonl"), ArrivalTimes()))
    letters = [
        letter for batch, _ in found for letter in [*batch.lost(), *batch.dead_letters(Events(batch).rejections())]
    ]
    assert sorted((letter.record, letter.reason) for letter in letters) == [
        (1, "malformed"),
        (2, "missing_field:host_id"),
        (3, "missing_field:process_name"),
    ]
    assert {letter.source for letter in letters} == {str(tmp_path / "e.jsonl")}
    assert [letter.raw for letter in sorted(letters, key=lambda letter: letter.record)] == lines


def test_rows_of_parquet_keep_their_place_too(tmp_path: Path) -> None:
    write_parquet(tmp_path / "e.parquet", [talk(NOON), talk(NOON - SECOND) | {"host_id": None}], row_group_size=1)
    found = blocks(tmp_path / "spool", spooled(tmp_path, str(tmp_path / "e.parquet"), ArrivalTimes()))
    (letter,) = (letter for batch, _ in found for letter in batch.dead_letters(Events(batch).rejections()))
    assert (letter.source, letter.record, letter.reason) == (str(tmp_path / "e.parquet"), 2, "missing_field:host_id")


def test_a_damaged_file_ends_the_run_or_costs_one_dead_letter(tmp_path: Path) -> None:
    write_lines(tmp_path / "e.jsonl.gz", [talk(NOON + n * SECOND) for n in range(5000)])
    whole = (tmp_path / "e.jsonl.gz").read_bytes()
    (tmp_path / "e.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableInput, match="cannot be read from record"):
        spooled(tmp_path, str(tmp_path / "e.jsonl.gz"), ArrivalTimes())
    options = JsonOptions(policy=BadFilePolicy("skip"))
    found = blocks(tmp_path / "spool", spooled(tmp_path, str(tmp_path / "e.jsonl.gz"), ArrivalTimes(), options))
    assert sum(len(batch.lost()) for batch, _ in found) == 1
    assert 0 < sum(batch.num_rows for batch, _ in found) < 5000


def test_lines_of_a_message_are_a_block_by_themselves() -> None:
    block = block_of_lines([b"[1]", b'{"host_id": 3}'], [NOON, NOON + 1], "topic", 7)
    ((batch, arrival),) = OpenArrivals(JsonOptions())(block)
    assert [(letter.source, letter.record) for letter in batch.lost()] == [("topic", 7)]
    assert arrival.tolist() == [NOON + 1]
