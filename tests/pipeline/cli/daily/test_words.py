"""What a line of a day says of too few events and of learning, and what the first run says."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from uncommon_im.pipeline.cli.daily.words import counted, few_events, first_run, learning
from uncommon_im.schemas.detector import load_detector
from uncommon_im.transforms.rules.columns.days import day_number

DAY = date(2026, 3, 31)
NUMBER = day_number(DAY)
LIMITS = load_detector().limits


def coverage(events: int, last: int | None, tenant: str = "t", days: int = 14) -> dict[tuple[str, int], int]:
    """So many events on each of some days before the day, and `last` on it."""
    found = {(tenant, NUMBER - number): events for number in range(1, days + 1)}
    return found if last is None else found | {(tenant, NUMBER): last}


@pytest.mark.parametrize(
    ("usual", "last", "few"),
    [(100, 19, True), (100, 20, False), (100, None, True), (4, None, False), (5, 0, True), (5, 1, False)],
)
def test_a_tenant_with_under_a_fifth_has_few_events_and_so_has_one_with_none(
    usual: int, last: int | None, few: bool
) -> None:
    said = few_events(coverage(usual, last), DAY)
    shown = f"tenant t has {last or 0} events, under a fifth of the usual {usual}"
    assert said == (shown if few else None)


def test_each_tenant_with_few_events_is_named() -> None:
    both = coverage(100, 100, "a") | coverage(1_000, 10, "b") | coverage(500, None, "c")
    said = few_events(both, DAY)
    assert said == (
        "tenant b has 10 events, under a fifth of the usual 1,000; "
        "tenant c has 0 events, under a fifth of the usual 500"
    )


def test_who_learns_is_named_with_what_is_missing_and_when_alerts_begin() -> None:
    assert learning(coverage(9, None, days=14), DAY, LIMITS) is None
    assert learning(coverage(9, None, days=13), DAY, LIMITS) == (
        "learning: tenant t lacks 1 of 14 days, alerts begin on 2026-04-01 if every day until then has events"
    )
    both = coverage(9, None, "a", days=30) | coverage(9, None, "b", days=2)
    assert learning(both, DAY, LIMITS) == (
        "learning: tenant b lacks 12 of 14 days, alerts begin on 2026-04-12 if every day until then has events"
    )


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0, "0 of the 30 days before 2026-03-31 have files, 30 are missing; alerts begin on 2026-04-14 if every day"),
        (10, "10 of the 30 days before 2026-03-31 have files, 20 are missing; alerts begin on 2026-04-04 if every day"),
        (30, "30 of the 30 days before 2026-03-31 have files, 0 are missing; alerts begin on 2026-03-31"),
    ],
)
def test_the_first_run_says_what_is_there_and_when_alerts_begin(days: int, said: str) -> None:
    assert said in first_run([DAY - timedelta(days=number) for number in range(1, days + 1)], DAY, LIMITS)


def test_a_line_counts_alerts_of_all_variations_and_all_dead_letters() -> None:
    events = {"read": 1_234, "dead_letter": {"malformed": 1, "bad_timestamp": 2}}
    summary = {"events": events, "activities": 7, "alerts": {"base": 1, "suspicious_process": 0}}
    assert counted(summary) == "1 alert, 7 activities, 1,234 records, 3 dead letters"
