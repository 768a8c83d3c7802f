"""The stream on Prism gives the same alerts: as the backfill, as the oracle, warm, restarted, with late records."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.oracle import detect
from tests.organisations import random_organisation
from tests.pipeline.test_backfill_oracle import comparable
from tests.processes import command
from tests.runners.equality import (
    SEEDS,
    a_snapshot_of_what_it_learned_is_the_backfills,
    a_warm_start_goes_on_where_the_backfill_left_off,
    equals_the_backfill_and_the_oracle,
    files_of,
    killed_and_restarted_the_union_is_the_oracles,
    late_records_do_what_the_oracle_says,
    lateness_of,
)
from tests.running import configuration_of, write_lines
from tests.streaming import on_prism
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes
from uncommon_im.transforms.rules.columns.days import DAY_US, SECOND_US

pytestmark = pytest.mark.runners

PRISM = ("--runner", "PrismRunner")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_organisation_in_any_arrival_order_gives_the_backfills_and_the_oracles_alerts_and_verdicts(
    seed: int, tmp_path: Path
) -> None:
    equals_the_backfill_and_the_oracle(seed, tmp_path, on_prism)


@pytest.mark.parametrize("seed", [3])
def test_step_by_step_it_gives_what_it_gives_in_leaps(seed: int, tmp_path: Path) -> None:
    organisation = random_organisation(seed)
    options = organisation.options
    patterns, times = files_of(organisation, tmp_path, seed), ArrivalTimes(seed=seed, lateness=600 * SECOND_US)
    stepped = on_prism(patterns, configuration_of(options), lateness_of(options), times, step=DAY_US)
    expected = detect(organisation.records, options)
    assert Counter(map(comparable, stepped.alerts)) == Counter(map(comparable, expected.alerts))


@pytest.mark.parametrize("seed", [7])
def test_late_records_do_what_the_oracle_says_and_late_alerts_reach_the_sink(seed: int, tmp_path: Path) -> None:
    late_records_do_what_the_oracle_says(seed, tmp_path, on_prism)


@pytest.mark.parametrize("seed", [4])
def test_a_warm_start_at_any_day_goes_on_where_the_backfill_left_off(seed: int, tmp_path: Path) -> None:
    a_warm_start_goes_on_where_the_backfill_left_off(seed, tmp_path, on_prism)


@pytest.mark.parametrize("seed", [4])
def test_a_snapshot_of_what_the_stream_learned_is_the_one_that_a_backfill_leaves(seed: int, tmp_path: Path) -> None:
    a_snapshot_of_what_it_learned_is_the_backfills(seed, tmp_path, on_prism)


@pytest.mark.parametrize("seed", [6])
def test_killed_and_restarted_as_the_docs_say_the_union_of_alerts_is_the_oracles(seed: int, tmp_path: Path) -> None:
    killed_and_restarted_the_union_is_the_oracles(seed, tmp_path, 60, PRISM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_replay_that_is_stopped_or_killed_leaves_no_prism_behind(number: signal.Signals, tmp_path: Path) -> None:
    write_lines(tmp_path / "events.jsonl", random_organisation(3).records)
    files = ["--input", str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "run"), "--rate", "1", *PRISM]
    with command(tmp_path / "tmp", "replay", *files) as replay:
        replay.wait_for(lambda: replay.others("--job_port"))
        replay.main.send_signal(number)
        _, said = replay.main.communicate(timeout=60)
        replay.wait_until_gone()
    if number != signal.SIGKILL:
        assert replay.main.returncode == 128 + number
        assert said.splitlines()[-1] == f"uncommon-im: stopped by {number.name}; the output is not complete"


def test_a_replay_whose_prism_is_killed_ends_in_one_line_that_says_the_likely_cause(tmp_path: Path) -> None:
    write_lines(tmp_path / "events.jsonl", random_organisation(3).records)
    files = ["--input", str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "run"), "--rate", "1", *PRISM]
    with command(tmp_path / "tmp", "replay", *files) as replay:
        replay.wait_for(lambda: len(replay.others("--job_port")) == 2)  # it and its guard
        time.sleep(30)  # until the job runs: nothing outside of it says so
        (prism,) = {*replay.others("--job_port")} - {*replay.others("tied.py")}
        os.kill(prism, signal.SIGKILL)
        _, told = replay.main.communicate(timeout=60)
        replay.wait_until_gone()
    assert replay.main.returncode == 1
    (line,) = [line for line in told.splitlines() if "configuration {" not in line and "sorting " not in line]
    assert line.startswith("uncommon-im: the run failed: the engine is gone: most likely it was killed")
