"""The same events as files of several makes, each beside the hand-written SQL: `python -m tests.benchmarks.makes`.

What a file is made like decides what reading costs: how many values differ, where dictionaries end, how long row groups
are. Each make is the same generated lake, written anew; pipeline and SQL run over it in turns, and must find the same.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.benchmarks.compare import LAKE, compare, contenders, lake_parser
from tests.benchmarks.measuring import DATA, HEADER, machine, prepare, ratios, row
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.transforms.rules.recognition.destination import Destinations

Change = Callable[[pa.Table, int], pa.Table]
"""Makes other rows of those of a file, whose number is given."""


@dataclass(frozen=True)
class Make:
    """How files are written.

    Args:
        about: in a few words.
        change: other rows.
        files: how many files each file of the lake becomes.
        options: of Arrow's writer.
        by_duckdb: DuckDB writes them.
    """

    about: str
    change: Change | None = None
    files: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    by_duckdb: bool = False


def _ids(table: pa.Table, number: int, name: Callable[[int], str]) -> pa.Table:
    first = number << 24
    return _with(table, "event_id", [name(first + row) for row in range(table.num_rows)])


def _other_hosts(table: pa.Table, number: int, distinct: int) -> pa.Table:
    """Other hosts to connect to, wherever no service is: few of them, or many."""
    old = table.column("remote_host").cast(pa.string()).combine_chunks()
    plain = pc.utf8_lower(pc.utf8_rtrim(old.fill_null(""), "."))
    anybodys = pc.and_(pc.match_substring(plain, "."), pa.array(~Destinations(load_catalogue()).may_be_name(plain)))
    numbers = np.random.default_rng(number).integers(0, distinct, table.num_rows)
    names = pa.array([f"n{each}.site{each % 9973}.example" for each in numbers.tolist()])
    return _with(table, "remote_host", pc.if_else(anybodys, names, old))


def _tenants(table: pa.Table, number: int) -> pa.Table:
    hosts = table.column("host_id").cast(pa.string()).combine_chunks().dictionary_encode()
    names = pa.array([f"tenant-{code % 10_000:05}" for code in range(len(hosts.dictionary))])
    return _with(table, "tenant_id", names.take(hosts.indices))


def _with(table: pa.Table, name: str, values: Any) -> pa.Table:
    column = pa.array(values, pa.string()) if isinstance(values, list) else values
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, column)
    return table.append_column(name, column)


MAKES: Final = {
    "generated": Make("few values, dictionaries"),
    "unique-ids": Make("event ids that all differ", partial(_ids, name=lambda number: f"e-{number}")),
    "uuid-ids": Make("event ids that are UUIDs", partial(_ids, name=lambda number: str(uuid.UUID(int=number * 2**64)))),
    "giant-group": Make("one row group a file", options={"row_group_size": 1 << 22}),
    "small-groups": Make("row groups of 2,000 records", options={"row_group_size": 2000}),
    "small-files": Make("50 times as many files", files=50),
    "no-statistics": Make("footers without statistics", options={"write_statistics": False}),
    "fallback": Make("dictionaries that end after 4 kB", options={"dictionary_pagesize_limit": 4096}),
    "no-dictionaries": Make("plain text, snappy", options={"use_dictionary": False, "compression": "snappy"}),
    "duckdb": Make("written by DuckDB", by_duckdb=True),
    "many-hosts": Make("a million remote hosts", partial(_other_hosts, distinct=1_000_000)),
    "fewer-hosts": Make("ten thousand remote hosts", partial(_other_hosts, distinct=10_000)),
    "tenants": Make("10,000 tenants", _tenants),
}


def write(lake: Path, folder: Path, make: Make) -> None:
    """The files of a lake, made anew in a folder."""
    folder.mkdir(parents=True)
    for number, path in enumerate(sorted(lake.glob("*.parquet"))):
        table = pq.read_table(path)
        table = make.change(table, number) if make.change else table
        for part, rows in enumerate(_parts(table, make.files)):
            target = folder / f"part-{number:04}-{part:04}.parquet"
            if make.by_duckdb:
                duckdb.sql(f"COPY rows TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
            else:
                pq.write_table(rows, target, **{"compression": "zstd", "row_group_size": 250_000} | make.options)


def _parts(table: pa.Table, count: int) -> Iterator[pa.Table]:
    size = -(-table.num_rows // count)
    yield from (table.slice(first, size) for first in range(0, table.num_rows, size))


def main() -> None:
    """The command line."""
    parser = lake_parser(__doc__, files=8)
    parser.add_argument("makes", nargs="*", choices=[[], *MAKES], help="which of them; all if none is named")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the lakes; made if they are not there")
    given = parser.parse_args()
    settings = {name: getattr(given, name) for name in LAKE}
    lake = (given.data / f"{given.events}-events-{given.files}-files").resolve()
    prepare(lake, settings)
    lines, same = [], True
    for name in given.makes or MAKES:
        folder = lake if name == "generated" else lake.with_name(f"{lake.name}-{name}")
        if not folder.exists():
            write(lake, folder, MAKES[name])
        print(f"\n{name}: {MAKES[name].about}", flush=True)
        medians, agrees = compare(contenders(f"{folder}/*.parquet", given.pipeline, given.threads), given.runs)
        same = same and agrees
        ours, theirs = medians.values()
        lines += [row(f"{name}, pipeline", ours), row(f"{name}, SQL", theirs), ratios("  ratio", ours, theirs)]
    print("\n".join(["", machine(), HEADER, *lines]))
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
