"""Thin days."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from uncommon_im.schemas.detector import load_detector
from uncommon_im.transforms.rules.baseline.completeness import ThinDay, active_from, thin_days

WEEK = {("a", day): 100 for day in range(7)}


@pytest.mark.parametrize(("events", "thin"), [(20, False), (19, True), (1, True), (500, False)])
def test_a_day_under_a_fifth_of_the_usual_is_thin(events: int, thin: bool) -> None:
    found = list(thin_days(WEEK | {("a", 7): events}, 0, 100))
    assert found == ([ThinDay("a", 7, events, 100)] if thin else [])


def test_a_day_without_events_between_others_is_thin() -> None:
    assert [(t.day, t.events) for t in thin_days(WEEK | {("a", 8): 100}, 0, 100)] == [(7, 0)]


def test_days_outside_the_range_are_not_looked_at() -> None:
    coverage = WEEK | {("a", 7): 1, ("a", 8): 1}
    assert [t.day for t in thin_days(coverage, 8, 9)] == [8]
    assert list(thin_days(coverage, 0, 7)) == []


def test_a_tenant_is_compared_with_itself_and_only_after_a_week() -> None:
    coverage = WEEK | {("b", day): 1 for day in range(8)} | {("a", 7): 100}
    assert list(thin_days(coverage, 0, 100)) == []
    assert list(thin_days({("a", 0): 100, ("a", 1): 1}, 0, 100)) == []


def test_one_thin_day_does_not_make_the_next_one_usual() -> None:
    coverage = WEEK | {("a", 7): 1, ("a", 8): 1}
    assert [t.day for t in thin_days(coverage, 0, 100)] == [7, 8]


@pytest.mark.parametrize(("sunday", "thin"), [(10, False), (2, False), (1, True), (0, True)])
def test_a_quiet_weekday_is_compared_with_the_same_weekday_of_the_weeks_before(sunday: int, thin: bool) -> None:
    weeks = {("a", day): 10 if day % 7 == 6 else 100 for day in range(20)}
    found = list(thin_days(weeks | {("a", 20): sunday}, 0, 100))
    assert found == ([ThinDay("a", 20, sunday, 10)] if thin else [])


def test_a_weekday_that_was_missing_once_is_still_expected() -> None:
    weeks = {("a", day): 100 for day in range(28)} | {("a", 21): 0}
    assert [t.day for t in thin_days(weeks | {("a", 28): 1}, 22, 100)] == [28]


@given(
    days=st.sets(st.integers(-40, -1)),
    needed=st.tuples(st.integers(0, 40), st.integers(1, 40)).filter(lambda both: both[0] <= both[1]),
)
def test_the_first_active_day_is_the_one_on_which_the_window_has_enough_days(
    days: set[int], needed: tuple[int, int]
) -> None:
    activation, training = needed
    limits = replace(load_detector().limits, training_days=training, activation_days=activation)

    def active(day: int) -> bool:
        return sum(each in days or each >= 0 for each in range(day - training, day)) >= activation

    assert active_from(days, 0, limits) == next(day for day in range(100) if active(day))
