"""The documents of the simulated organisation name nothing that another of them does not have."""

from __future__ import annotations

from itertools import chain

from uncommon_im.pipeline.lab.simulation.organisation.software import PROGRAMS
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.lab.simulation.traffic.destinations import build_destinations

KEYS = set(chain(*PROGRAMS.values()))


def test_habits_are_of_programs_that_there_are() -> None:
    connecting = {program for program, _, _ in p.everyday_connections}
    assert connecting | set(p.everyday_starts) | set(p.developer_connections) | set(p.client_shares) <= KEYS


def test_programs_connect_to_profiles_that_there_are() -> None:
    assert {where for _, where, _ in p.everyday_connections} <= set(build_destinations([]).profiles)


def test_a_day_has_24_hours_and_shifts_are_times_of_day() -> None:
    assert {len(weights) for weights in p.hours.values()} == {24}
    assert set(chain(*p.shifts.values())) <= set(p.hours)


def test_shares_are_of_departments_that_there_are() -> None:
    assert set(p.shifts) <= set(p.departments)
    assert all(set(shares) == set(p.departments) for shares in p.client_shares.values())
