"""What few hosts do on many days, and in which order to look at it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.transforms.rules.evidence_rows import activity, evidence
from tests.transforms.rules.records import DAY
from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.advice.persistent_programs import PersistentProgram, persistent_programs

OFFICE = range(9, 17)
MONDAY = 3
"""So many days after `DAY`, a Friday, a week begins."""


def steady(days: range = range(MONDAY, MONDAY + 5), hours: range = OFFICE, **more: Any) -> list[dict[str, Any]]:
    """A program that a host has used for long, on these days at these hours."""
    told = {"host_days": 9, "first_day": DAY - 20} | more
    return [activity(day, hour, **told) for day in days for hour in hours]


def names(*activities: dict[str, Any], most: int = 3) -> list[str]:
    return [program.program for program in persistent_programs(evidence(*activities), Limits(), most)]


def only(*activities: dict[str, Any]) -> PersistentProgram:
    (program,) = persistent_programs(evidence(*activities), Limits(), 3)
    return program


def test_only_what_is_common_on_a_host_and_on_few_others_is_standing() -> None:
    rows = [
        *steady(program="a", host_days=3),
        *steady(program="rare", host_days=2),
        *steady(program="wide", other_hosts=4),
    ]
    assert names(*rows) == ["a"]
    assert names(*rows, most=4) == ["wide", "a"]


def test_a_program_is_described_by_all_of_its_activities_and_shown_by_the_last() -> None:
    rows = steady(range(3), user_name="al", first_day=DAY - 9)
    rows += steady(range(2), host="h2", host_days=20, reasons="shell,unsigned")
    program = only(*rows, activity(4, host="h3", host_days=5, first_day=DAY - 5, host_name="three", remote_host="x"))
    assert (program.hosts, program.activities, program.host_days) == (3, len(rows) + 1, 20)
    assert (program.first_day, program.last_day, program.hours) == (DAY - 20, DAY + 4, len(OFFICE))
    assert program.reasons == ("shell", "unsigned")
    assert program.example == {
        "host": "h3",
        "host_name": "three",
        "user_name": None,
        "process_path": "C:\\Courier\\courier.exe",
        "parent_process_name": None,
        "remote_host": "x",
    }


@pytest.mark.parametrize(
    ("rows", "trait"),
    [
        (steady(reasons="unsigned"), "suspicious"),
        (steady(origin="unsigned:c:/temp"), "no_signer"),
        (steady(origin="unknown:/opt"), "no_signer"),
        (steady(reduced_script="python|stdin"), "script"),
        (steady(hours=range(3, 4)), "steady_hours"),
        (steady(hours=range(4, 24)), "steady_hours"),
        (steady(range(MONDAY, MONDAY + 7)), "weekends"),
    ],
)
def test_each_trait_is_told(rows: list[dict[str, Any]], trait: str) -> None:
    assert set(only(*rows).traits) == {trait, "never_rare"}


def test_office_hours_of_a_signed_program_have_no_trait_but_that_it_was_never_rare() -> None:
    assert only(*steady()).traits == ("never_rare",)
    assert only(*steady(), *steady(hours=range(10, 11), host_days=0)).traits == ()
    assert only(*steady(), *steady(host_days=0, service="slack")).traits == ("never_rare",)


def test_suspicious_programs_come_first_then_those_with_most_traits_then_those_of_fewest_hosts() -> None:
    rows = [
        *steady(program="two hosts"),
        *steady(program="two hosts", host="h2"),
        *steady(program="one host"),
        *steady(program="at night", hours=range(2, 3), origin="unknown:/opt"),
        *steady(program="suspicious", reasons="shell"),
        *steady(program="client", known_as="own_client", hours=range(24), origin="unknown:/opt"),
        *steady(program="posing", known_as="own_client", reasons="unsigned", hours=range(24)),
    ]
    assert names(*rows) == ["posing", "suspicious", "at night", "one host", "two hosts", "client"]


def test_tenants_scripts_and_services_are_told_apart() -> None:
    rows = [
        *steady(),
        *steady(tenant="other"),
        *steady(service="slack"),
        *steady(reduced_script="python|inline", script="python|inline:1"),
        *steady(reduced_script="python|inline", script="python|inline:2"),
    ]
    found = persistent_programs(evidence(*rows), Limits(), 3)
    assert len({(program.tenant, program.service, program.script) for program in found}) == len(found) == 4
