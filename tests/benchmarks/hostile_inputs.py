"""What input that nobody means well costs to read: time and peak memory at 1, 10 and 100 times its size.

`python -m tests.benchmarks.hostile_inputs [--kinds blank,tiny] [--ways scan] [--times 1,10,100]`

Each file is read by a process of its own, by each way that reads it: `scan` as a backfill's worker does, `object` and
`message` as a stream does, `spool` as a replay does. What a process takes that reads an empty file is left out of the
time. A kind is linear if the time a unit does not grow and the peak does not follow the size.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from tests.benchmarks.measuring import machine, measure

WAYS: Final = ("scan", "object", "message", "spool")
_PIECE: Final = 1 << 20
_EVENT: Final = (
    b'{"event_time":"2026-03-01T10:00:00Z","host_id":"h%d","process_name":"curl","remote_host":"api.telegram.org"}\n'
)


def repeated(line: bytes) -> Callable[[int], Iterator[bytes]]:
    """A text of so many times a line, in pieces."""

    def pieces(times: int) -> Iterator[bytes]:
        many = max(1, _PIECE // len(line))
        for first in range(0, times, many):
            yield line * min(many, times - first)

    return pieces


def ordinary(times: int) -> Iterator[bytes]:
    """Records as they should be."""
    for first in range(0, times, 10_000):
        yield b"".join(_EVENT % (number % 997) for number in range(first, min(first + 10_000, times)))


def one_line(times: int) -> Iterator[bytes]:
    """One line of so many spaces."""
    yield from repeated(b" ")(times)


KINDS: Final[dict[str, tuple[int, Callable[[int], Iterator[bytes]], str]]] = {
    "ordinary": (2_000, ordinary, "records"),
    "blank": (6_000_000, repeated(b"\n"), "blank lines"),
    "spaces": (1_000_000, repeated(b"   \t \n"), "lines of spaces"),
    "returns": (2_000_000, repeated(b"\r\n"), "lines of a carriage return"),
    "mixed": (1_000_000, repeated(b"\n" * 999 + _EVENT % 1), "blank lines (thousands), a record after each 999"),
    "space": (6_000_000, one_line, "spaces in one line"),
    "objects": (5_000, repeated(b"{}\n"), "lines {}"),
    "zeros": (5_000, repeated(b"0\n"), "lines 0"),
    "lists": (5_000, repeated(b"[]\n"), "lines []"),
    "nuls": (5_000, repeated(b"\0\n"), "lines of a NUL"),
    "garbage": (5_000, repeated(b"\xff\xfe garbage " * 20 + b"\n"), "lines of garbage"),
    "nested": (4, repeated(b'{"xdr_data":[{"event_type":1},' + b"{}," * 998 + b"{}]}\n"), "lines of 1,000 records"),
    "nulls": (21_000, repeated(b""), "rows of a Parquet file of nulls"),
    "groups": (10, repeated(b""), "row groups of one record"),
}
"""Kind -> (units of it at 1x, its text, what a unit is)."""


def write(kind: str, units: int, folder: Path) -> Path:
    """The file of a kind."""
    if kind in ("nulls", "groups"):
        return _parquet(folder / f"{kind}.parquet", units, 1 if kind == "groups" else 1 << 23)
    path = folder / f"{kind}.jsonl.gz"
    with gzip.open(path, "wb", 1) as stream:
        for piece in KINDS[kind][1](units if kind != "mixed" else units // 1000):
            stream.write(piece)
    return path


def _parquet(path: Path, rows: int, group: int) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("event_time", pa.int64()), ("host_id", pa.string()), ("process_name", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, group):
            some = min(group, rows - first)
            writer.write_table(pa.table([pa.nulls(some, field.type) for field in schema], schema), group)
    return path


def read(way: str, path: Path) -> None:
    """Reads a file; what comes out is counted and forgotten."""
    from tests.benchmarks import hostile_readers

    print(hostile_readers.READERS[way](path))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--times", default="1,10,100")
    parser.add_argument("--read", nargs=2, metavar=("WAY", "FILE"), help="read one file, as this does in a process")
    given = parser.parse_args()
    if given.read:
        return read(given.read[0], Path(given.read[1]))
    print(f"{machine()}\n{'kind':10}{'way':9}{'units':>13}{'file kB':>9}{'CPU s':>8}{'us/unit':>9}{'peak MB':>9}  unit")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for kind in given.kinds.split(","):
            for times in map(int, given.times.split(",")):
                units = KINDS[kind][0] * times
                path = write(kind, units, folder)
                for way in given.ways.split(","):
                    _report(kind, way, units, path, folder)
    return None


def _report(kind: str, way: str, units: int, path: Path, folder: Path) -> None:
    if way == "message" and path.suffix == ".parquet":
        return
    try:
        cost = measure(_command(way, path), folder / "log")
    except SystemExit as error:
        print(f"{kind:10}{way:9}{units:>13,}  failed: {str(error).splitlines()[-1]}", flush=True)
        return
    seconds = max(cost.cpu - _base(way, folder), 0.0)
    figures = f"{path.stat().st_size / 1e3:>9.0f}{seconds:>8.2f}{seconds / units * 1e6:>9.3f}{cost.memory:>9.0f}"
    print(f"{kind:10}{way:9}{units:>13,}{figures}  {KINDS[kind][2]}", flush=True)


@cache
def _base(way: str, folder: Path) -> float:
    """CPU time of a process that reads an empty file, s."""
    empty = folder / "empty.jsonl"
    empty.touch()
    return measure(_command(way, empty), folder / "log").cpu


def _command(way: str, path: Path) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.hostile_inputs", "--read", way, str(path)]


if __name__ == "__main__":
    main()
