"""History put in the order of arrival: any input of the backfill as blocks of arrivals, sorted once, on disk.

Arrival times are those of a column, or are made: each record takes up to the allowed lateness, by a seed. Sorting is
by hours: parts of an hour are collected on disk and sorted one hour after the other, so that memory is bounded.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.parquet import RowGroups
from uncommon_im.pipeline.sources.files.readings import InputFile, Reading, plan_readings
from uncommon_im.pipeline.sources.queues.arrivals import ARRIVAL, LINE, PLACE, by_schema, compact, write_block
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.columns.coerce import coerce_array, coerce_values
from uncommon_im.transforms.rules.columns.column import Longs, numbers_of
from uncommon_im.transforms.rules.columns.days import HOUR_US
from uncommon_im.transforms.rules.columns.json_lines import parse_line
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.decode import Decoder

INDEX: Final = "index.json"
BLOCK_RECORDS: Final = 20_000
"""Records of a block at most."""
_MEMORY_BYTES: Final = 1 << 28
"""Size of the arrivals that are kept in memory while they are collected."""
_TABLE_BYTES: Final = 1 << 14
"""What a table takes beside its values: where times are scattered, each record is one."""
_RECORDS: Final = 50_000
"""Records that are decoded at a time; lines may hold many."""


@dataclass(frozen=True)
class ArrivalTimes:
    """When records arrived.

    Args:
        column: column of Parquet files, or key at the top of JSON records, that says so; `None`: it is made.
        seed: delays each record by up to `lateness`; `None`: each arrives when it happens.
        lateness: µs.
        since: records that arrived before (µs since 1970) are not read; `None`: all are.
    """

    column: str | None = None
    seed: int | None = None
    lateness: int = 0
    since: int | None = None


@dataclass(frozen=True)
class BlockPlace:
    """Where a block is, how many records it has, and when the first of them arrived (µs)."""

    file: str
    offset: int
    size: int
    records: int
    arrival: int


def spool(files: list[InputFile], options: JsonOptions, times: ArrivalTimes, folder: Path) -> list[BlockPlace]:
    """Sorts all records of some files by arrival into blocks in a folder; what is left of its parts is deleted.

    Raises:
        UnreadableInput: a file cannot be read, and the policy is to fail.
        ConfigurationError: a file has no such column of arrival times.
    """
    parts = _Parts(folder / "parts")
    for file in files:
        for reading in plan_readings(file, options):
            for table in _read(reading, options, times):
                parts.add(table)
    parts.flush()
    index = [place for hour in parts.hours for place in _sorted(parts.tables(hour), folder, hour)]
    shutil.rmtree(folder / "parts", ignore_errors=True)
    (folder / INDEX).write_bytes(msgspec.json.encode(index))
    return index


@cache
def index_of(folder: str) -> list[BlockPlace]:
    """The blocks of a folder, in the order of arrival."""
    return msgspec.json.decode(Path(folder, INDEX).read_bytes(), type=list[BlockPlace])


def read_block(folder: str, place: BlockPlace) -> bytes:
    """A block."""
    with Path(folder, place.file).open("rb") as stream:
        stream.seek(place.offset)
        return stream.read(place.size)


class _Parts:
    """Arrivals by their hours: in memory up to a bound, then on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables: defaultdict[int, list[pa.Table]] = defaultdict(list)
        self._bytes = 0
        self._files: defaultdict[int, list[Path]] = defaultdict(list)

    @property
    def hours(self) -> list[int]:
        return sorted(self._files)

    def add(self, table: pa.Table) -> None:
        hour = table.column(ARRIVAL).to_numpy() // HOUR_US
        order = np.argsort(hour, kind="stable")
        borders = np.flatnonzero(np.diff(hour[order])) + 1
        for rows in np.split(order, borders):
            if len(rows):
                self._tables[int(hour[rows[0]])].append(table.take(pa.array(rows)))
                self._bytes += _TABLE_BYTES
        self._bytes += table.nbytes
        if self._bytes > _MEMORY_BYTES:
            self.flush()

    def flush(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for hour, tables in self._tables.items():
            for table in by_schema(tables):
                path = self._folder / f"{hour}-{len(self._files[hour])}"
                with ipc.new_stream(str(path), table.schema) as writer:
                    writer.write_table(table)
                self._files[hour].append(path)
        self._tables.clear()
        self._bytes = 0

    def tables(self, hour: int) -> list[pa.Table]:
        tables = []
        for path in self._files[hour]:
            with pa.memory_map(str(path)) as stream:
                tables.append(ipc.open_stream(stream.read_buffer()).read_all())
        return by_schema(tables)


def _sorted(tables: list[pa.Table], folder: Path, hour: int) -> Iterator[BlockPlace]:
    """Writes the blocks of an hour: cut into spans of time, in each span a block a schema."""
    ordered = [table.sort_by(ARRIVAL) for table in tables]
    arrivals = [table.column(ARRIVAL).to_numpy() for table in ordered]
    every = np.sort(np.concatenate(arrivals))
    starts = np.unique(every[::BLOCK_RECORDS])
    name = f"hour-{hour}"
    with (folder / name).open("wb") as stream:
        for number, start in enumerate(starts.tolist()):
            end = starts[number + 1] if number + 1 < len(starts) else np.inf
            for table, times in zip(ordered, arrivals, strict=True):
                first, last = np.searchsorted(times, start), np.searchsorted(times, end)
                if last > first:
                    block = write_block(compact(table.slice(first, last - first)))
                    yield BlockPlace(name, stream.tell(), len(block), int(last - first), start)
                    stream.write(block)


def _read(reading: Reading, options: JsonOptions, times: ArrivalTimes) -> Iterator[pa.Table]:
    """The records of a reading with when they arrived."""
    path = reading.source
    if reading.lost is None and reading.native_groups is not None:
        for number in reading.native_groups:
            for part in RowGroups.one(path, number, options.policy).parts():
                yield _since(_of_rows(part, times), times)
        return
    for block in reading.blocks(options.policy):
        if len(block.lines):
            yield _since(_of_lines(list(block.lines), path, block.numbers, options, times), times)
        if block.lost:
            letters = [_line_of(letter.row()) for letter in block.lost]
            numbers = np.array([letter.record for letter in block.lost], np.int64)
            yield _since(_of_lines(letters, path, numbers, options, times), times)


def _since(table: pa.Table, times: ArrivalTimes) -> pa.Table:
    if times.since is None:
        return table
    return table.filter(pa.array(table.column(ARRIVAL).to_numpy() >= times.since))


def _line_of(letter: dict[str, object]) -> bytes:
    """A dead letter as a line: read again it is the same dead letter."""
    return json.dumps(letter, ensure_ascii=False).encode()


def _of_lines(lines: list[bytes], path: str, numbers: Longs, options: JsonOptions, times: ArrivalTimes) -> pa.Table:
    event_time = np.full(len(lines), -1, np.int64)
    decoder = Decoder(options.format, load_mappings(), options.keep_domain)
    for decoded in decoder.parts(lines, _RECORDS):
        values = _micros(coerce_values("event_time", [row.get("event_time") for row in decoded.rows])[0])
        for row, line in enumerate(decoded.rows_line):
            if event_time[line] < 0:
                event_time[line] = values[row]
    column = None
    if times.column is not None:
        column = _micros(coerce_values("event_time", [_key(line, times.column) for line in lines])[0])
    arrival = _arrivals(event_time, column, path, numbers, times)
    return _table(arrival, path, numbers, {LINE: pa.array(lines, pa.binary())})


def _of_rows(group: RowGroups, times: ArrivalTimes) -> pa.Table:
    columns = {name: column for name in EVENT_COLUMNS if (column := group.column(name)) is not None}
    event_time = _micros(columns["event_time"]) if "event_time" in columns else np.full(group.num_rows, -1, np.int64)
    column = None
    if times.column is not None:
        try:
            column = _micros(group.other(times.column).combine_chunks())
        except KeyError:
            raise ConfigurationError(f"--arrival-column: {group.path} has no column {times.column}") from None
    numbers = np.arange(group.first_record, group.first_record + group.num_rows)
    arrival = _arrivals(event_time, column, group.path, numbers, times)
    return _table(arrival, group.path, numbers, columns)


def _table(arrival: Longs, path: str, numbers: Longs, columns: dict[str, pa.Array]) -> pa.Table:
    source = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(arrival), np.int32)), [path])
    place = dict(zip(PLACE, (pa.array(arrival), source, pa.array(numbers)), strict=True))
    return pa.table(place | columns)


def _arrivals(event_time: Longs, column: Longs | None, path: str, numbers: Longs, times: ArrivalTimes) -> Longs:
    """When records arrived: where that is not known, when the record before did."""
    if column is not None:
        return _filled(column)
    arrival = _filled(event_time)
    if times.seed is None:
        return arrival
    salt = (zlib.crc32(path.encode()) << 32) ^ times.seed
    mixed = _mixed(numbers.astype(np.uint64) ^ np.uint64(salt % 2**64))
    return arrival + (mixed % np.uint64(times.lateness + 1)).astype(np.int64)


def _micros(column: pa.Array) -> Longs:
    """A column of times in µs, -1 where there is none and for those that no clock shows."""
    numbers = numbers_of(coerce_array("event_time", column)[0])
    return np.where(numbers.present, numbers.values, -1)


def _filled(times: Longs) -> Longs:
    """Times with each -1 replaced by the one before it, or by the first that there is, or by 0."""
    known = np.flatnonzero(times >= 0)
    if not len(known):
        return np.zeros_like(times)
    before = np.searchsorted(known, np.arange(len(times)), side="right") - 1
    return times[known[np.maximum(before, 0)]]


def _mixed(numbers: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Numbers that look random and are the same on every machine (splitmix64)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _key(line: bytes, key: str) -> object:
    """The value of a key at the top of a JSON record; `None` if there is none."""
    record = parse_line(line)
    return None if isinstance(record, Rejection) else record.get(key)
