"""kill -9 at every step of the commands that write: before each change of a file, and in the middle of each write."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

import pytest

from tests.faults.children import run
from tests.faults.injection import Fault, cut_at, killed, torn
from tests.faults.scenes import SCENES, Rehearsed, rehearsed
from tests.faults.striking import Steps, again, is_whole, some, strike

pytestmark = pytest.mark.faults

PARTS: Final = 4


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", SCENES)
def test_killed_before_any_change_a_command_leaves_the_earlier_result_or_the_new_one_and_the_next_mends_it(
    name: str, part: int, steps: Steps
) -> None:
    played = rehearsed(name)
    with steps:
        for at in some(range(1, len(played.changes) + 1), part, PARTS):
            strikes(steps, played, killed(at), reads=at // PARTS % 2 == 1)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", SCENES)
def test_killed_in_the_middle_of_a_write_it_does_so_too(name: str, part: int, steps: Steps) -> None:
    played = rehearsed(name)
    writes = [at for at, change in enumerate(played.changes, 1) if change.event == "open"]
    with steps:
        for at in some(writes[::2], part, PARTS):
            strikes(steps, played, torn(at), reads=at % 2 == 1)


def strikes(steps: Steps, played: Rehearsed, fault: Fault, reads: bool) -> None:
    """One step: the scene is struck."""
    steps.take(f"{fault} at {played.changes[fault.at - 1]}", lambda folder: strike(played, fault, folder, reads))


@pytest.mark.parametrize("name", SCENES)
def test_killed_when_a_file_becomes_larger_than_some_size_it_does_so_too(name: str, steps: Steps) -> None:
    played = rehearsed(name)
    with steps:
        for size in some([0, 60, 300, 1_000, 2_500, 6_000]):
            fault = cut_at(size)
            steps.take(str(fault), lambda folder, fault=fault: strike(played, fault, folder))


@pytest.mark.parametrize("name", SCENES)
def test_killed_again_while_it_mends_what_the_first_kill_left_it_is_mended_by_the_third(
    name: str, steps: Steps
) -> None:
    played, chooser = rehearsed(name), random.Random(name)
    pairs = [(chooser.randint(1, len(played.changes)), chooser.randint(1, 12)) for _ in range(6)]
    with steps:
        for first, second in some(pairs):
            about = f"{first}, {played.changes[first - 1]}, then {second}"
            steps.take(about, lambda folder, pair=(first, second): strike_twice(played, pair, folder))


def strike_twice(played: Rehearsed, pair: tuple[int, int], folder: Path) -> int:
    """Killed, killed again soon after it was started again, and started again."""
    played.stage(folder)
    deaths = []
    for at in pair:
        deaths.append(run(played.scene.act, folder, killed(at)).killed)
        is_whole(played, folder)
    again(played, folder)
    return sum(deaths)
