"""How the backfill's cost grows with events and with hosts, as whole processes.

`python -m tests.benchmarks.scaling [--small] [--runs 3] [--keep]`
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.measuring import DATA, HEADER, PIPELINE, Cost, backfill, machine, measure, median, prepare, row

MILLION = 1_000_000
MEMORY_MB, MEMORY_GROWTH, MARGINAL_GROWTH, HOSTS_GROWTH = 1024, 1.3, 1.10, 1.3
"""Peak memory at the middle size; the largest size in terms of it; the later marginal cost in terms of the earlier;
many hosts in terms of few."""


class Size(NamedTuple):
    """What one measurement reads."""

    events: int
    hosts: int

    def __str__(self) -> str:
        return f"{self.events:,} events, {self.hosts:,} hosts"


class Plan(NamedTuple):
    """What is measured."""

    sizes: list[Size]
    few_hosts: Size
    many_hosts: Size
    rows_a_file: int
    """Files have one row group: of the same size everywhere, or its fixed cost would look like one of events."""


BIG = Plan(
    [Size(MILLION, 2000), Size(10 * MILLION, 2000), Size(100 * MILLION, 2000)],
    Size(10 * MILLION, 1000),
    Size(10 * MILLION, 100_000),
    500_000,
)
SMALL = Plan(
    [Size(100_000, 200), Size(300_000, 200), Size(MILLION, 200)], Size(300_000, 100), Size(300_000, 10_000), 50_000
)


class Runner(NamedTuple):
    """How things are measured."""

    pipeline: str
    workers: str
    runs: int
    days: int
    seed: int
    keep: bool

    def cost(self, size: Size, rows_a_file: int) -> Cost:
        """The median cost of a backfill over events of this size; they are deleted if they were not there before."""
        data = DATA / f"scaling-{size.events}-{size.hosts}"
        settings = {
            "events": size.events,
            "hosts": size.hosts,
            "days": self.days,
            "files": -(-size.events // rows_a_file),
            "seed": self.seed,
        }
        there = data.exists()
        options = [] if self.workers == "auto" else ["--workers", self.workers]
        costs = []
        try:
            prepare(data, settings)
            for _ in range(self.runs):
                with tempfile.TemporaryDirectory() as temporary:
                    command = backfill(self.pipeline, f"{data}/*.parquet", Path(temporary, "out"), *options)
                    costs.append(measure(command, Path(temporary, "log")))
                print(row(f"  {size}", costs[-1]), flush=True)
        finally:
            if not there and not self.keep:
                shutil.rmtree(data, ignore_errors=True)
        return median(costs)


class Finding(NamedTuple):
    """One figure beside the most that it may be."""

    what: str
    value: float
    most: float

    def __str__(self) -> str:
        verdict = "" if self.value <= self.most else "   TOO MUCH"
        return f"{self.what:64}{self.value:>10.2f}   at most {self.most:g}{verdict}"


def marginals(sizes: Sequence[Size], costs: Sequence[Cost]) -> list[float]:
    """CPU s per million events between neighbouring sizes."""
    pairs = itertools.pairwise(zip(sizes, costs, strict=True))
    return [(b.cpu - a.cpu) / (m.events - n.events) * MILLION for (n, a), (m, b) in pairs]


def findings(plan: Plan, costs: Sequence[Cost], few: Cost, many: Cost) -> Iterator[Finding]:
    """What the costs say about growth."""
    first, later = marginals(plan.sizes, costs)[-2:]
    _, middle, largest = costs[-3:]
    yield Finding("marginal CPU an event, the later in terms of the earlier", later / first, MARGINAL_GROWTH)
    yield Finding("peak MB of the largest process, middle size", middle.memory, MEMORY_MB)
    yield Finding("peak MB of all processes together, middle size", middle.tree, MEMORY_MB)
    growth = "the largest size in terms of the middle"
    yield Finding(f"peak of the largest process, {growth}", largest.memory / middle.memory, MEMORY_GROWTH)
    yield Finding(f"peak of all together, {growth}", largest.tree / middle.tree, MEMORY_GROWTH)
    hosts = f"{plan.many_hosts.hosts:,} hosts in terms of {plan.few_hosts.hosts:,}"
    start = max(0.0, costs[-2].cpu - first * plan.sizes[-2].events / MILLION)
    yield Finding(f"CPU, {hosts}", many.cpu / few.cpu, HOSTS_GROWTH)
    yield Finding(
        f"CPU without {start:.1f} s of start-up, {hosts}", (many.cpu - start) / (few.cpu - start), HOSTS_GROWTH
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="at most a million events: does it run, not how well")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--workers",
        default="2",
        help="processes that scan, the same at all sizes (2); auto: as the backfill chooses, which differs by size",
    )
    parser.add_argument("--keep", action="store_true", help="leave the generated events in benchmark-data/")
    parser.add_argument("--pipeline", default=PIPELINE, help="the pipeline's command")
    given = parser.parse_args()
    plan = SMALL if given.small else BIG
    runner = Runner(given.pipeline, given.workers, given.runs, given.days, given.seed, given.keep)
    print(f"{machine()}\n{HEADER}", flush=True)
    costs = [runner.cost(size, plan.rows_a_file) for size in plan.sizes]
    few, many = (runner.cost(size, plan.rows_a_file) for size in (plan.few_hosts, plan.many_hosts))

    print(f"\nmedians of {given.runs}, {given.workers} workers\n{HEADER}")
    for size, cost in zip([*plan.sizes, plan.few_hosts, plan.many_hosts], [*costs, few, many], strict=True):
        print(row(str(size), cost))
    print()
    for (small, large), cpu in zip(itertools.pairwise(plan.sizes), marginals(plan.sizes, costs), strict=True):
        print(f"{small.events:>12,} to {large.events:>12,} events: {cpu:.3f} CPU s per million events")
    print()
    found = list(findings(plan, costs, few, many))
    print("\n".join(map(str, found)))
    sys.exit(0 if given.small or all(finding.value <= finding.most for finding in found) else 1)


if __name__ == "__main__":
    main()
