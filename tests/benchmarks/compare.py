"""Same files, same alerts: the pipeline against hand-written DuckDB SQL, as whole processes, in turns.

`python -m tests.benchmarks.compare --events 10_000_000 [--runs 5] [--data DIR]`
`python -m tests.benchmarks.compare --lake 'DIR/*.parquet' --query FILE.py [--runs 5]`
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

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

FIGURES = ("other_hosts", "host_days", "active_days", "coverage_days")
Alerts = dict[str, tuple[Any, ...]]


class Contender(NamedTuple):
    """One way to the alerts."""

    name: str
    command: Callable[[Path], list[str]]
    """The command that writes into a folder."""
    alerts: str
    """Where in that folder the alerts are."""


def read_alerts(folder: Path, pattern: str) -> Alerts:
    """The alerts of a run by their id, as far as they are compared."""
    alerts: Alerts = {}
    for path in sorted(folder.glob(pattern)):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                alert = json.loads(line)
                if alert["alert_id"] in alerts:
                    raise SystemExit(f"{path}: alert {alert['alert_id']} is there twice")
                moment = datetime.fromisoformat(alert["timestamp"])
                figures = (alert["baseline"][name] for name in FIGURES)
                alerts[alert["alert_id"]] = (alert["variation"], moment, alert["event_id"], *figures)
    return alerts


def differences(ours: Alerts, theirs: Alerts, they: str = "the SQL") -> list[str]:
    """What two sets of alerts do not share; `they` names the opponent."""
    found = [f"only the pipeline has {key}: {ours[key]}" for key in sorted(ours.keys() - theirs.keys())]
    found += [f"only {they} has {key}: {theirs[key]}" for key in sorted(theirs.keys() - ours.keys())]
    shared = sorted(ours.keys() & theirs.keys())
    return found + [f"{key}: pipeline {ours[key]}, {they} {theirs[key]}" for key in shared if ours[key] != theirs[key]]


def count_differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Counts of the pipeline's summary that are not those of the SQL."""

    def flat(summary: dict[str, Any]) -> dict[str, int]:
        events = summary["events"]
        counts = {"events read": events["read"], "events valid": events["valid"]}
        counts |= {name: summary[name] for name in ("communications", "activities")}
        for kind, named in (("dead letters", events["dead_letter"]), ("verdict", summary["verdicts"])):
            counts |= {f"{kind} {name}": count for name, count in named.items() if count}
        return counts

    left, right = flat(ours), flat(theirs)
    return [
        f"{name}: pipeline {left.get(name, 0)}, SQL {right.get(name, 0)}"
        for name in sorted(left.keys() | right.keys())
        if left.get(name, 0) != right.get(name, 0)
    ]


def table(costs: dict[str, list[Cost]]) -> Iterable[str]:
    """Medians and, if there are two contenders, the first's in terms of the second's."""
    yield HEADER
    medians = {name: median(runs) for name, runs in costs.items()}
    for name, cost in medians.items():
        yield row(f"{name}, median of {len(costs[name])}", cost)
    if len(medians) == 2:
        yield ratios("ratio", *medians.values())


def contenders(files: str, pipeline: str, threads: int) -> list[Contender]:
    """The pipeline and its opponent."""
    sql = [
        sys.executable,
        "-m",
        "tests.benchmarks.duckdb_alerts",
        "--threads",
        str(threads),
        "--input",
        files,
    ]
    return [
        Contender(
            "pipeline",
            lambda out: backfill(pipeline, files, out),
            "alerts/*.jsonl",
        ),
        Contender("DuckDB SQL", lambda out: [*sql, "--output", str(out / "alerts.jsonl")], "alerts.jsonl"),
    ]


def compare(chosen: list[Contender], runs: int) -> tuple[dict[str, Cost], bool]:
    """Runs the contenders in turns and prints what they took; (median of each, whether they agree)."""
    costs: dict[str, list[Cost]] = {contender.name: [] for contender in chosen}
    problems: list[str] = []
    print(f"{machine()}\n{HEADER}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        for turn in range(runs):
            results: list[tuple[Alerts, dict[str, Any]]] = []
            for contender in chosen:
                out = Path(temporary) / f"{contender.name.split()[0]}-{turn}"
                log = out.with_suffix(".log")
                cost = measure(contender.command(out), log)
                costs[contender.name].append(cost)
                print(row(f"  {contender.name}", cost), flush=True)
                summary = out / "summary.json"
                counts = json.loads((summary if summary.exists() else log).read_text(encoding="utf-8"))
                results.append((read_alerts(out, contender.alerts), counts))
            if len(results) == 2:
                problems += differences(results[0][0], results[1][0]) + count_differences(results[0][1], results[1][1])
    print("\n" + "\n".join(table(costs)))
    print(f"\nverdicts {json.dumps(results[-1][1]['verdicts'])}\nalerts   {json.dumps(results[-1][1]['alerts'])}")
    if len(chosen) == 2:
        print("\n".join(problems[:20]) or f"both found the same {len(results[0][0])} alerts and the same counts")
    return {name: median(each) for name, each in costs.items()}, not problems


def compare_outside(lake: str, query: Path, pipeline: str, threads: int, runs: int) -> bool:
    """The pipeline beside somebody's own query over somebody's own lake, in turns; whether both count the same alerts.

    Args:
        lake: a pattern of Parquet files.
        query: a Python program: `FILE LAKE THREADS` prints the number of alerts in its last line.
        pipeline: the pipeline's command.
        threads: of the query.
        runs: of each.
    """
    costs: dict[str, list[Cost]] = {"pipeline": [], "query": []}
    found = []
    print(f"{machine()}\n{HEADER}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        for turn in range(runs):
            out, log = Path(temporary, str(turn)), Path(temporary, f"{turn}.log")
            costs["pipeline"].append(measure(backfill(pipeline, lake, out), log))
            print(row("  pipeline", costs["pipeline"][-1]), flush=True)
            ours = sum(json.loads((out / "summary.json").read_text(encoding="utf-8"))["alerts"].values())
            costs["query"].append(measure([sys.executable, str(query.resolve()), lake, str(threads)], log))
            print(row("  query", costs["query"][-1]), flush=True)
            found.append((ours, int(log.read_text(encoding="utf-8").split()[-1])))
    print("\n" + "\n".join(table(costs)))
    print("; ".join(f"pipeline {ours:,} alerts, query {theirs:,}" for ours, theirs in sorted(set(found))))
    return all(ours == theirs for ours, theirs in found)


LAKE: Final = ("events", "hosts", "days", "files", "seed")
"""Options of a generated lake."""


def lake_parser(about: str | None, files: int = 20, runs: int = 3) -> argparse.ArgumentParser:
    """A command line that generates a lake and runs the pipeline and DuckDB over it."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in zip(LAKE, (10_000_000, 2000, 50, files, 1), strict=True):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--threads", type=int, default=2, help="threads of DuckDB")
    parser.add_argument("--pipeline", default=PIPELINE, help="the pipeline's command")
    return parser


def main() -> None:
    """The command line."""
    parser = lake_parser(__doc__, runs=5)
    parser.add_argument("--data", type=Path, help="folder of the events; generated if it holds none")
    parser.add_argument("--only", choices=["pipeline", "DuckDB SQL"], help="measure one of the two")
    parser.add_argument("--lake", help="somebody's own Parquet files, a pattern: with --query")
    parser.add_argument("--query", type=Path, help="a Python program; given LAKE and THREADS it prints how many alerts")
    given = parser.parse_args()
    if bool(given.lake) != bool(given.query):
        parser.error("--lake and --query go together")
    if given.lake:
        sys.exit(0 if compare_outside(given.lake, given.query, given.pipeline, given.threads, given.runs) else 1)
    settings = {name: getattr(given, name) for name in LAKE}
    data = (given.data or DATA / f"{given.events}-events").resolve()
    chosen = [
        contender
        for contender in contenders(f"{data}/*.parquet", given.pipeline, given.threads)
        if given.only in (None, contender.name)
    ]
    prepare(data, settings)
    sys.exit(0 if compare(chosen, given.runs)[1] else 1)


if __name__ == "__main__":
    main()
