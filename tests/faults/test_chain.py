"""The daily chain: each day starts from the snapshot of the day before, and is killed again and again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import pytest

from tests.faults.children import command, run
from tests.faults.injection import Fault, killed, torn
from tests.faults.looking import tree
from tests.faults.scenes import DAYS, FOREIGN, LIMITS, Action, foreign, prepare, records
from tests.faults.striking import SHORT
from tests.running import read_rows, write_lines

pytestmark = pytest.mark.faults

CHAINED: Final = DAYS[:4]
"""The first two days only train."""
STRIDE: Final = 25 if SHORT else 3


def of_day(day: int) -> Action:
    """The run of one day."""
    before = () if day == CHAINED[0] else ("--baseline-in", f"base/{day - 1}")
    return _backfill(f"chain/{day}.jsonl", day, f"run/{day}", *before, "--baseline-out", f"base/{day}")


def _backfill(events: str, start: int, output: str, *more: str, end: int = 0) -> Action:
    days = ("--start", f"2026-03-{start:02}", "--end", f"2026-03-{(end or start) + 1:02}")
    return command("backfill", "--input", events, "--output", output, *LIMITS, *days, *more)


def prepared(folder: Path) -> Path:
    """Telemetry of each day, and foreign files."""
    prepare(folder)
    (folder / "chain").mkdir()
    for day in CHAINED:
        write_lines(folder / "chain" / f"{day}.jsonl", records(range(day, day + 1)))
    return folder


def alerts_of(folder: Path, runs: Sequence[str]) -> Counter[str]:
    """The alerts of some runs, without what names a run or its snapshot."""
    found: Counter[str] = Counter()
    for name in runs:
        for alert in read_rows(str(folder / name), "alerts"):
            alert["baseline"].pop("as_of")
            found[json.dumps({key: value for key, value in alert.items() if key != "run_id"}, sort_keys=True)] += 1
    return found


@cache
def alerts_of_one_run() -> Counter[str]:
    """What one backfill over all days of the chain finds."""
    folder = prepared(Path(mkdtemp(prefix="faults-")) / "whole")
    done = run(_backfill("chain/*.jsonl", CHAINED[0], "whole", end=CHAINED[-1]), folder)
    assert done.status == 0, done.said
    found = alerts_of(folder, ["whole"])
    assert found
    return found


@pytest.mark.parametrize(("fault", "stride"), [(killed, STRIDE), (torn, 4 * STRIDE)])
def test_a_chain_killed_over_and_over_on_every_day_finds_what_one_backfill_finds(
    fault: Callable[[int], Fault], stride: int, tmp_path: Path, died: Callable[[int], None]
) -> None:
    folder, earlier = prepared(tmp_path / "chain"), dict[str, Any]()
    for day in CHAINED:
        at = 1 + day % stride
        while (ended := run(of_day(day), folder, fault(at))).killed:
            died(1)
            assert foreign(folder) == FOREIGN
            assert {name: tree(folder / name) for name in earlier} == earlier, f"day {day}, {fault(at)}: an earlier day"
            at += stride
        assert ended.status == 0, f"day {day}, {fault(at)}: {ended.said}"
        earlier |= {name: tree(folder / name) for name in (f"run/{day}", f"base/{day}")}
    assert alerts_of(folder, [f"run/{day}" for day in CHAINED]) == alerts_of_one_run()
