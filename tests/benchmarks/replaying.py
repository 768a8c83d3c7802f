"""`python -m tests.benchmarks.replaying GLOB`: a rehearsal without an engine beside a backfill of the same files.

Both are started as whole processes, one after the other, on one core (`taskset`) with `--workers 1`. A run counts only
if both found the same alerts, fact by fact, and the same verdicts; else the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.benchmarks.measuring import HEADER, PIPELINE, backfill, machine, measure, row
from tests.running import Found, read_rows

ONE_CORE = ("taskset", "--cpu-list", "0")


def main() -> int:
    """Measures each once; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", metavar="GLOB")
    files = parser.parse_args().files
    print(machine(), HEADER, sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        replay = [*shlex.split(PIPELINE), "replay", "--input", files, "--output", str(folder / "replay")]
        commands = {
            "replay": [*replay, "--shuffle-seed", "1", "--verdicts"],
            "backfill": backfill(PIPELINE, files, folder / "backfill", "--verdicts", "--workers", "1"),
        }
        found = {}
        for what, command in commands.items():
            cost = measure([*ONE_CORE, *command], folder / "log")
            found[what] = found_in(folder / what)
            records = found[what].summary["events"]["read"]
            print(f"{row(what, cost)}  {records / cost.cpu:,.0f} records a second of CPU", flush=True)
    return differs(found["replay"], found["backfill"])


def found_in(run: Path) -> Found:
    """What a run found."""
    alerts, verdicts = (read_rows(str(run), name) for name in ("alerts", "verdicts"))
    return Found(
        alerts, verdicts, dead_letters=[], summary=json.loads((run / "summary.json").read_text(encoding="utf-8"))
    )


def differs(one: Found, other: Found) -> int:
    """1 if two runs found anything different, which is printed; else 0."""
    what: dict[str, tuple[Counter[str], Counter[str]]] = {
        "alerts": (one.facts, other.facts),
        "verdicts": (one.verdict_rows, other.verdict_rows),
    }
    for name, (mine, others) in what.items():
        print(
            f"{name}: {mine.total():,}, {(mine - others).total()} more and {(others - mine).total()} fewer", flush=True
        )
    return int(any(mine != others for mine, others in what.values()))


if __name__ == "__main__":
    sys.exit(main())
