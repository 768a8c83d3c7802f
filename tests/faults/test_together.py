"""Two at once: a command is stopped in the middle, another comes into the same place, and the first goes on."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

import pytest

from tests.faults.children import Child, run
from tests.faults.injection import stopped
from tests.faults.scenes import SCENES, Rehearsed, rehearsed
from tests.faults.striking import SHORT, Steps, again, is_done, is_whole, some, state_of

pytestmark = pytest.mark.faults

WRITERS: Final = [name for name in SCENES if "report" not in name]
"""Commands that take a folder for themselves; a page is written in one piece, the last one stays."""
EVERY: Final = 20
"""Every so many changes the first one is stopped."""


def meetings(played: Rehearsed) -> list[int]:
    """Changes before which the first one is stopped."""
    return some(range(2, len(played.changes) + 1, EVERY))


@pytest.mark.parametrize("name", WRITERS)
def test_of_two_that_write_into_one_place_the_second_is_refused_and_the_first_is_whole(name: str, steps: Steps) -> None:
    played = rehearsed(name)
    with steps:
        for at in meetings(played):
            steps.take(f"{stopped(at)}, {played.changes[at - 1]}", lambda folder, at=at: meet(played, at, folder))


def meet(played: Rehearsed, at: int, folder: Path) -> bool:
    """One is stopped, another is refused or was faster, and then the first one goes on."""
    with Child(played.scene.act, played.stage(folder), stopped(at)) as first:
        assert first.stops()
        is_whole(played, folder)
        second = run(played.scene.act, folder)
        first.send(signal.SIGCONT)
        ended = first.ended()
    assert sorted((ended.status, second.status)) in ([0, 2], [0, 0]), f"{ended.said}\n{second.said}"
    loser = ended if ended.status else second
    if loser.status:
        assert len([line for line in loser.said.splitlines() if line.startswith("uncommon-im: ")]) == 1, loser.said
        assert str(second.pid if loser is ended else first.pid) in loser.said, f"names no owner: {loser.said}"
    is_done(played, folder)
    return False


@pytest.mark.parametrize("name", WRITERS)
def test_one_that_is_killed_while_another_was_refused_is_replaced_by_the_next(name: str, steps: Steps) -> None:
    played = rehearsed(name)
    with steps:
        for at in meetings(played)[::2]:
            steps.take(f"{stopped(at)}", lambda folder, at=at: meet_and_die(played, at, folder))


def meet_and_die(played: Rehearsed, at: int, folder: Path) -> bool:
    """One is stopped, another comes, the first one is killed, and the next one finds a folder that it can use."""
    with Child(played.scene.act, played.stage(folder), stopped(at)) as first:
        assert first.stops()
        assert run(played.scene.act, folder).status in (0, 2)
        first.send(signal.SIGKILL)
        assert first.ended().killed
    is_whole(played, folder)
    again(played, folder)
    return True


@pytest.mark.parametrize("name", [name for name in WRITERS if SCENES[name].readers])
def test_who_reads_while_a_result_is_replaced_sees_the_earlier_one_or_the_new_one(name: str, steps: Steps) -> None:
    played = rehearsed(name)
    with steps:
        for at in meetings(played):
            steps.take(f"{stopped(at)}, {played.changes[at - 1]}", lambda folder, at=at: look_on(played, at, folder))


def look_on(played: Rehearsed, at: int, folder: Path) -> bool:
    """One is stopped, somebody reads, and the first one goes on to its end."""
    with Child(played.scene.act, played.stage(folder), stopped(at)) as first:
        assert first.stops()
        reader = run(played.scene.readers[at % len(played.scene.readers)], folder)
        assert reader.status in (0, 2), reader.said
        assert "Traceback" not in reader.said
        if reader.status == 0:
            assert state_of(played, folder, played.scene.results[0]) in ("old", "new")
        is_whole(played, folder)
        first.send(signal.SIGCONT)
        ended = first.ended()
    assert ended.status == 0, ended.said
    (folder / "page.html").unlink(missing_ok=True)
    is_done(played, folder)
    return False


@pytest.mark.parametrize("name", WRITERS)
def test_two_that_start_at_the_same_moment_end_in_one_whole_result(name: str, steps: Steps) -> None:
    played = rehearsed(name)
    with steps:
        for number in range(2 if SHORT else 3):
            steps.take(f"race {number}", lambda folder: race(played, folder))


def race(played: Rehearsed, folder: Path) -> bool:
    """Two start together; at least one is done, and one that is not says why."""
    played.stage(folder)
    ends = [child.ended() for child in [Child(played.scene.act, folder) for _ in range(2)]]
    assert sorted(end.status for end in ends) in ([0, 0], [0, 2]), "\n".join(end.said for end in ends)
    is_done(played, folder)
    return False
