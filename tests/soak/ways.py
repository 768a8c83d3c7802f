"""The ways in which an organisation's records reach the detector. Each ends in the oracle's alerts and verdicts.

A way takes the seed of an organisation and an empty folder, and raises `AssertionError` where anything differs. Engines
are named where there are any: Beam's in-process engine (`FnApiRunner`), Prism, or none (the stream's rules, driven).
"""

from __future__ import annotations

import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from tests.oracle import detect
from tests.organisations import Organisation, random_organisation
from tests.pipeline.baselines.test_snapshots import day_of_record, run
from tests.pipeline.test_backfill_oracle import comparable, oracle_rows, verdict_rows
from tests.runners.equality import equals_the_backfill_and_the_oracle, files_of
from tests.running import Found, configuration_of, run_backfill
from tests.streaming import on_prism
from tests.transforms.rules.stream import test_equality, test_warm_start

Way = Callable[[int, Path], None]
FIRST: Final = date(2026, 3, 1)
"""The first day of the random organisations."""
DAYS: Final = 62
"""How many days they have."""


def in_one_run(seed: int, folder: Path) -> None:
    """A backfill in this process: records shuffled, repeated, split over JSON lines and Parquet."""
    _one_run(seed, folder, workers=1)


def by_processes(seed: int, folder: Path) -> None:
    """The same, scanned by two processes of this machine."""
    _one_run(seed, folder, workers=2)


def in_a_chain(seed: int, folder: Path) -> None:
    """A chain of backfills, cut anywhere, each with the events of its own days; some snapshots are copied between."""
    organisation, chooser = random_organisation(seed), random.Random(f"chain {seed}")
    start, end = organisation.options.start or FIRST, organisation.options.end or FIRST + timedelta(days=DAYS)
    inner = range(1, (end - start).days)
    cuts = [start + timedelta(days=n) for n in sorted(chooser.sample(inner, chooser.randint(1, 4)))]
    ranges = list(zip((date.min, *cuts), (*cuts, end), strict=True))
    by_day = [(day_of_record(record, organisation.options.tenant), record) for record in organisation.records]
    before, found = None, []
    for number, (first, after) in enumerate(ranges):
        records = [record for day, record in by_day if first <= day < after]
        records += chooser.sample(records, len(records) // 9)
        chooser.shuffle(records)
        configuration = configuration_of(
            organisation.options,
            start=first if number else organisation.options.start,
            end=after,
            shards=chooser.randint(1, 7),
        )
        snapshot = folder / f"snapshot-{number}"
        found.append(run(records, configuration, before, snapshot))
        before = snapshot
        if chooser.random() < 0.3:
            before = Path(shutil.move(snapshot, folder / "elsewhere" / f"copy-{number}"))
    _equal(organisation, found)


def by_the_streams_rules(seed: int, _: Path) -> None:
    """The stream without an engine: any arrival order within the lateness."""
    test_equality.test_any_arrival_order_within_the_lateness_gives_the_alerts_and_verdicts_of_the_backfills_oracle(seed)


def restarted(seed: int, _: Path) -> None:
    """The stream without an engine: killed at any moment, and started from what it had learned."""
    test_warm_start.test_killed_at_any_moment_and_restarted_the_union_of_alerts_is_the_oracles(seed)


def warm_started(seed: int, folder: Path) -> None:
    """The stream without an engine, started from a snapshot of a backfill."""
    test_warm_start.test_a_stream_that_starts_from_a_snapshot_goes_on_as_if_it_had_seen_its_days(seed, folder)


def on_prism_engine(seed: int, folder: Path) -> None:
    """The stream on Prism, records repeated, in any arrival order within the lateness."""
    equals_the_backfill_and_the_oracle(seed, folder, on_prism)


def ways() -> dict[str, Way]:
    """What this machine can run, by name; Prism is there after `make runners`."""
    every = [in_one_run, in_a_chain, by_the_streams_rules, restarted, warm_started, by_processes]
    if (Path(sys.prefix) / "bin" / "prism").exists():
        every.append(on_prism_engine)
    return {way.__name__: way for way in every}


def _one_run(seed: int, folder: Path, workers: int) -> None:
    organisation = random_organisation(seed)
    patterns = files_of(organisation, folder, seed)
    _equal(organisation, [run_backfill(patterns, configuration_of(organisation.options), workers=workers)])


def _equal(organisation: Organisation, runs: Iterable[Found]) -> None:
    """Alerts and verdict rows of runs together are the oracle's."""
    runs = list(runs)
    options = replace(organisation.options, end=organisation.options.end or FIRST + timedelta(days=DAYS))
    expected = detect(organisation.records, options)
    alerts = Counter(comparable(alert) for found in runs for alert in found.alerts)
    assert alerts == Counter(map(comparable, expected.alerts)), organisation.story
    rows = verdict_rows([row for found in runs for row in found.verdicts])
    assert rows == oracle_rows(expected.activities), organisation.story
