"""Calls that fail: the n-th once, or all from the n-th on; disks that are really full or really cannot be written."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

import pytest

from tests.faults.children import Ended, run
from tests.faults.disks import mounted
from tests.faults.injection import Fault, fails
from tests.faults.looking import tree
from tests.faults.scenes import SCENES, Rehearsed, rehearsed
from tests.faults.striking import SHORT, Steps, again, is_done, is_whole, some

pytestmark = pytest.mark.faults

ERRORS: Final = {
    "a device that fails once": (errno.EIO, False),
    "a disk that is full from then on": (errno.ENOSPC, True),
    "a disk that cannot be written from then on": (errno.EROFS, True),
}
STRIDE: Final = 12
"""Every so many changes of each kind of error; the kinds take turns."""


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", SCENES)
def test_a_failing_call_ends_a_command_in_one_line_and_the_earlier_result_or_the_new_one_is_whole(
    name: str, error: str, steps: Steps
) -> None:
    played, (number, lasting) = rehearsed(name), ERRORS[error]
    first = 1 + list(ERRORS).index(error) * STRIDE // len(ERRORS)
    with steps:
        for at in some(range(first, len(played.changes) + 1, STRIDE)):
            fault = fails(at, number, lasting)
            steps.take(f"{fault}, {played.changes[at - 1]}", lambda folder, fault=fault: fail(played, fault, folder))


def fail(played: Rehearsed, fault: Fault, folder: Path) -> bool:
    """A scene in which calls fail, and then the same again; nobody dies."""
    played.stage(folder)
    says_why(played, run(played.scene.act, folder, fault), folder)
    again(played, folder)
    return False


def says_why(played: Rehearsed, ended: Ended, folder: Path) -> None:
    """It failed and said so in one line, or it could do without the call; either way results are whole."""
    assert not ended.killed, "a failing call is no death"
    if ended.status:
        complaints = [line for line in ended.said.splitlines() if line.startswith("uncommon-im: ")]
        assert ended.status in (1, 2), ended.said
        assert len(complaints) == 1, ended.said
    assert "Traceback" not in ended.said, ended.said
    is_whole(played, folder)


@pytest.mark.parametrize("name", SCENES)
def test_a_disk_that_is_full_at_any_byte_ends_a_command_in_one_line_and_loses_nothing(
    name: str, tmp_path: Path, steps: Steps
) -> None:
    played = rehearsed(name)
    page, pages = 4096, 1
    with mounted(tmp_path / "disk") as disk, steps:
        status = 1
        while status:
            folder = played.stage(disk.path / f"{pages}")
            disk.remount(f"size={disk.used + pages * page}")
            ended = run(played.scene.act, folder)
            disk.remount("size=64m")
            status = ended.status
            steps.take(
                f"with room for {pages} pages", lambda _, ended=ended, folder=folder: room(played, ended, folder)
            )
            pages += max(pages // 2, 3) * (3 if SHORT else 1)
            assert pages < 5000, ended.said


def room(played: Rehearsed, ended: Ended, folder: Path) -> bool:
    """What there is after a command had too little room, and after it had enough."""
    says_why(played, ended, folder)
    if ended.status:
        again(played, folder)
    else:
        is_done(played, folder)
    return False


@pytest.mark.parametrize("name", SCENES)
def test_on_a_disk_that_cannot_be_written_a_command_says_so_in_one_line_and_changes_nothing(
    name: str, tmp_path: Path
) -> None:
    played = rehearsed(name)
    with mounted(tmp_path / "disk") as disk:
        folder = played.stage(disk.path / "scene")
        before = tree(folder)
        disk.remount("ro")
        ended = run(played.scene.act, folder)
        disk.remount("rw")
        assert ended.status in (1, 2), ended.said
        says_why(played, ended, folder)
        assert tree(folder) == before
        again(played, folder)
