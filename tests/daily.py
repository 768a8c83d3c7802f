"""Chains of days in tests: a lake of a small organisation, days by `daily`, and what one backfill over all finds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from tests.oracle.events import DeadLetterError, normalise
from tests.organisations import random_organisation
from tests.running import Record, read_rows, write_lines
from uncommon_im.transforms.rules.columns.days import day_of

LAKE: Final = "lake/dt={date}/*.jsonl"
LIMITS: Final = ("--shards", "1", "--max-alerts-per-group", "3", "--time-zone", "Asia/Kolkata")
Facts = dict[str, Counter[str]]
"""Folder -> its rows, without what names a run or its snapshot."""


def records_by_day(seed: int, first: date, last: date) -> dict[date, list[Record]]:
    """The records of a random organisation by day; those that are no events are on the last one."""
    found: dict[date, list[Record]] = {first + timedelta(days=number): [] for number in range((last - first).days + 1)}
    for record in random_organisation(seed).records:
        try:
            day = day_of(normalise(record, "default").day)
        except DeadLetterError:
            day = last
        if day in found:
            found[day].append(record)
    return found


def deliver(folder: Path, day: date, records: Iterable[Record], name: str = "part-0") -> Path:
    """Writes a file of a day into the lake."""
    path = folder / "lake" / f"dt={day}" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_lines(path, records)
    return path


def daily(until: date, *more: str) -> list[str]:
    """The arguments of `daily`, as a scheduler would have them on the day after `until`."""
    return ["daily", "--lake", LAKE, "--state", "state", "--output", "runs", "--until", str(until), *LIMITS, *more]


def whole(first: date, last: date, *more: str) -> list[str]:
    """The arguments of one backfill over all days."""
    days = ("--start", str(first), "--end", str(last + timedelta(days=1)))
    return ["backfill", "--input", LAKE, "--output", "whole", *days, *LIMITS, *more]


def facts_of(*runs: Path) -> Facts:
    """What some runs found together."""
    return {name: Counter(_facts(runs, name)) for name in ("alerts", "verdicts", "dead_letter")}


def _facts(runs: Sequence[Path], name: str) -> Iterator[str]:
    for run in runs:
        for row in read_rows(str(run), name):
            row.pop("run_id", None)
            if name == "alerts":
                row["baseline"].pop("as_of")
            yield json.dumps(row, sort_keys=True)
