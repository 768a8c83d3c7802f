"""The figures of the ranking: what is counted of a day and a week, by hand and for orders that are known to be best."""

from __future__ import annotations

import pytest

from tests.benchmarks.ranking import ORDERS, FirstEvent, Period, Ranked, half_of, periods, table
from uncommon_im.pipeline.lab.evaluation.scoring import (
    Activity,
    Alert,
    Campaign,
    Communication,
    Organisation,
    Subject,
    score,
)
from uncommon_im.pipeline.lab.simulation.campaigns.deck import SHIPPED

DAY = 24
FIRST_DAY = 20_000


def ranked(number: int, priority: int = 0, severity: str = "Low", sent: int | None = None) -> Ranked:
    return Ranked(
        f"a{number}", f"e{number}", f"2026-03-01T{number:02}:00:00Z", severity, priority, [], FirstEvent(sent)
    )


ALERTS = [
    ranked(0, priority=10, severity="Informational", sent=5),
    ranked(1, priority=40, severity="Low", sent=None),
    ranked(2, priority=90, severity="Informational", sent=9_000),
    ranked(3, priority=40, severity="Low", sent=100),
]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("priority", ["a2", "a1", "a3", "a0"]),
        ("severity", ["a1", "a3", "a0", "a2"]),
        ("bytes sent", ["a2", "a3", "a0", "a1"]),
        ("time", ["a0", "a1", "a2", "a3"]),
    ],
)
def test_alerts_are_read_in_the_order_that_is_asked_and_by_time_where_they_are_equal(
    name: str, read: list[str]
) -> None:
    attacks = {"x": frozenset({"a3", "a2"}), "y": frozenset({"a0"})}
    period = Period(ALERTS[::-1], attacks, frozenset({"a1"}))
    assert [alert.alert_id for alert in period.read(ORDERS[name])] == read
    seen = [min(read.index("a2"), read.index("a3")) + 1, read.index("a0") + 1]
    assert period.places(ORDERS[name]) == sorted(seen)
    assert [period.harmless_of_first(ORDERS[name], most) for most in range(5)] == [
        read[:most].count("a1") for most in range(5)
    ]


def test_a_campaign_counts_in_the_period_of_its_first_alert_and_harmless_ones_are_none() -> None:
    days = {0: 14, 1: 14, 2: 15, 3: 22, 4: 22}
    communications = {
        f"e{number}": Communication(
            Activity("h", f"p{number}", "", "", "telegram", (FIRST_DAY + day) * DAY),
            Subject("h", f"p{number}", "", "", "telegram"),
            (FIRST_DAY + day) * DAY * 3_600_000_000,
        )
        for number, day in days.items()
    }
    planted = [
        Campaign("long", "", "T1102", True, "base", ("e1", "e2", "e3")),
        Campaign("late", "", "T1102", True, "base", ("e4",)),
        Campaign("roll-out", "", "", False, "base", ("e0",)),
        Campaign("unseen", "", "T1102", True, "base", ("e9",)),
    ]
    organisation = Organisation(1, FIRST_DAY, 30, communications, planted)
    found = score(organisation, [Alert(f"e{number}") for number in days])
    alerts = [ranked(number) for number in days]
    by_day, by_week = periods(found, alerts, 1), periods(found, alerts, 7)
    assert [dict(period.attacks) for period in by_day] == [
        {"long": frozenset({"a1"})},
        {"late": frozenset({"a4"})},
    ]
    assert [len(period.alerts) for period in by_day] == [2, 2]
    assert [dict(period.attacks) for period in by_week] == [
        {"long": frozenset({"a1", "a2"})},
        {"late": frozenset({"a4"})},
    ]
    assert {period.harmless for period in by_day} == {frozenset({"a0"})}


def test_the_table_has_a_row_for_each_order() -> None:
    period = Period(ALERTS, {"x": frozenset({"a2"}), "y": frozenset({"a3"})}, frozenset({"a0", "a1"}))
    head, line, *rows = table([period], [period])
    assert [row.split(" | ")[0] for row in rows] == [*(f"| {name}" for name in ORDERS), "| attacks first"]
    assert {row.count("|") for row in (head, line, *rows)} == {head.count("|")}
    of_priority = rows[0].strip("| ").split(" | ")
    assert of_priority[1:4] == ["50% (9% to 91%)", "100% (34% to 100%)", "100% (34% to 100%)"]
    assert of_priority[7:] == ["1 (1)", "3 (3)", "3 (3)", "2.00", "2.00"]


def test_with_all_attacks_first_only_what_they_leave_is_harmless() -> None:
    assert [Period(ALERTS, {}, frozenset({"a0", "a1"})).harmless_at_best(most) for most in (1, 2, 10)] == [0, 0, 2]
    assert Period(ALERTS[:2], {}, frozenset({"a0", "a1"})).harmless_at_best(10) == 2


def test_both_halves_have_many_classes_and_none_has_a_class_of_the_other() -> None:
    classes = {half: {card.kind for card in SHIPPED if card.malicious and half_of(card) == half} for half in "ab"}
    assert min(map(len, classes.values())) >= 8
    assert not classes["a"] & classes["b"]
