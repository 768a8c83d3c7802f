"""Repeats of what was said already."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import quick
from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.verdicts.deduplication import EarlierAlert, deduplicate

PERIOD = 24 * 3_600_000_000
WORSE, MILDER = "Low", "Informational"


def said(time: int, severity: str = MILDER, event_id: str = "") -> EarlierAlert:
    event_id = event_id or f"e{time}"
    return EarlierAlert(time, severity, event_id, f"a-{event_id}-{severity}")


def repeats(
    *items: EarlierAlert, before: tuple[EarlierAlert, ...] = (), limits: Limits | None = None
) -> dict[str, str | None]:
    """Alert id -> alert id of what it repeats."""
    found = deduplicate(items, limits or Limits(), before)
    return {item.alert_id: repeated.alert_id if repeated else None for item, repeated in found}


@pytest.mark.parametrize(
    ("later", "duplicate"),
    [(0, True), (1, True), (PERIOD - 1, True), (PERIOD, False), (PERIOD + 1, False)],
)
def test_a_repeat_lies_less_than_a_day_after_what_it_repeats(later: int, duplicate: bool) -> None:
    first, second = said(1000, event_id="e1"), said(1000 + later, event_id="e2")
    assert repeats(first, second) == {first.alert_id: None, second.alert_id: first.alert_id if duplicate else None}


@pytest.mark.parametrize(
    ("first", "second", "duplicate"),
    [(MILDER, MILDER, True), (WORSE, WORSE, True), (WORSE, MILDER, True), (MILDER, WORSE, False)],
)
def test_a_worse_variation_gets_through_and_a_milder_one_does_not(first: str, second: str, duplicate: bool) -> None:
    earlier, later = said(0, first, "e1"), said(1, second, "e2")
    assert (repeats(earlier, later)[later.alert_id] is not None) is duplicate


def test_at_the_same_time_the_worse_is_said_first() -> None:
    milder, worse = said(5, MILDER, "e1"), said(5, WORSE, "e2")
    assert repeats(milder, worse) == {worse.alert_id: None, milder.alert_id: worse.alert_id}


def test_at_the_same_time_and_severity_the_smaller_event_id_is_said_first() -> None:
    second, first = said(5, WORSE, "e2"), said(5, WORSE, "e1")
    assert repeats(second, first) == {first.alert_id: None, second.alert_id: first.alert_id}


def test_a_repeat_is_not_repeated_itself() -> None:
    """Every 18 hours: the third lies within a day of the second only, and the second said nothing."""
    items = [said(n * PERIOD * 3 // 4) for n in range(4)]
    assert [repeated is None for repeated in repeats(*items).values()] == [True, False, True, False]


def test_a_milder_one_between_does_not_shield_from_what_was_worse() -> None:
    worse, milder, again = said(0, WORSE), said(PERIOD - 2, MILDER), said(PERIOD - 1, WORSE)
    assert list(repeats(worse, milder, again).values()) == [None, worse.alert_id, worse.alert_id]


def test_what_was_said_before_the_run_counts_and_is_not_said_again() -> None:
    earlier, item = said(0), said(PERIOD - 1)
    assert repeats(item, before=(earlier,)) == {item.alert_id: earlier.alert_id}
    assert repeats(said(PERIOD), before=(earlier,)) == {said(PERIOD).alert_id: None}


@pytest.mark.parametrize(("hours", "duplicate"), [(0, False), (1, False), (2, True)])
def test_the_period_is_the_configurations(hours: int, duplicate: bool) -> None:
    items = said(0), said(3_600_000_000)
    found = repeats(*items, limits=Limits(deduplication_hours=hours))
    assert (found[items[1].alert_id] is not None) is duplicate


def test_a_period_of_nothing_repeats_nothing_even_at_the_same_time() -> None:
    items = said(0, event_id="e1"), said(0, event_id="e2")
    assert set(repeats(*items, limits=Limits(deduplication_hours=0)).values()) == {None}


ITEMS = st.lists(
    st.builds(
        said,
        st.integers(0, 16).map(lambda quarters: quarters * PERIOD // 4),
        st.sampled_from([MILDER, WORSE]),
        st.sampled_from(["e1", "e2", "e3"]),
    ),
    unique=True,
    max_size=12,
)


def by_hand(items: list[EarlierAlert]) -> set[str]:
    """Alert ids that are no duplicates, by the letter of section 7."""
    ranks = {MILDER: 0, WORSE: 1}
    kept: list[EarlierAlert] = []
    for item in sorted(items, key=lambda item: (item.time, -ranks[item.severity], item.event_id)):
        if not any(ranks[k.severity] >= ranks[item.severity] and item.time - k.time < PERIOD for k in kept):
            kept.append(item)
    return {item.alert_id + str(item.time) for item in kept}


@quick
@given(ITEMS, st.integers(0, 99))
def test_duplicates_are_those_of_the_letter_in_any_order(items: list[EarlierAlert], seed: int) -> None:
    random.Random(seed).shuffle(items)
    found = list(deduplicate(items, Limits()))
    assert sorted(item.order for item, _ in found) == sorted(item.order for item in items)
    assert {item.alert_id + str(item.time) for item, repeated in found if repeated is None} == by_hand(items)


@quick
@given(ITEMS, st.integers(0, 16).map(lambda quarters: quarters * PERIOD // 4))
def test_two_runs_that_hand_over_what_was_said_are_one(items: list[EarlierAlert], split: int) -> None:
    def kept(found: list[tuple[EarlierAlert, EarlierAlert | None]]) -> list[EarlierAlert]:
        return [item for item, repeated in found if repeated is None]

    first = kept(list(deduplicate([item for item in items if item.time < split], Limits())))
    second = kept(list(deduplicate([item for item in items if item.time >= split], Limits(), earlier=first)))
    assert first + second == kept(list(deduplicate(items, Limits())))
