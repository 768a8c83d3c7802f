"""Verdict and variation of activities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import DAY, DAY_US, activities, activity, quick
from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.baseline.formula import is_rare
from uncommon_im.transforms.rules.baseline.prevalence import Prevalence
from uncommon_im.transforms.rules.verdicts.verdict import (
    FIRST_VERDICTS,
    UNDECIDED,
    Activation,
    matched_variations,
    verdicts,
)

RARE = {"coverage": 30, "other_hosts": 0, "host_days": 0, "excepted": False, "event_time": DAY * DAY_US}
REASONS: dict[str, dict[str, Any]] = {
    "training": {"event_time": DAY * DAY_US - 1},
    "learning": {"coverage": 13},
    "common_in_organisation": {"other_hosts": 4},
    "common_on_host": {"host_days": 3},
    "excepted": {"excepted": True},
}
"""Verdict -> what alone makes it apply."""


def prevalence_of(*facts: dict[str, Any]) -> Prevalence:
    zeros = np.zeros(len(facts), np.int64)
    other_hosts, host_days = (np.array([fact[name] for fact in facts]) for name in ("other_hosts", "host_days"))
    return Prevalence(other_hosts, host_days, zeros, zeros, zeros)


def verdict(limits: Limits | None = None, start: int | None = DAY * DAY_US, **changes: Any) -> str:
    fact = RARE | changes
    table = activities(activity(excepted=fact["excepted"], event_time=fact["event_time"]))
    found = verdicts(table, np.array([fact["coverage"]]), prevalence_of(fact), limits or Limits(), start)
    return str(found[0])


def test_a_rare_activity_is_left_open() -> None:
    assert verdict() == UNDECIDED


@pytest.mark.parametrize("name", REASONS)
def test_each_verdict_applies_by_its_own_reason(name: str) -> None:
    assert verdict(**REASONS[name]) == name


@pytest.mark.parametrize(("first", "second"), [(a, b) for n, a in enumerate(REASONS) for b in list(REASONS)[n + 1 :]])
def test_of_two_verdicts_that_apply_the_earlier_counts(first: str, second: str) -> None:
    assert list(REASONS) == list(FIRST_VERDICTS)
    assert verdict(**REASONS[first], **REASONS[second]) == first


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"coverage": 14}, UNDECIDED),
        ({"other_hosts": 3}, UNDECIDED),
        ({"host_days": 2}, UNDECIDED),
        ({"event_time": DAY * DAY_US}, UNDECIDED),
        ({"event_time": DAY * DAY_US + 1}, UNDECIDED),
    ],
)
def test_at_the_border_no_verdict_applies(changes: dict[str, Any], expected: str) -> None:
    assert verdict(**changes) == expected


@pytest.mark.parametrize(
    ("limits", "changes", "expected"),
    [
        (Limits(activation_days=1), {"coverage": 1}, UNDECIDED),
        (Limits(activation_days=1), {"coverage": 0}, "learning"),
        (Limits(activation_days=0), {"coverage": 0}, UNDECIDED),
        (Limits(max_other_hosts=0), {"other_hosts": 1}, "common_in_organisation"),
        (Limits(max_other_hosts=9), {"other_hosts": 9}, UNDECIDED),
        (Limits(max_host_days=0), {"host_days": 1}, "common_on_host"),
        (Limits(execution_max_other_hosts=0, execution_max_host_days=0), {"other_hosts": 3, "host_days": 2}, UNDECIDED),
    ],
)
def test_the_limits_are_the_configurations(limits: Limits, changes: dict[str, Any], expected: str) -> None:
    assert verdict(limits, **changes) == expected


def test_without_start_nothing_is_training() -> None:
    assert verdict(start=None, event_time=0) == UNDECIDED


def test_each_activity_of_a_table_gets_its_own_verdict() -> None:
    facts = [RARE | change for change in (*REASONS.values(), {})]
    table = activities(*(activity(excepted=f["excepted"], event_time=f["event_time"]) for f in facts))
    coverage = np.array([fact["coverage"] for fact in facts])
    found = verdicts(table, coverage, prevalence_of(*facts), Limits(), DAY * DAY_US)
    assert found.tolist() == [*REASONS, UNDECIDED]


@pytest.mark.parametrize(
    ("other_hosts", "host_days", "expected"), [(3, 2, True), (4, 0, False), (0, 3, False), (4, 3, False), (0, 0, True)]
)
def test_a_subject_is_rare_only_if_few_hosts_and_few_days_showed_it(
    other_hosts: int, host_days: int, expected: bool
) -> None:
    assert is_rare(np.array([other_hosts]), np.array([host_days]), "communication", Limits()).tolist() == [expected]


@pytest.mark.parametrize(
    ("suspicious", "execution_rare", "expected"),
    [
        (False, False, ("base",)),
        (True, False, ("suspicious_process",)),
        (False, True, ("uncommon_scripting_engine",)),
        (True, True, ("suspicious_process", "uncommon_scripting_engine")),
    ],
)
def test_all_variations_that_hold_are_listed_and_base_only_alone(
    suspicious: bool, execution_rare: bool, expected: tuple[str, ...]
) -> None:
    assert matched_variations(suspicious, execution_rare) == expected


def coverage(days: list[int], day: int, tenant: str = "t", since: dict[str, int] | None = None) -> int:
    activation = Activation({("t", seen): 1 for seen in days}, Limits(), since or {})
    table = activities(activity(tenant=tenant, hour=day * 24 + 23))
    (found,) = activation.coverage_of(table).tolist()
    return int(found)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [([DAY - 31], 0), ([DAY - 30], 1), ([DAY - 1], 1), ([DAY], 0), ([DAY + 1], 0), ([*range(DAY - 40, DAY + 5)], 30)],
)
def test_coverage_counts_the_complete_days_of_the_window(seen: list[int], expected: int) -> None:
    assert coverage(seen, DAY) == expected


def test_the_detector_is_active_on_the_day_after_fourteen_days_with_telemetry_and_again_after_a_pause() -> None:
    seen = [*range(DAY, DAY + 14), *range(DAY + 60, DAY + 80)]
    active = [day for day in range(DAY, DAY + 80) if coverage(seen, day) >= 14]
    assert active == [*range(DAY + 14, DAY + 31), *range(DAY + 74, DAY + 80)]


def test_a_tenant_without_telemetry_has_no_coverage() -> None:
    assert coverage([DAY - 1], DAY, tenant="other") == 0


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ({}, 30),
        ({"discord": DAY - 1}, 30),
        ({"telegram": DAY - 40}, 30),
        ({"telegram": DAY - 14}, 14),
        ({"telegram": DAY - 1}, 1),
        ({"telegram": DAY}, 0),
        ({"telegram": DAY + 5}, 0),
    ],
)
def test_a_new_service_counts_the_days_since_it_is_known_only(since: dict[str, int], expected: int) -> None:
    assert coverage([*range(DAY - 60, DAY + 9)], DAY, since=since) == expected


@quick
@given(
    st.sets(st.tuples(st.sampled_from("tu"), st.integers(DAY - 9, DAY + 3))),
    st.lists(st.tuples(st.sampled_from("tuv"), st.integers(DAY, DAY + 3)), max_size=6),
)
def test_coverage_of_many_activities_is_that_of_each(seen: set[tuple[str, int]], asked: list[tuple[str, int]]) -> None:
    limits = Limits(training_days=5, activation_days=1)
    table = activities(*(activity(tenant=tenant, hour=day * 24) for tenant, day in asked))
    expected = [sum(t == tenant and day - 5 <= d < day for t, d in seen) for tenant, day in asked]
    assert Activation(dict.fromkeys(seen, 7), limits).coverage_of(table).tolist() == expected
