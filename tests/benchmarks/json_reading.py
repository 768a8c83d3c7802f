"""A whole backfill of Cortex XDR rows against DuckDB reading the same columns of them, in turns.

`python -m tests.benchmarks.json_reading --events 2_000_000 [--runs 5] [--data DIR]`
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measuring import (
    DATA,
    HEADER,
    PIPELINE,
    ROOT,
    Cost,
    backfill,
    machine,
    measure,
    median,
    prepare,
    ratios,
    row,
)

SELECT, COUNT, PIPELINE_NAME = "DuckDB, selected", "DuckDB, counted", "pipeline, to the alerts"


def prepare_rows(data: Path, settings: dict[str, int]) -> str:
    """The files of rows, made if they are not there; reads them once so that all runs find them in memory."""
    events, rows = data / "events", data / "rows"
    prepare(events, settings)
    if not rows.exists():
        print(f"writing them as rows into {rows}", flush=True)
        partial = data / "rows.partial"
        command = [sys.executable, "-m", "tests.benchmarks.xdr_rows", str(events), str(partial)]
        subprocess.run(command, cwd=ROOT, check=True)
        partial.rename(rows)
    for path in rows.iterdir():
        path.read_bytes()
    return str(rows / "*.jsonl.gz")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--data", type=Path, help="folder of the rows; generated if it holds none")
    given = parser.parse_args()
    data = (given.data or DATA / f"{given.events}-rows").resolve()
    files = prepare_rows(data, {"events": given.events, "hosts": 2000, "days": 50, "files": 8, "seed": 1})
    duckdb = [sys.executable, "-m", "tests.benchmarks.duckdb_json", files]
    costs: dict[str, list[Cost]] = {PIPELINE_NAME: [], SELECT: [], COUNT: []}
    print(f"{machine()}\n{HEADER}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        log = Path(temporary) / "log"
        commands = {
            PIPELINE_NAME: backfill(PIPELINE, files, Path(temporary) / "run", "--format", "xdr"),
            SELECT: [*duckdb, "select"],
            COUNT: [*duckdb, "count"],
        }
        for _ in range(given.runs):
            for name, command in commands.items():
                costs[name].append(measure(command, log))
                print(row(f"  {name}", costs[name][-1]), flush=True)
    medians = {name: median(runs) for name, runs in costs.items()}
    for name, cost in medians.items():
        print(row(f"{name}, median of {given.runs}", cost))
    for name in (SELECT, COUNT):
        print(ratios(f"ratio to {name}", medians[PIPELINE_NAME], medians[name]))


if __name__ == "__main__":
    main()
