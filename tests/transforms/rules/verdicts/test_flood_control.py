"""Roll-outs and outbreaks cost a bounded number of alerts, and say so."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules import candidates
from tests.transforms.rules.records import quick
from uncommon_im.transforms.rules.verdicts.flood_control import control_flood
from uncommon_im.transforms.rules.verdicts.judgement import Candidate

WHOLE = candidates.candidate().alert


def candidate(time: int, event_id: str = "e", host: str = "h") -> Candidate:
    alert_id = f"{time}-{event_id}-{host}"
    alert = WHOLE | {"event_id": event_id, "host": WHOLE["host"] | {"id": host}, "alert_id": alert_id}
    return Candidate(
        alert=alert, key=(host,), group=("group", "base"), time=time, row={"host": host, "alert_id": alert_id}
    )


def controlled(candidates: list[Candidate], limit: int) -> tuple[list[str], list[str], list[str]]:
    """Alert ids of (alerts, alerts that say that the group is saturated, rolled up)."""
    found = list(control_flood(candidates, limit))
    raised = [alert for alert, _ in found if alert]
    saturated = [alert["alert_id"] for alert in raised if alert["group_saturated"]]
    rolled_up = [row["alert_id"] for alert, row in found if alert is None]
    return sorted(alert["alert_id"] for alert in raised), saturated, sorted(rolled_up)


@pytest.mark.parametrize("limit", [1, 2, 25])
@pytest.mark.parametrize("more", [-1, 0, 1, 40])
def test_the_first_of_a_group_are_alerts_and_the_last_of_them_says_that_it_is_full(limit: int, more: int) -> None:
    candidates = [candidate(1000 + n) for n in range(limit + more)]
    alerts, saturated, rolled_up = controlled(candidates, limit)
    names = [c.alert["alert_id"] for c in candidates]
    assert alerts == sorted(names[:limit])
    assert rolled_up == sorted(names[limit:])
    assert saturated == names[limit - 1 : limit]


@pytest.mark.parametrize("number", [0, 1, 100])
def test_a_limit_of_nothing_is_no_limit(number: int) -> None:
    alerts, saturated, rolled_up = controlled([candidate(n) for n in range(number)], 0)
    assert (len(alerts), saturated, rolled_up) == (number, [], [])


def test_each_candidate_has_one_verdict_and_keeps_its_row() -> None:
    found = list(control_flood([candidate(1), candidate(2)], 1))
    assert [row for _, row in found] == [
        {"host": "h", "alert_id": "1-e-h", "verdict": "alert", "duplicate_of": None},
        {"host": "h", "alert_id": "2-e-h", "verdict": "rolled_up", "duplicate_of": None},
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (candidate(1, "e2", "h2"), candidate(2, "e1", "h1")),
        (candidate(1, "e1", "h2"), candidate(1, "e2", "h1")),
        (candidate(1, "e1", "h1"), candidate(1, "e1", "h2")),
    ],
)
def test_time_then_event_id_then_host_decide_who_is_first(first: Candidate, second: Candidate) -> None:
    one, other = [first.alert["alert_id"]], [second.alert["alert_id"]]
    for order in ([first, second], [second, first]):
        assert controlled(order, 1) == (one, one, other)


@quick
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.sampled_from("hk")), unique=True),
    st.integers(0, 5),
    st.integers(0, 99),
)
def test_the_order_of_candidates_decides_nothing(facts: list[tuple[int, str, str]], limit: int, seed: int) -> None:
    candidates = [candidate(*fact) for fact in facts]
    shuffled = random.Random(seed).sample(candidates, len(candidates))
    assert controlled(shuffled, limit) == controlled(candidates, limit)
    assert len(controlled(candidates, limit)[0]) == (min(limit, len(facts)) if limit else len(facts))
