"""`replay` without an engine gives the backfill's and the oracle's alerts: late, warm, restarted. No engine runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runners.equality import (
    a_snapshot_of_what_it_learned_is_the_backfills,
    a_warm_start_goes_on_where_the_backfill_left_off,
    equals_the_backfill_and_the_oracle,
    killed_and_restarted_the_union_is_the_oracles,
    late_records_do_what_the_oracle_says,
)
from tests.streaming import in_process


@pytest.mark.parametrize("seed", range(3))
def test_a_random_organisation_in_any_arrival_order_gives_the_backfills_and_the_oracles_alerts_and_verdicts(
    seed: int, tmp_path: Path
) -> None:
    equals_the_backfill_and_the_oracle(seed, tmp_path, in_process)


@pytest.mark.parametrize("seed", [7])
def test_late_records_do_what_the_oracle_says_and_late_alerts_reach_the_sink(seed: int, tmp_path: Path) -> None:
    late_records_do_what_the_oracle_says(seed, tmp_path, in_process)


@pytest.mark.parametrize("seed", [0])
def test_a_warm_start_at_any_day_goes_on_where_the_backfill_left_off(seed: int, tmp_path: Path) -> None:
    a_warm_start_goes_on_where_the_backfill_left_off(seed, tmp_path, in_process)


@pytest.mark.parametrize("seed", [4])
def test_a_snapshot_of_what_the_stream_learned_is_the_one_that_a_backfill_leaves(seed: int, tmp_path: Path) -> None:
    a_snapshot_of_what_it_learned_is_the_backfills(seed, tmp_path, in_process)


@pytest.mark.parametrize("seed", [6])
def test_killed_and_restarted_as_the_docs_say_the_union_of_alerts_is_the_oracles(seed: int, tmp_path: Path) -> None:
    killed_and_restarted_the_union_is_the_oracles(seed, tmp_path, rate=200)
