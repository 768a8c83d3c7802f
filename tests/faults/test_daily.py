"""`uncommon-im daily` for thirty days, or nine: killed at each step, with missed days and a late one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.daily import daily, deliver, facts_of, records_by_day, whole
from tests.faults.children import Ended, command, run
from tests.faults.injection import killed
from tests.faults.striking import SHORT

pytestmark = pytest.mark.faults

LEARNT: Final = date(2026, 3, 1)
ONE_DAY: Final = timedelta(days=1)
DAYS: Final = 9 if SHORT else 30
FIRST: Final = date(2026, 4, 1)
LAST: Final = FIRST + (DAYS - 1) * ONE_DAY
MISSED: Final = {FIRST + 3 * ONE_DAY, LAST - 2 * ONE_DAY}
"""Days on whose morning after no scheduler runs."""
LATE: Final = FIRST + 5 * ONE_DAY
"""Half of its files come three days later."""
KEPT: Final = 5
STEPS: Final = 112
"""Changes of files that the command of a day makes, or a few less."""


def kills(number: int, days: int) -> Iterator[int]:
    """The changes before which the command of a day is killed: those of all days together are all that it makes."""
    if SHORT:
        yield number * STEPS // days
        return
    yield from range(number, STEPS + 1, days)


def judged(folder: Path, day: date, points: Iterator[int], died: Callable[[int], None]) -> list[Ended]:
    """A day, killed again and again, and then left alone."""
    options = ("--keep-snapshots", str(KEPT), "--first-day", str(FIRST), "--wait-days", "0")  # some days are thin
    act = command(*daily(day, "--verdicts", *options))
    runs = []
    for at in points:
        runs.append(run(act, folder, killed(at)))
        if not runs[-1].killed:
            return runs
        died(1)
    return [*runs, run(act, folder)]


def test_days_killed_at_each_step_missed_and_late_leave_what_one_backfill_finds(
    tmp_path: Path, died: Callable[[int], None]
) -> None:
    lake = records_by_day(4, LEARNT, LAST)
    for day, records in lake.items():
        if day < FIRST:
            deliver(tmp_path, day, records)
    mornings = [day for number in range(DAYS) if (day := FIRST + number * ONE_DAY) not in MISSED]
    said = []
    for day, records in lake.items():
        if day < FIRST:
            continue
        deliver(tmp_path, day, records[::2] if day == LATE else records)
        if day == LATE + 3 * ONE_DAY:
            deliver(tmp_path, LATE, lake[LATE][1::2], "part-1")
        if day in mornings:
            runs = judged(tmp_path, day, kills(mornings.index(day) + 1, len(mornings)), died)
            assert runs[-1].status == 0, f"{day}: {runs[-1].said}"
            said += [line for each in runs for line in each.said.splitlines()]
    assert run(command(*whole(FIRST, LAST, "--verdicts")), tmp_path).status == 0

    found = facts_of(*(tmp_path / "runs" / str(FIRST + number * ONE_DAY) for number in range(DAYS)))
    assert found == facts_of(tmp_path / "whole")
    assert all(found.values())
    assert len(list((tmp_path / "runs").iterdir())) == DAYS
    (late,) = {line for line in said if "came late" in line}
    assert late.startswith(f"{LATE}: 1 files came late")
    assert_tidy(tmp_path / "state")


def assert_tidy(state: Path) -> None:
    """The state folder holds the ledger, and so many snapshots as are kept: nothing of what was killed."""
    kept = [str(LAST - number * ONE_DAY) for number in range(-1, KEPT - 1)]
    expected = {".uncommon-im/daily.json"}
    for day in kept:
        metadata = json.loads((state / "snapshots" / day / "metadata.json").read_text())
        names = ["metadata.json", *(name for files in metadata["files"].values() for name in files)]
        expected |= {f"snapshots/{day}/{name}" for name in names}
    assert {str(path.relative_to(state)) for path in state.rglob("*") if path.is_file()} == expected
