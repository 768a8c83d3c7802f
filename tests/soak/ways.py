"""The ways in which an organisation's records reach the detector. Each ends in the oracle's alerts and verdicts.

A way takes the seed of an organisation and an empty folder, and raises `AssertionError` where anything differs. Engines
are named where there are any: Beam's in-process engine (`FnApiRunner`), Prism, Flink, or none (the stream's rules,
driven). What a way chooses (cuts, files, processes) it chooses by the seed.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from tests.oracle import Options, detect
from tests.organisations import Organisation, random_organisation
from tests.pipeline.baselines.test_snapshots import day_of_record
from tests.pipeline.test_backfill_oracle import comparable, oracle_rows, verdict_rows
from tests.runners.equality import Run, equals_the_backfill_and_the_oracle, lateness_of
from tests.runners.flink import JARS, flink
from tests.running import Found, configuration_of, run_backfill
from tests.soak.files import scattered
from tests.streaming import in_process, on_engine, on_prism
from tests.transforms.rules.stream import test_equality, test_warm_start
from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
from uncommon_im.pipeline.configuration.configuration import Configuration, new_run_id
from uncommon_im.pipeline.configuration.from_options import with_baseline
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes
from uncommon_im.transforms.rules.columns.days import DAY_US, SECOND_US, day_number

Way = Callable[[int, Path], None]
FIRST: Final = date(2026, 3, 1)
"""The first day of the random organisations."""
DAYS: Final = 62
"""How many days they have."""


def in_one_run(seed: int, folder: Path) -> None:
    """A backfill in this process: records shuffled, repeated, split over files of all kinds."""
    _one_run(seed, folder, workers=1)


def by_processes(seed: int, folder: Path) -> None:
    """The same, scanned by two or three processes of this machine."""
    _one_run(seed, folder, workers=2 + seed % 2)


def in_a_chain(seed: int, folder: Path) -> None:
    """A chain of backfills, cut anywhere, each with the events of its own days, by one process or two.

    Each snapshot is copied to another folder, some of them twice, and the first one deleted, before the next run
    starts from the copy.
    """
    organisation, chooser = random_organisation(seed), random.Random(f"chain {seed}")
    start, end = organisation.options.start or FIRST, organisation.options.end or FIRST + timedelta(days=DAYS)
    inner = range(1, (end - start).days)
    cuts = [start + timedelta(days=n) for n in sorted(chooser.sample(inner, chooser.randint(1, 4)))]
    by_day = [(day_of_record(record, organisation.options.tenant), record) for record in organisation.records]
    before, found = None, []
    for number, (first, after) in enumerate(zip((date.min, *cuts), (*cuts, end), strict=True)):
        configuration = configuration_of(
            organisation.options,
            start=first if number else organisation.options.start,
            end=after,
            shards=chooser.randint(1, 7),
            run_id=new_run_id(),
            baseline_out=str(folder / f"snapshot-{number}"),
        )
        patterns = scattered([each for day, each in by_day if first <= day < after], folder / f"in-{number}", chooser)
        found.append(run_backfill(patterns, _from(before, configuration), workers=chooser.choice((1, 1, 2))))
        before = copied(folder / f"snapshot-{number}", chooser)
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


def replayed(seed: int, folder: Path) -> None:
    """`replay` without an engine: records repeated, in any arrival order within the lateness."""
    equals_the_backfill_and_the_oracle(seed, folder, in_process)


def warm_started_replay(seed: int, folder: Path) -> None:
    """The same, started from a copied snapshot of a backfill."""
    _warm_started(seed, folder, in_process)


def on_prism_engine(seed: int, folder: Path) -> None:
    """The stream on Prism, records repeated, in any arrival order within the lateness."""
    equals_the_backfill_and_the_oracle(seed, folder, on_prism)


def warm_started_on_prism(seed: int, folder: Path) -> None:
    """The stream on Prism, started from a copied snapshot of a backfill."""
    _warm_started(seed, folder, on_prism)


def on_flink_engine(seed: int, folder: Path) -> None:
    """On Flink, which is started for it: the stream, the stream from a copied snapshot, and the backfill."""
    for name in ("flink", "cold", "warm", "batch"):
        (folder / name).mkdir()
    with flink(folder / "flink") as engine:
        run = partial(on_engine, engine.streaming())
        equals_the_backfill_and_the_oracle(seed, folder / "cold", run)
        _warm_started(seed, folder / "warm", run)
        organisation = random_organisation(seed)
        patterns = scattered(organisation.records, folder / "batch", random.Random(f"files {seed}"))
        _equal(organisation, [run_backfill(patterns, configuration_of(organisation.options), engine=engine.batch())])


def ways() -> dict[str, Way]:
    """What takes seconds, by name: in this process or some of its own, or without an engine."""
    every: list[Way] = [in_one_run, in_a_chain, by_the_streams_rules, restarted, warm_started, by_processes]
    every += [replayed, warm_started_replay]
    return {way.__name__: way for way in every}


def slow_ways() -> dict[str, Way]:
    """What takes longer, by name: the engines that `make runners` has put on this machine; Flink needs Java."""
    every: list[Way] = []
    if (Path(sys.prefix) / "bin" / "prism").exists():
        every += [on_prism_engine, warm_started_on_prism]
    if JARS.is_dir() and shutil.which("java"):
        every.append(on_flink_engine)
    return {way.__name__: way for way in every}


def _one_run(seed: int, folder: Path, workers: int) -> None:
    organisation = random_organisation(seed)
    patterns = scattered(organisation.records, folder, random.Random(f"files {seed}"))
    _equal(organisation, [run_backfill(patterns, configuration_of(organisation.options), workers=workers)])


def _warm_started(seed: int, folder: Path, run: Run) -> None:
    """A stream from a snapshot of some day, which may see days before it again: from that day on it is the oracle's."""
    organisation, chooser = random_organisation(seed), random.Random(f"warm {seed}")
    options: Options = replace(organisation.options, start=None, end=None)
    as_of = FIRST + timedelta(days=chooser.randint(15, DAYS - 4))
    patterns = scattered(organisation.records, folder / "in", chooser)
    run_backfill(patterns, configuration_of(options, end=as_of, baseline_out=str(folder / "snapshot")))
    since = (day_number(as_of) - chooser.choice((0, 0, 1, 40))) * DAY_US
    found = run(
        patterns,
        _from(copied(folder / "snapshot", chooser), configuration_of(options)),
        lateness_of(options),
        ArrivalTimes(seed=seed, lateness=600 * SECOND_US, since=since),
    )
    whole = detect(organisation.records, options)
    expected = [alert for alert in whole.alerts if alert["timestamp"] >= str(as_of)]
    assert Counter(map(comparable, found.alerts)) == Counter(map(comparable, expected)), organisation.story
    judged = [row for row in whole.activities if row["hour"] >= day_number(as_of) * 24]
    rows = [row for row in found.verdicts if row["verdict"] != "training"]
    assert verdict_rows(rows) == oracle_rows(judged), organisation.story


def _from(snapshot: Path | None, configuration: Configuration) -> Configuration:
    return configuration if snapshot is None else with_baseline(configuration, open_snapshot(str(snapshot)), False)


def copied(snapshot: Path, chooser: random.Random) -> Path:
    """A copy of a snapshot in another folder, or a copy of a copy; the original is deleted."""
    copy = snapshot
    for number in range(chooser.choice((1, 1, 2))):
        copy, original = snapshot.parent / f"copies of {snapshot.name}" / f"{number}", copy
        shutil.copytree(original, copy)
        shutil.rmtree(original)
    return copy


def _equal(organisation: Organisation, runs: Iterable[Found]) -> None:
    """Alerts and verdict rows of runs together are the oracle's."""
    runs = list(runs)
    options = replace(organisation.options, end=organisation.options.end or FIRST + timedelta(days=DAYS))
    expected = detect(organisation.records, options)
    alerts = Counter(comparable(alert) for found in runs for alert in found.alerts)
    assert alerts == Counter(map(comparable, expected.alerts)), organisation.story
    rows = verdict_rows([row for found in runs for row in found.verdicts])
    assert rows == oracle_rows(expected.activities), organisation.story
