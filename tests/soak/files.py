"""An organisation's records as somebody might have stored them: in any order, repeated, in any files of any kind."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from tests.running import Record, write_lines, write_parquet

KINDS: Final = ("jsonl", "json.gz", "ndjson.zst", "parquet")


def scattered(records: Sequence[Record], folder: Path, chooser: random.Random) -> list[str]:
    """Writes the records, some of them two or three times, into up to nine files; gives patterns that name them.

    Files may be empty, unless they are Parquet's. Those of a day need not lie together.
    """
    repeated = [record for record in records for _ in range(chooser.choice((1, 1, 1, 2, 3)))]
    chooser.shuffle(repeated)
    cuts = sorted(chooser.randint(0, len(repeated)) for _ in range(chooser.randint(0, 8)))
    for number, (start, end) in enumerate(zip((0, *cuts), (*cuts, len(repeated)), strict=True)):
        path = folder / f"part-{chooser.randint(0, 3)}" / f"events-{number}.{chooser.choice(KINDS)}"
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, repeated[start:end], chooser)
    return [str(folder / "part-*" / "events-*")]


def _write(path: Path, records: Sequence[Record], chooser: random.Random) -> None:
    if path.suffix == ".parquet":
        write_parquet(path, records, row_group_size=chooser.choice((1, 17, 97, 5000)))
        return
    write_lines(path, records)
    if path.suffix == ".zst":
        plain = path.read_bytes()
        with pa.CompressedOutputStream(str(path), "zstd") as compressed:
            compressed.write(plain)
