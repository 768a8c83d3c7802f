"""What it costs that connections do not say whose they are: one lake, whole and bare, and hand-written SQL.

`python -m tests.benchmarks.instances_cost [--events 10_000_000] [--runs 3] [--data DIR]`

The bare lake holds the same events; connections and lookups leave out of their process what Elastic Defend does, and
starts say it. The SQL makes the same join. All are whole processes, in turns.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.compare import (
    LAKE,
    Alerts,
    Contender,
    contenders,
    count_differences,
    differences,
    lake_parser,
    read_alerts,
)
from tests.benchmarks.measuring import DATA, HEADER, Cost, machine, measure, median, prepare, ratios, row

WHOLE, BARE, SQL = "pipeline, whole", "pipeline, bare", "DuckDB SQL, bare"


def run(ways: dict[str, Contender], runs: int) -> bool:
    """Runs all ways in turns, prints what they took, and says whether the pipeline and the SQL agree."""
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        for turn in range(runs):
            found: dict[str, Alerts] = {}
            counts = {}
            for number, (name, way) in enumerate(ways.items()):
                out = Path(temporary) / f"{number}-{turn}"
                costs[name].append(measure(way.command(out), out.with_suffix(".log")))
                print(row(f"  {name}", costs[name][-1]), flush=True)
                summary = out / "summary.json"
                log = summary if summary.exists() else out.with_suffix(".log")
                counts[name] = json.loads(log.read_text(encoding="utf-8"))
                found[name] = read_alerts(out, way.alerts)
            problems += differences(found[BARE], found[SQL]) + count_differences(counts[BARE], counts[SQL])
    medians = {name: median(own) for name, own in costs.items()}
    print(HEADER)
    for name, cost in medians.items():
        print(row(f"{name}, median of {runs}", cost))
    print(ratios("bare / whole", medians[BARE], medians[WHOLE]))
    print(ratios("bare / DuckDB SQL", medians[BARE], medians[SQL]))
    shared = found[BARE].keys() & found[WHOLE].keys()
    print(f"{len(found[WHOLE]):,} alerts of whole events, {len(found[BARE]):,} of bare ones, {len(shared):,} of both")
    print("\n".join(problems[:20]) or "the SQL found the same alerts of bare events and the same counts")
    return not problems


def main() -> None:
    """The command line."""
    parser = lake_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of both lakes; generated if they are not there")
    given = parser.parse_args()
    settings = {name: getattr(given, name) for name in LAKE}
    ways = {}
    for processes in ("whole", "bare"):
        data = (given.data / f"{given.events}-events-{processes}").resolve()
        prepare(data, settings | {"processes": processes, "event_ids": True})
        ours, sql = contenders(f"{data}/*.parquet", given.pipeline, given.threads)
        ways |= {f"pipeline, {processes}": ours, f"DuckDB SQL, {processes}": sql}
    print(f"{machine()}\n{HEADER}", flush=True)
    sys.exit(0 if run({name: ways[name] for name in (WHOLE, BARE, SQL)}, given.runs) else 1)


if __name__ == "__main__":
    main()
