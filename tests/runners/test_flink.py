"""The stream and the backfill on Flink give the same alerts, also when a worker is killed in mid-stream."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.oracle import detect
from tests.organisations import random_organisation
from tests.pipeline.test_backfill_oracle import comparable, oracle_rows, verdict_rows
from tests.runners.equality import SEEDS, equals_the_backfill_and_the_oracle, files_of, lateness_of
from tests.runners.flink import Flink, flink
from tests.running import configuration_of, run_backfill, write_lines
from tests.streaming import on_engine
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes
from uncommon_im.transforms.rules.columns.days import SECOND_US

pytestmark = pytest.mark.runners

CHECKPOINTS = ["--checkpointing_interval=500", "--shutdown_sources_after_idle_ms=20000"]
"""The sources are closed once the stream must be over: from then on Flink makes no checkpoint."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flink]:
    with flink(tmp_path_factory.mktemp("flink")) as running:
        yield running


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_organisation_streamed_with_parallelism_2_gives_the_backfills_and_the_oracles_alerts_and_verdicts(
    seed: int, tmp_path: Path, engine: Flink
) -> None:
    equals_the_backfill_and_the_oracle(seed, tmp_path, partial(on_engine, engine.streaming()))


def test_a_worker_killed_after_a_checkpoint_changes_no_alert_and_loses_no_verdict(
    tmp_path: Path, engine: Flink
) -> None:
    organisation = random_organisation(3)
    options = organisation.options
    times = ArrivalTimes(seed=3, lateness=600 * SECOND_US)
    killed: list[int] = []
    killer = threading.Thread(target=kill_after_a_checkpoint, args=(engine, killed), daemon=True)
    killer.start()
    run = partial(on_engine, engine.streaming(*CHECKPOINTS), rate=60)
    found = run(files_of(organisation, tmp_path, 3), configuration_of(options), lateness_of(options), times)
    assert killed, "the stream was over before a worker could be killed"
    expected = detect(organisation.records, options)
    assert Counter(map(comparable, found.alerts)) == Counter(map(comparable, expected.alerts))
    # a bundle that is run again writes its verdicts again: none is lost, none is another one
    of_stream, of_oracle = verdict_rows(found.verdicts), oracle_rows(expected.activities)
    assert set(of_stream) == set(of_oracle)
    assert not of_oracle - of_stream


def kill_after_a_checkpoint(engine: Flink, killed: list[int]) -> None:
    """Waits for a job's first checkpoints, then kills a worker."""
    for _ in range(1200):
        if engine.checkpoints() >= 3 and engine.worker_processes():
            killed.append(engine.kill_a_worker())
            return
        time.sleep(0.1)


@pytest.mark.parametrize("seed", [7])
def test_the_backfill_gives_the_oracles_alerts_and_verdicts(seed: int, tmp_path: Path, engine: Flink) -> None:
    organisation = random_organisation(seed)
    write_lines(tmp_path / "events.jsonl", organisation.records)
    options = organisation.options
    found = run_backfill([str(tmp_path / "events.jsonl")], configuration_of(options), engine=engine.batch())
    expected = detect(organisation.records, options)
    assert Counter(map(comparable, found.alerts)) == Counter(map(comparable, expected.alerts)), organisation.story
    assert verdict_rows(found.verdicts) == oracle_rows(expected.activities)
