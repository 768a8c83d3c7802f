"""Parquet files with columns of every type that Parquet knows, in every layout; and mutations of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzzing.line_mutation import Bytewise
from tests.fuzzing.vocabulary import fitting
from uncommon_im.schemas.event import EVENT_COLUMNS

_TEXTS: Final = ("", " - ", "null", "İ", "a\0b", "x" * 300, "xn--", "[::]", "9" * 25, "\u2028", "１", "443", "h1")
_BYTES: Final = (b"", b"a", b"\xff", b"\xc3", b"\xed\xa0\x80", b"h1\0", b"api.telegram.org")
_NUMBERS: Final = (0, 1, -1, 127, 443, 2**31 - 1, 1772359200000, 2**63 - 1, -(2**63))
_FLOATS: Final = (0.0, -0.0, 1.5, 443.0, 1e300, float("inf"), float("nan"), 1.7723592e12)
_MOMENTS: Final = (0, 1772359200, 1772359200000, 1772359200000000, 1772359200000000001, -(2**62), 2**63 - 1)
_ZONES: Final = (None, "UTC", "Europe/Berlin", "+01:00")

Maker = Callable[[Random, int], pa.Array]


def _some(values: tuple[Any, ...], stored: pa.DataType) -> Maker:
    """Columns of a type, of values that it can hold, with and without nulls."""
    held = [value for value in values if _holds(stored, value)]

    def make(random: Random, rows: int) -> pa.Array:
        nulls = random.choice((0.0, 0.3, 1.0))
        return pa.array([None if random.random() < nulls else random.choice(held) for _ in range(rows)], stored)

    return make


def _holds(stored: pa.DataType, value: Any) -> bool:
    try:
        pa.array([value], stored)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return False
    return True


def _no_text(random: Random, rows: int) -> pa.Array:
    """A text column with bytes that are no UTF-8: writers do not look."""
    held = pa.array([random.choice(_BYTES) for _ in range(rows)], pa.binary())
    return pa.Array.from_buffers(pa.string(), rows, held.buffers())


def _dictionary(random: Random, rows: int) -> pa.Array:
    values = [*random.sample(_TEXTS, 3), None]
    indices = pa.array([random.choice((0, 1, 2, 3, None)) for _ in range(rows)], pa.int8())
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, random.choice((pa.string(), pa.large_string()))))


def _timestamps(random: Random, rows: int) -> pa.Array:
    stored = pa.timestamp(random.choice(("s", "ms", "us", "ns")), random.choice(_ZONES))
    held = [value for value in _MOMENTS if stored.unit != "s" or abs(value) < 2**40]
    return pa.array([random.choice(held) for _ in range(rows)], pa.int64()).cast(stored)


MAKERS: Final[tuple[Maker, ...]] = (
    *(_some(_TEXTS, stored) for stored in (pa.string(), pa.large_string(), pa.string_view())),
    *(_some(_BYTES, stored) for stored in (pa.binary(), pa.large_binary(), pa.binary_view())),
    *(_some(_NUMBERS, stored) for stored in (pa.int8(), pa.int16(), pa.int32(), pa.int64())),
    *(_some(_NUMBERS, stored) for stored in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())),
    *(_some(_FLOATS, stored) for stored in (pa.float16(), pa.float32(), pa.float64())),
    *(_some(_NUMBERS, stored) for stored in (pa.date32(), pa.date64(), pa.time32("ms"), pa.time64("ns"))),
    *(_some(_NUMBERS, pa.duration(unit)) for unit in ("s", "ns")),
    *(_some(_NUMBERS, stored) for stored in (pa.decimal128(38, 4), pa.decimal256(60, 0))),
    _some((True, False), pa.bool_()),
    _some((b"abcd", b"\xff\0\xff\0"), pa.binary(4)),
    _some((None,), pa.null()),
    _some(([], [1], [None, 2]), pa.list_(pa.int64())),
    _some(([], ["h1"]), pa.large_list(pa.string())),
    _some((["h1"],), pa.list_(pa.string_view())),
    _some(({"a": 1}, {"a": None}), pa.struct([("a", pa.int32())])),
    _some(({"a": "x"},), pa.struct([("a", pa.string_view())])),
    _some(([("k", "v")], []), pa.map_(pa.string(), pa.string())),
    _no_text,
    _dictionary,
    _timestamps,
)


def random_table(random: Random) -> pa.Table:
    """Native events, each column of its own type or of any other."""
    rows = random.choice((0, 1, 2, 3, 8))
    share, odd = random.choice((0.3, 0.7, 1.0)), random.choice((0.0, 0.1, 0.1, 0.6))
    names, arrays = [], []
    for name in EVENT_COLUMNS:
        if random.random() > share and name not in ("event_time", "host_id", "process_name", "remote_host"):
            continue
        for _ in range(2 if random.random() < 0.01 else 1):
            names.append(name)
            arrays.append(
                random.choice(MAKERS)(random, rows) if random.random() < odd else _fitting(random, name, rows)
            )
    return pa.table(arrays, names=names)


def written(table: pa.Table, random: Random) -> bytes:
    """A table as a Parquet file, in one of the layouts that writers have."""
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        row_group_size=random.choice((max(1, table.num_rows // 2), 1000)),
        version=random.choice(("1.0", "2.4", "2.6")),
        data_page_version=random.choice(("1.0", "2.0")),
        use_dictionary=random.random() < 0.5,
        compression=random.choice(("none", "none", "snappy", "gzip", "zstd", "lz4", "brotli")),
        write_statistics=random.random() < 0.5,
        store_schema=random.random() < 0.5,
        use_deprecated_int96_timestamps=random.random() < 0.1,
    )
    return sink.getvalue()


def random_file(random: Random) -> bytes:
    """A Parquet file of a table that can be written."""
    while True:
        try:
            return written(random_table(random), random)
        except (pa.ArrowException, ValueError, OSError):  # no layout holds every type
            continue


def mutate_parquet(data: bytes, size: int, random: Random, bytewise: Bytewise) -> bytes:
    """Another table, the same table with another column, or other bytes, most of them in the footer."""
    choice = random.random()
    if choice < 0.3 or len(data) < 12:
        made = random_file(random)
        return made if len(made) <= size else data
    if choice < 0.5:
        return _with_other_column(data, random)[:size]
    if choice < 0.8:
        footer = int.from_bytes(data[-8:-4], "little")
        start = max(4, len(data) - 8 - footer) if random.random() < 0.7 else 4
        changed = bytearray(data)
        for _ in range(random.choice((1, 1, 2, 5))):
            changed[random.randrange(start, len(data) - 4)] = random.choice(
                (0, 1, 0x7F, 0x80, 0xFF, random.randrange(256))
            )
        return bytes(changed)
    return bytewise(data, size)


def _fitting(random: Random, name: str, rows: int) -> pa.Array:
    if EVENT_COLUMNS[name] == "time":
        moments = [1_772_359_200_000_000 + random.randrange(10**12) for _ in range(rows)]
        return pa.array(moments, pa.timestamp("us", "UTC"))
    if EVENT_COLUMNS[name] == "integer":
        return pa.array([random.choice((None, 0, 443)) for _ in range(rows)], pa.int64())
    values = [str(value) for value in fitting(name)]
    return pa.array([random.choice(values) for _ in range(rows)], pa.string())


def _with_other_column(data: bytes, random: Random) -> bytes:
    try:
        table = pq.read_table(pa.BufferReader(data))
        name = random.choice(tuple(EVENT_COLUMNS))
        made = random.choice(MAKERS)(random, table.num_rows)
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, made)
        else:
            table = table.append_column(name, made)
        return written(table, random)
    except (pa.ArrowException, ValueError, OSError, KeyError):  # a file that cannot be read, or a table not written
        return data
