"""Masks of days against plain sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import quick
from uncommon_im.transforms.rules.stream.day_sets import DaySet

DAYS = st.integers(20_000, 20_080)
ADDED = st.lists(st.tuples(DAYS, st.integers(0, 5)), max_size=30)


def filled(added: list[tuple[int, int]]) -> tuple[DaySet, dict[int, int]]:
    days, plain = DaySet(), dict[int, int]()
    for day, later in added:
        news = days.add(day, day + later)
        assert news == (day + later < plain.get(day, day + 99))
        plain[day] = min(day + later, plain.get(day, day + 99))
    return days, plain


@quick
@given(ADDED, DAYS, st.integers(1, 62))
def test_a_window_holds_the_days_before_that_were_known_then(
    added: list[tuple[int, int]], day: int, length: int
) -> None:
    days, plain = filled(added)
    window = days.window(day, length)
    found = {day - length + bit for bit in range(length) if window >> bit & 1}
    assert found == {d for d, known in plain.items() if day - length <= d < day and known < day}


@quick
@given(ADDED, st.randoms())
def test_order_and_repetition_change_nothing_not_even_the_bytes(added: list[tuple[int, int]], chooser: object) -> None:
    shuffled = added + added
    chooser.shuffle(shuffled)  # type: ignore[attr-defined]
    assert filled(added)[0].pack() == filled_again(shuffled).pack()


def filled_again(added: list[tuple[int, int]]) -> DaySet:
    days = DaySet()
    for day, later in added:
        days.add(day, day + later)
    return days


@quick
@given(ADDED, DAYS)
def test_packing_and_forgetting_keep_the_days_from_then_on(added: list[tuple[int, int]], before: int) -> None:
    days, plain = filled(added)
    assert DaySet.unpack(days.pack()).days() == sorted(plain) == days.days()
    days.forget(before)
    assert days.days() == sorted(day for day in plain if day >= before)
    assert bool(days) == any(day >= before for day in plain)
    again = DaySet.unpack(days.pack())
    assert [again.counts_after(day) for day in again.days()] == [plain[day] for day in again.days()]


def test_a_day_that_is_taken_out_is_gone() -> None:
    days, _ = filled([(20_001, 0), (20_003, 2)])
    days.discard(20_003)
    days.discard(20_050)
    assert (days.days(), days.late) == ([20_001], {})


def test_thirty_days_take_a_dozen_bytes() -> None:
    days, _ = filled([(20_000 + n, 0) for n in range(30)])
    first, mask, late = days.pack()
    assert (first, len(mask), late) == (20_000, 4, ())
