"""kill -9 at every step of the commands that write: before each change of a file, and in the middle of each write."""

from __future__ import annotations

from typing import Final

import pytest

from tests.faults.injection import Fault, killed, torn
from tests.faults.scenes import SCENES, Rehearsed, rehearsed
from tests.faults.striking import Steps, some, strike

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
def test_killed_in_the_middle_of_any_write_it_does_so_too(name: str, part: int, steps: Steps) -> None:
    played = rehearsed(name)
    writes = [at for at, change in enumerate(played.changes, 1) if change.event == "open"]
    with steps:
        for at in some(writes, part, PARTS):
            strikes(steps, played, torn(at), reads=at % 2 == 1)


def strikes(steps: Steps, played: Rehearsed, fault: Fault, reads: bool) -> None:
    """One step: the scene is struck."""
    steps.take(f"{fault} at {played.changes[fault.at - 1]}", lambda folder: strike(played, fault, folder, reads))
