"""DuckDB's `read_json` of the fields that the `xdr` mapping reads: `python -m tests.benchmarks.duckdb_json FILES HOW`.

HOW is `select`: the columns are handed out as Arrow batches; or `count`: DuckDB counts the values of each.
"""

from __future__ import annotations

import gzip
import json
import sys
from glob import glob

import duckdb

from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.parsing.adapt import adapter


def fields_of(files: str) -> list[str]:
    """The fields that the mapping reads and the rows have."""
    with gzip.open(sorted(glob(files))[0]) as rows:
        present = {name for _, row in zip(range(1000), rows, strict=False) for name in json.loads(row)}
    (mapping,) = (mapping for mapping in load_mappings() if mapping.id == "xdr")
    return sorted(adapter(mapping).fields & present)


def main(files: str, how: str) -> None:
    """Reads all rows and says how many there are."""
    fields = fields_of(files)
    types = ", ".join(f"{name}: 'VARCHAR'" for name in fields)
    rows = f"read_json('{files}', format = 'newline_delimited', columns = {{{types}}})"
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    if how == "count":
        counts = ", ".join(f"count({name})" for name in fields)
        (found,) = connection.execute(f"SELECT count(*), {counts} FROM {rows}").fetchall()
        number = found[0]
    else:
        batches = connection.sql(f"SELECT {', '.join(fields)} FROM {rows}").to_arrow_reader(100_000)
        number = sum(batch.num_rows for batch in batches)
    print(f"{number:,} rows of {len(fields)} columns")


if __name__ == "__main__":
    main(*sys.argv[1:])
