"""Confidence intervals. No engine."""

from __future__ import annotations

import numpy as np
import pytest

from uncommon_im.pipeline.lab.evaluation.intervals import Estimate, ratio, share


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (1, 1, 0.2065, 1.0)],
)
def test_wilsons_interval_is_that_of_published_tables(successes: int, trials: int, low: float, high: float) -> None:
    """81 of 263: Newcombe 1998, Statistics in Medicine 17, 857-872, table I."""
    found = share(successes, trials)
    assert found.value == successes / trials
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_share_of_nothing_is_unknown() -> None:
    assert share(0, 0) == Estimate(None)


def test_a_ratio_is_that_of_the_sums_and_lies_within_its_interval() -> None:
    found = ratio([1, 5, 3], [10, 10, 20])
    assert found.value == 9 / 40
    assert found.low is not None
    assert found.high is not None
    assert 0.1 <= found.low < 9 / 40 < found.high <= 0.5


def test_one_organisation_says_nothing_of_how_sure_a_ratio_is() -> None:
    assert ratio([3], [10]) == Estimate(0.3)


def test_organisations_without_anything_do_not_make_a_ratio_unknown() -> None:
    found = ratio([0, 2, 2], [0, 4, 4])
    assert found == Estimate(0.5, 0.5, 0.5)


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(200):
        found = ratio(rng.poisson(20, 20).tolist(), [10] * 20)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 2 <= found.high
    assert 0.88 <= covered / 200 <= 0.99
