"""What a run speaks for."""

from __future__ import annotations

from datetime import date

from uncommon_im.transforms.rules.alerts.table_rows import Scope, is_judged, run_key, scope_of
from uncommon_im.transforms.rules.columns.days import day_number

MARCH_20 = date(2026, 3, 20)
DAY = day_number(MARCH_20)


def test_a_run_speaks_for_the_days_it_is_given_and_the_tenants_that_delivered_on_them() -> None:
    coverage = {("early", DAY - 1): 1, ("acme", DAY): 1, ("globex", DAY + 1): 1}
    assert scope_of(coverage, MARCH_20, date(2026, 4, 1)) == Scope(MARCH_20, date(2026, 4, 1), ("acme", "globex"))


def test_where_no_day_is_given_it_speaks_for_those_of_the_events_only() -> None:
    coverage = {("acme", DAY): 1, ("acme", DAY + 2): 1}
    assert scope_of(coverage, None, None) == Scope(MARCH_20, date(2026, 3, 23), ("acme",))
    assert scope_of(coverage, date(2026, 3, 1), None) == Scope(date(2026, 3, 1), date(2026, 3, 23), ("acme",))


def test_a_run_that_has_read_no_event_of_its_days_speaks_for_none() -> None:
    assert scope_of({}, MARCH_20, None) is None
    assert scope_of({("acme", DAY - 1): 9}, MARCH_20, None) is None


def test_a_rerun_has_the_key_of_the_run_before_whatever_the_order_of_its_inputs() -> None:
    key = run_key(MARCH_20, None, ["a", "b"], "acme")
    assert key == run_key(MARCH_20, None, ["b", "a"], "acme")
    others = [(None, None, ["a", "b"], "acme"), (MARCH_20, None, ["a"], "acme"), (MARCH_20, None, ["a", "b"], "t")]
    assert len({key, *(run_key(*other) for other in others)}) == 4


def test_training_is_left_to_the_run_that_judges_its_day() -> None:
    assert not is_judged({"verdict": "training"})
    assert is_judged({"verdict": "too_late"})
