"""Does it find what it should? This detector and others on the same simulated organisations.

`python -m tests.benchmarks.evaluation [--seeds 10] [--large-seeds 2] [--data DIR]`

Figures are kept one file an organisation, so that what was interrupted goes on where it stopped. They are made anew
when anything that decides them has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.evaluation_runs import Case, run_case
from tests.benchmarks.evaluation_tables import all_tables
from tests.benchmarks.measuring import DATA, ROOT

DECISIVE = (
    *("pipeline/simulation/*.py", "pipeline/evaluation/*.py", "transforms/**/*.py", "schemas/**/*.py"),
    *("schemas/**/*.yaml", "tests/benchmarks/evaluation_[rs]*.py", "tests/benchmarks/alerts*.sql"),
    *("tests/benchmarks/peers/*.py", "tests/benchmarks/peers/*.sql"),
)
"""The files that decide the figures, under the project's folder."""


def cases(given: argparse.Namespace) -> Iterator[Case]:
    """The organisations: small ones, large ones, and small ones with a gap."""
    small, large = range(1, given.seeds + 1), range(1, given.large_seeds + 1)
    yield from (Case(given.hosts, seed, False, given.days) for seed in small)
    yield from (Case(given.large_hosts, seed, False, given.days) for seed in large)
    yield from (Case(given.hosts, seed, True, given.days) for seed in small)


def digest() -> str:
    """Of the files that decide the figures."""
    found = hashlib.sha256()
    for pattern in DECISIVE:
        for path in sorted(ROOT.glob(pattern)):
            found.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return found.hexdigest()[:12]


def kept_at(case: Case, folder: Path) -> Path:
    """Where the figures of one organisation are kept."""
    return folder / f"{case.name}.json"


def result_of(case: Case, folder: Path) -> dict[str, Any]:
    """The figures of one organisation, from `folder` if they are there already."""
    kept = kept_at(case, folder)
    if not kept.exists():
        start = time.perf_counter()
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            result = run_case(case, Path(temporary))
        part = kept.with_suffix(".part")
        part.write_text(json.dumps(result, indent=1), encoding="utf-8")
        part.replace(kept)
        print(f"{case.name}: {result['events']:,} events, {time.perf_counter() - start:.0f} s", flush=True)
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="organisations of --hosts, each with and without a gap")
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--large-seeds", type=int, default=2, help="organisations of --large-hosts")
    parser.add_argument("--large-hosts", type=int, default=5000)
    parser.add_argument("--days", type=int, default=50, help="of telemetry, a gap not counted")
    parser.add_argument("--data", type=Path, default=DATA / "evaluation", help="folder of the figures")
    parser.add_argument("--kept", action="store_true", help="only the tables of the figures that are there already")
    given = parser.parse_args()
    folder = given.data / digest()
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [case for case in cases(given) if not given.kept or kept_at(case, folder).exists()]
    results = {case: result_of(case, folder) for case in chosen}
    print("\n".join(all_tables(results)))


if __name__ == "__main__":
    main()
