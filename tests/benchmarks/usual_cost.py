"""What one element an event costs beside this pipeline: same files, same alerts, whole processes, in turns.

`python -m tests.benchmarks.usual_cost [--events 1_000_000] [--runs 3]`

Starting up weighs much at sizes at which the slow way ends in minutes. So both are run at two sizes (same hosts and
days), and what the events between them cost is compared as well.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.compare import Contender, differences, read_alerts
from tests.benchmarks.measuring import (
    DATA,
    HEADER,
    PIPELINE,
    Cost,
    backfill,
    machine,
    measure,
    median,
    prepare,
    ratios,
    row,
)

BOUND = 20
"""The usual way must take at least so many times the CPU time an event."""
MILLION = 1_000_000


def contenders(files: str, pipeline: str) -> list[Contender]:
    """Both ways to the alerts."""
    usual = [sys.executable, "-m", "tests.benchmarks.usual", "--input", files]
    return [
        Contender("one element an event", lambda out: [*usual, "--output", str(out / "alerts.jsonl")], "alerts.jsonl"),
        Contender("pipeline", lambda out: backfill(pipeline, files, out), "alerts/*.jsonl"),
    ]


def run(data: Path, events: int, pipeline: str, runs: int) -> tuple[Cost, Cost]:
    """The median costs of the usual way and of the pipeline over the same files.

    Raises:
        SystemExit: they found different alerts.
    """
    chosen = contenders(f"{data}/*.parquet", pipeline)
    costs: list[list[Cost]] = [[], []]
    with tempfile.TemporaryDirectory() as temporary:
        for turn in range(runs):
            found = []
            for contender, own in zip(chosen, costs, strict=True):
                out = Path(temporary) / f"{contender.name.split()[0]}-{turn}"
                own.append(measure(contender.command(out), out.with_suffix(".log")))
                print(row(f"  {contender.name}, {events:,}", own[-1]), flush=True)
                found.append(read_alerts(out, contender.alerts))
            problems = differences(found[1], found[0], "the usual way")
            if problems:
                raise SystemExit("\n".join(problems[:20]))
    print(f"  both found the same {len(found[0])} alerts", flush=True)
    return median(costs[0]), median(costs[1])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=MILLION)
    parser.add_argument("--few-events", type=int, default=50_000, help="the size that stands for starting up")
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pipeline", default=PIPELINE, help="the pipeline's command")
    given = parser.parse_args()
    print(f"{machine()}\n{HEADER}", flush=True)
    medians: list[tuple[Cost, Cost]] = []
    for events in (given.few_events, given.events):
        settings = {"events": events, "hosts": given.hosts, "days": given.days, "files": 2, "seed": given.seed}
        data = DATA / f"usual-{events}"
        prepare(data, settings)
        medians.append(run(data, events, given.pipeline, given.runs))
    (usual_few, ours_few), (usual, ours) = medians
    millions = (given.events - given.few_events) / MILLION
    slow, fast = ((many.cpu - few.cpu) / millions for many, few in ((usual, usual_few), (ours, ours_few)))
    print(f"\n{HEADER}\n{row('one element an event', usual)}\n{row('pipeline', ours)}")
    print(ratios("ratio, whole processes", usual, ours))
    print(
        f"\nbetween {given.few_events:,} and {given.events:,} events, CPU s per million events:\n"
        f"  one element an event {slow:.2f}, pipeline {fast:.2f}: {slow / fast:.1f} times (at least {BOUND})"
    )
    sys.exit(0 if slow >= BOUND * fast else 1)


if __name__ == "__main__":
    main()
