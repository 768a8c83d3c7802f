"""One program on every host every day: does the backfill finish within bounded memory, with bounded sets?

`python -m tests.benchmarks.popular [--hosts 100_000] [--days 35] [--keep]`

Further options (`--workers 2`, `--shards 32`) are the backfill's own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.measuring import DATA, HEADER, PIPELINE, Cost, backfill, machine, measure, prepare, row

FIRST_DAY = date(2024, 3, 1)
MEMORY_MB = 1024


class Popular(NamedTuple):
    """What a run over these events took, left and got wrong."""

    cost: Cost
    most_hosts: int
    """The most hosts that the snapshot keeps for a (tenant, subject, day)."""
    popular_days: int
    """(subject, day) pairs with exactly that many."""
    problems: list[str]


def run(data: Path, hosts: int, days: int, seed: int, pipeline: str, options: list[str]) -> Popular:
    """Generates the events if they are not there, and runs the backfill with a snapshot at the end of the last day."""
    prepare(data, {"hosts": hosts, "days": days, "seed": seed}, "tests.benchmarks.popular_events")
    about = json.loads((data / "generated.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as temporary:
        out, snapshot = Path(temporary, "out"), Path(temporary, "snapshot")
        end = FIRST_DAY + timedelta(days=days)
        command = backfill(
            pipeline, f"{data}/*.parquet", out, "--baseline-out", str(snapshot), "--end", str(end), *options
        )
        cost = measure(command, Path(temporary, "log"))
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
        metadata = json.loads((snapshot / "metadata.json").read_text(encoding="utf-8"))
        counts = hosts_kept(snapshot, metadata["files"]["sightings"])
    limits = metadata["limits"]
    kept = max(limits["max_other_hosts"], limits["execution_max_other_hosts"]) + 2
    most = max(counts, default=0)
    problems = wrong(summary, about)
    if most > kept:
        problems.append(f"the snapshot keeps {most} hosts of a subject and day, more than {kept}")
    if hosts > kept > most:
        problems.append(f"the snapshot keeps {most} hosts of a subject and day, fewer than {kept}")
    return Popular(cost, most, counts.count(most), problems)


def hosts_kept(snapshot: Path, files: list[str]) -> list[int]:
    """How many hosts the snapshot keeps for each (tenant, subject, day)."""
    import pyarrow.dataset as ds  # not before the backfill was measured: see `measuring`

    table = ds.dataset([str(snapshot / name) for name in files]).to_table()
    groups = table.group_by(["tenant", "subject", "day"]).aggregate([("host", "count_distinct")])
    counts: list[int] = groups.column("host_count_distinct").to_pylist()
    return counts


def wrong(summary: dict[str, Any], about: dict[str, int]) -> list[str]:
    """What the run's summary says otherwise than these events make it."""
    alerts = sum(summary["alerts"].values())
    verdicts = summary["verdicts"]
    silent = verdicts["learning"] + verdicts["common_in_organisation"]
    pairs = {
        "events": (summary["events"]["valid"], about["events"]),
        "alerts (one for each rare program)": (alerts, about["rare"]),
        "activities that are neither learning nor common": (summary["activities"] - silent, about["rare"]),
    }
    return [
        f"{what}: {found:,}, expected {expected:,}" for what, (found, expected) in pairs.items() if found != expected
    ]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=35)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the generated events in benchmark-data/")
    parser.add_argument("--pipeline", default=PIPELINE, help="the pipeline's command")
    given, options = parser.parse_known_args()
    data = DATA / f"popular-{given.hosts}-{given.days}"
    print(machine(), flush=True)
    there = data.exists()
    try:
        found = run(data, given.hosts, given.days, given.seed, given.pipeline, options)
    finally:
        if not there and not given.keep:
            shutil.rmtree(data, ignore_errors=True)
    print(f"{HEADER}\n{row(f'{given.hosts:,} hosts, {given.days} days', found.cost)}")
    print(
        f"hosts kept a (subject, day) in the snapshot: at most {found.most_hosts}, "
        f"reached by {found.popular_days} (subject, day) pairs"
    )
    if found.cost.memory > MEMORY_MB:
        found.problems.append(f"{found.cost.memory:.0f} MB in one process, more than {MEMORY_MB}")
    if found.cost.tree > MEMORY_MB:
        found.problems.append(f"{found.cost.tree:.0f} MB in all processes together, more than {MEMORY_MB}")
    print("\n".join(found.problems) or "alerts, counts and memory are as they should be")
    sys.exit(1 if found.problems else 0)


if __name__ == "__main__":
    main()
