"""How common was this subject, for this host, before this day?"""

from __future__ import annotations

import itertools
import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import DAY, Sighting, activities, activity, quick, sightings
from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.baseline.prevalence import answer, measure
from uncommon_im.transforms.rules.baseline.sightings import cap
from uncommon_im.transforms.rules.baseline.subjects import SubjectKind
from uncommon_im.transforms.rules.baseline.tables import QUESTION_SCHEMA

Figures = dict[str, int]
Asked = tuple[str, str, str, int, bool]
"""(tenant, subject, host, day, guarded)."""


def by_hand(seen: set[Sighting], asked: Asked, limits: Limits, maximum: int) -> Figures:
    """Section 5 over plain sets."""
    tenant, subject, host, day, guarded = asked
    window = [
        (h, d) for t, s, h, d in seen if (t, s) == (tenant, subject) and day - limits.training_days <= d <= day - 1
    ]
    vouching = day - 1 - (limits.guard_days if guarded else 0)
    days = {d for _, d in window}
    return {
        "other_hosts": min(len({h for h, d in window if h != host and d <= vouching}), maximum + 1),
        "host_days": len({d for h, d in window if h == host}),
        "active_days": len(days),
        "first_day": min(days, default=-1),
        "last_day": max(days, default=-1),
    }


def measured(
    seen: list[Sighting],
    asked: list[Asked],
    limits: Limits,
    kind: SubjectKind = "communication",
    shared: pa.Table | None = None,
) -> list[Figures]:
    """The same by the rules: answers from shared sightings, the hosts' own beside them."""
    rows = [
        activity(
            **{"tenant": t, "communication": None, kind: s, "host": h, "hour": d * 24 + 23},
            reasons="unsigned" if suspicious else "",
        )
        for t, s, h, d, suspicious in asked
    ]
    questions: list[dict[str, Any]] = [{"tenant": t, "subject": s, "day": d, "shard": 0} for t, s, _, d, _ in asked]
    answers = answer(
        sightings(seen) if shared is None else shared, pa.Table.from_pylist(questions, QUESTION_SCHEMA), limits
    )
    own = sightings(row for row in seen if row[2] in {h for _, _, h, _, _ in asked})
    found = measure(activities(*rows), kind, answers, own, limits)
    return [found.at(row) for row in range(len(asked))]


def seen_on(*days: int, host: str = "other") -> list[Sighting]:
    return [("t", "s", host, day) for day in days]


def crowd(seed: int, share: float) -> list[Sighting]:
    """Many sightings: each of eight hosts shows each subject on a share of the days."""
    chance = random.Random(seed)
    grid = itertools.product("tu", "rs", [f"h{n}" for n in range(8)], range(DAY - 12, DAY + 2))
    return [row for row in grid if chance.random() < share]


HOSTS = st.integers(0, 7).map("h{}".format)
DAYS = st.integers(DAY - 12, DAY + 1)
SEEN = st.lists(st.tuples(st.sampled_from("tu"), st.sampled_from("rs"), HOSTS, DAYS), max_size=20) | st.builds(
    crowd, st.integers(0, 999), st.sampled_from([0.02, 0.1, 0.4])
)
ASKED = st.lists(
    st.tuples(st.sampled_from("tu"), st.sampled_from("rsn"), HOSTS, DAYS, st.booleans()), min_size=1, max_size=8
)
LIMITS = st.builds(
    Limits,
    training_days=st.integers(1, 8),
    activation_days=st.just(0),
    guard_days=st.integers(0, 9),
    max_other_hosts=st.integers(0, 4),
    execution_max_other_hosts=st.integers(0, 4),
)


@quick
@given(SEEN, ASKED, LIMITS, st.sampled_from(["communication", "execution"]))
def test_figures_are_those_of_plain_sets(
    seen: list[Sighting], asked: list[Asked], limits: Limits, kind: SubjectKind
) -> None:
    maximum = limits.execution_max_other_hosts if kind == "execution" else limits.max_other_hosts
    guarded = [(*one, suspicious and kind != "execution") for *one, suspicious in asked]
    expected = [by_hand(set(seen), one, limits, maximum) for one in guarded]
    assert measured(seen, asked, limits, kind) == expected


@quick
@given(st.lists(SEEN, min_size=1, max_size=3), ASKED, LIMITS)
def test_capped_sightings_of_any_split_give_the_same_figures(
    parts: list[list[Sighting]], asked: list[Asked], limits: Limits
) -> None:
    seen = [row for part in parts for row in part]
    shared = pa.concat_tables([cap(sightings(part), limits.hosts_kept) for part in parts])
    expected = [by_hand(set(seen), one, limits, limits.max_other_hosts) for one in asked]
    assert measured(seen, asked, limits, shared=shared) == expected


@pytest.mark.parametrize("others", range(8))
@pytest.mark.parametrize("itself", [True, False])
def test_capped_hosts_count_exactly_up_to_the_limit_and_one_more(others: int, itself: bool) -> None:
    hosts = [f"o{n}" for n in range(others)] + ["h1"] * itself
    seen = [("t", "s", host, DAY - 5) for host in hosts]
    (figures,) = measured(seen, [("t", "s", "h1", DAY, True)], Limits())
    assert (figures["other_hosts"], figures["host_days"]) == (min(others, 4), int(itself))


@pytest.mark.parametrize(
    ("day", "counts", "counts_guarded"),
    [
        (DAY - 31, False, False),
        (DAY - 30, True, True),
        (DAY - 5, True, True),
        (DAY - 4, True, True),
        (DAY - 3, True, False),
        (DAY - 1, True, False),
        (DAY, False, False),
        (DAY + 1, False, False),
    ],
)
def test_the_window_ends_yesterday_or_before_the_guard_days(day: int, counts: bool, counts_guarded: bool) -> None:
    asked = [("t", "s", "h1", DAY, False), ("t", "s", "h1", DAY, True)]
    plain, guarded = measured(seen_on(day), asked, Limits())
    assert (plain["other_hosts"], guarded["other_hosts"]) == (counts, counts_guarded)
    for figures in (plain, guarded):
        assert figures["active_days"] == counts
        assert (figures["first_day"], figures["last_day"]) == ((day, day) if counts else (-1, -1))


@pytest.mark.parametrize(
    ("day", "counts"), [(DAY - 31, 0), (DAY - 30, 1), (DAY - 3, 1), (DAY - 1, 1), (DAY, 0), (DAY + 1, 0)]
)
@pytest.mark.parametrize("guarded", [True, False])
def test_the_hosts_own_days_know_no_guard(day: int, counts: int, guarded: bool) -> None:
    (figures,) = measured(seen_on(day, host="h1"), [("t", "s", "h1", DAY, guarded)], Limits())
    assert (figures["host_days"], figures["active_days"], figures["other_hosts"]) == (counts, counts, 0)


def test_a_host_that_shows_up_on_many_days_counts_once_and_its_days_each() -> None:
    seen = seen_on(DAY - 30, DAY - 20, DAY - 1) + seen_on(DAY - 20, DAY - 2, host="h1")
    (figures,) = measured(seen * 2, [("t", "s", "h1", DAY, False)], Limits())
    assert figures == {
        "other_hosts": 1,
        "host_days": 2,
        "active_days": 4,
        "first_day": DAY - 30,
        "last_day": DAY - 1,
    }


@pytest.mark.parametrize("recently", [True, False])
def test_a_host_that_vouches_before_the_guard_days_still_does_if_it_shows_up_within_them(recently: bool) -> None:
    seen = seen_on(DAY - 6, *[DAY - 2] * recently)
    (figures,) = measured(seen, [("t", "s", "h1", DAY, True)], Limits())
    assert figures["other_hosts"] == 1


@pytest.mark.parametrize("tenant_and_subject", [("t", "other"), ("other", "s")])
def test_other_subjects_and_other_tenants_do_not_count(tenant_and_subject: tuple[str, str]) -> None:
    asked = [(*tenant_and_subject, "h1", DAY, False)]
    (figures,) = measured(seen_on(DAY - 1) + seen_on(DAY - 1, host="h1"), asked, Limits())
    assert figures == {"other_hosts": 0, "host_days": 0, "active_days": 0, "first_day": -1, "last_day": -1}


def test_executions_have_a_limit_of_their_own() -> None:
    limits = Limits(max_other_hosts=1, execution_max_other_hosts=4)
    seen = [("t", "s", f"o{n}", DAY - 1) for n in range(9)]
    asked = [("t", "s", "h1", DAY, False)]
    assert measured(seen, asked, limits, "communication")[0]["other_hosts"] == 2
    assert measured(seen, asked, limits, "execution")[0]["other_hosts"] == 5


def test_an_activity_without_the_subject_has_no_figures() -> None:
    questions = pa.Table.from_pylist([{"tenant": "t", "subject": "s", "day": DAY, "shard": 0}], QUESTION_SCHEMA)
    answers = answer(sightings(seen_on(DAY - 1)), questions, Limits())
    table = activities(activity(tenant="t", communication="s"), activity(tenant="t", communication=None))
    found = measure(table, "communication", answers, sightings([]), Limits())
    assert found.other_hosts.tolist() == [1, 0]
    assert found.active_days.tolist() == [1, 0]
    assert found.first_day.tolist() == [DAY - 1, -1]


def test_answers_count_hosts_up_to_those_kept_also_over_several_days() -> None:
    seen = [("t", "s", f"o{n}", DAY - 5 - n % 3) for n in range(12)]
    questions = pa.Table.from_pylist([{"tenant": "t", "subject": "s", "day": DAY, "shard": 0}], QUESTION_SCHEMA)
    (row,) = answer(sightings(seen), questions, Limits()).to_pylist()
    assert (row["hosts"], row["guarded_hosts"], row["active_days"]) == (5, 5, 3)


def test_each_question_is_answered_once_and_nothing_seen_is_an_answer_too() -> None:
    question = {"tenant": "t", "subject": "s", "day": DAY, "shard": 0}
    questions = pa.Table.from_pylist([question, question | {"shard": 1}, question | {"day": DAY + 1}], QUESTION_SCHEMA)
    found = answer(sightings([]), questions, Limits()).to_pylist()
    assert sorted(row["day"] for row in found) == [DAY, DAY + 1]
    for row in found:
        assert (row["hosts"], row["guarded_hosts"], row["active_days"], row["last_day"]) == (0, 0, 0, -1)
    assert answer(sightings([]), QUESTION_SCHEMA.empty_table(), Limits()).num_rows == 0
