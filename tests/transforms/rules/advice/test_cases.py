"""Cases: what belongs together, whatever the order of alerts; what else hosts and users had; the worst first."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncommon_im.transforms.rules.advice.cases import Case, CaseAlert, cases


def alert(number: int, **changed: Any) -> CaseAlert:
    """Alert number N, of host N at hour N of March 2026; what is changed is named as in `DEFAULTS`."""
    values = {
        "host": f"host-{number}", "user": f"CORP\\user-{number}", "process": "tool.exe", "origin": "unsigned:/tmp",
        "script": "", "service": "telegram", "tenant": "default", "group": f"group-{number}", "severity": "Low",
        "priority": 50, "sent": 1000, "hour": number,
    } | changed  # fmt: skip
    day, hour = divmod(values["hour"], 24)
    row = {
        "alert_id": f"{number:032x}",
        "group_id": values["group"],
        "tenant_id": values["tenant"],
        "severity": values["severity"],
        "variation": "base",
        "timestamp": f"2026-03-{1 + day:02}T{hour:02}:00:00Z",
        "host": {"id": values["host"], "name": None},
        "user_name": values["user"],
        "process": {"name": values["process"], "origin": values["origin"], "script": values["script"], "path": None},
        "service": {"id": values["service"], "name": values["service"].title()},
        "activity": {"events": 1, "bytes_sent": values["sent"], "bytes_received": None},
        "group_saturated": False,
        "priority": values["priority"],
    }
    return msgspec.convert(row, CaseAlert)


def numbers(found: Sequence[Case]) -> list[list[int]]:
    return [[int(each.alert_id, 16) for each in case.alerts] for case in found]


def test_one_program_and_service_over_hosts_and_days_are_one_case() -> None:
    found = cases([alert(number, hour=number * 24) for number in range(12)])
    assert numbers(found) == [[*range(12)]]
    assert found[0].spread == "12 hosts within 12 days"
    assert len(found[0].hosts) == 12


@pytest.mark.parametrize(
    "other", [{"tenant": "other"}, {"process": "another.exe"}, {"origin": "slack inc"}, {"service": "slack"}]
)
def test_another_tenant_program_origin_or_service_is_another_case(other: dict[str, str]) -> None:
    assert len(cases([alert(1), alert(2, **other)])) == 2
    assert len(cases([alert(1), alert(2)])) == 1


def test_code_counts_by_its_kind_and_files_by_their_path() -> None:
    code = [alert(number, script=f"python|inline:{number:016x}") for number in (1, 2)]
    assert len(cases(code)) == 1
    files = [alert(number, script=f"python|script:/srv/{number}.py") for number in (1, 2)]
    assert len(cases(files)) == 2


def test_what_shares_a_group_is_one_case_and_so_is_what_lies_between_two() -> None:
    files = [alert(number, script=f"python|script:/tmp/{number}.py", group="g") for number in (1, 2)]
    between = [*files, alert(3, script="python|script:/tmp/2.py"), alert(4, script="python|script:/tmp/4.py")]
    assert numbers(cases(between)) == [[1, 2, 3], [4]]


def test_the_first_is_of_the_highest_priority_then_the_worst_severity_then_the_most_sent() -> None:
    unlike = [
        alert(1, process="a", priority=40, severity="High", sent=9_000_000),
        alert(2, process="b", priority=60, severity="Low", sent=1),
        alert(3, process="c", priority=60, severity="Medium", sent=1),
        alert(4, process="d", priority=60, severity="Medium", sent=5_000),
        alert(5, process="e", priority=60, severity="Medium", sent=None),
    ]
    assert numbers(cases(unlike)) == [[4], [3], [5], [2], [1]]


def test_the_most_urgent_alert_of_a_case_is_the_one_to_open_and_the_first_names_the_case() -> None:
    (case,) = cases([alert(1, priority=10), alert(2, priority=80, severity="Informational"), alert(3, priority=20)])
    assert int(case.open_first.alert_id, 16) == 2
    assert int(case.case_id, 16) == 1
    assert case.severity == "Low"
    assert case.bytes_sent == 3000
    assert case.bytes_received is None


def test_a_case_keeps_its_id_when_later_alerts_come() -> None:
    early = [alert(number) for number in range(5)]
    (before,) = cases(early)
    (after,) = cases([*early, *(alert(number, priority=99) for number in range(5, 9))])
    assert before.case_id == after.case_id


def test_what_else_a_host_or_a_user_had_is_related_but_not_by_an_account_that_all_machines_have() -> None:
    found = cases(
        [
            alert(1, process="a", priority=90),
            alert(2, process="b", host="HOST-1", user="CORP\\USER-1", priority=80),
            alert(3, process="c", host="host-1", user=None, priority=70),
            alert(4, process="d", user="NT AUTHORITY\\SYSTEM", priority=60),
            alert(5, process="e", user="NT AUTHORITY\\SYSTEM", priority=50),
            alert(6, process="f", user="root", tenant="other", host="host-1", priority=40),
        ]
    )
    related = {int(case.case_id, 16): [int(other, 16) for other in case.related] for case in found}
    assert related == {1: [2, 3], 2: [1], 3: [1], 4: [], 5: [], 6: []}


def test_of_many_related_cases_the_ten_most_urgent_are_named() -> None:
    found = cases([alert(number, process=f"p{number}", host="h", priority=99 - number) for number in range(30)])
    assert [int(other, 16) for other in found[0].related] == [*range(1, 11)]
    assert [int(other, 16) for other in found[20].related] == [*range(10)]


@pytest.mark.parametrize(
    ("hours", "spread"),
    [
        ([5], "1 host"),
        ([5, 5], "2 hosts within 1 hour"),
        ([0, 8], "2 hosts within 9 hours"),
        ([0, 47], "2 hosts within 48 hours"),
        ([0, 48], "2 hosts within 3 days"),
    ],
)
def test_the_spread_is_hosts_within_hours_or_days(hours: list[int], spread: str) -> None:
    (case,) = cases([alert(number, hour=hour) for number, hour in enumerate(hours)])
    assert case.spread == spread


@st.composite
def some_alerts(draw: st.DrawFn) -> list[CaseAlert]:
    kinds = st.fixed_dictionaries(
        {
            "process": st.sampled_from(["a", "A", "b"]),
            "service": st.sampled_from(["telegram", "slack"]),
            "tenant": st.sampled_from(["default", "other"]),
            "group": st.sampled_from(["g1", "g2", "g3", "g4", "g5"]),
            "host": st.sampled_from(["h1", "h2", "h3"]),
            "hour": st.integers(0, 600),
            "priority": st.integers(0, 100),
        }
    )
    return [alert(number, **kind) for number, kind in enumerate(draw(st.lists(kinds, max_size=20)))]


@given(some_alerts(), st.randoms())
def test_each_alert_is_in_one_case_and_order_and_repeats_change_nothing(
    alerts: list[CaseAlert], chooser: random.Random
) -> None:
    found = cases(alerts)
    assert Counter(each.alert_id for case in found for each in case.alerts) == Counter(each.alert_id for each in alerts)
    again = [*alerts, *chooser.choices(alerts, k=3)] if alerts else []
    chooser.shuffle(again)
    assert cases(again) == found


@given(some_alerts())
def test_cases_are_the_connected_parts_of_alerts_that_share_a_group_or_a_program_and_service(
    alerts: list[CaseAlert],
) -> None:
    """The same by spreading from alert to alert, without sets of links."""

    def alike(one: CaseAlert, two: CaseAlert) -> bool:
        program = (one.tenant_id, one.process.name.lower(), one.service.id)
        return one.group_id == two.group_id or program == (two.tenant_id, two.process.name.lower(), two.service.id)

    left, expected = {each.alert_id: each for each in alerts}, set()
    while left:
        part = [left.popitem()[1]]
        for member in part:
            reached = [other for other in left.values() if alike(member, other)]
            part += reached
            for other in reached:
                del left[other.alert_id]
        expected.add(frozenset(each.alert_id for each in part))
    assert {frozenset(each.alert_id for each in case.alerts) for case in cases(alerts)} == expected
