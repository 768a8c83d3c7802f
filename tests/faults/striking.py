"""A scene is struck by a fault, looked at, and then the next command of the user comes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import indent
from typing import Final, Self, TypeVar

from tests.faults.children import Ended, run
from tests.faults.injection import NOTHING, Fault
from tests.faults.looking import RUN, Result, facts, shape
from tests.faults.scenes import FOREIGN, Action, Rehearsed, foreign

SHORT: Final = os.environ.get("FAULTS") == "short"
"""Whether a few steps of each kind are enough."""
_FEW: Final = 3

Step = TypeVar("Step")


def some(steps: Sequence[Step], part: int = 0, parts: int = 1) -> list[Step]:
    """One of several parts of all steps; of the short form a few of them, evenly spread."""
    if SHORT and len(steps) > _FEW:
        steps = [steps[(2 * number + 1) * len(steps) // (2 * _FEW)] for number in range(_FEW)]
    return list(steps[part::parts])


class Steps:
    """What happened at the steps of a test: all are taken, then all that went wrong is said.

    Args:
        home: folder of the test; each step has one of its own in it, which is kept if something went wrong there.
        died: counts the processes that died.
    """

    def __init__(self, home: Path, died: Callable[[int], None]) -> None:
        self.home, self._died, self._wrong = home, died, list[str]()

    def __enter__(self) -> Self:
        return self

    def take(self, about: str, step: Callable[[Path], int]) -> None:
        """Takes a step; `step` gets a folder that is not there yet, and gives how many processes died."""
        folder = self.home / f"step-{len(list(self.home.iterdir())) + 1}"
        try:
            self._died(step(folder))
            shutil.rmtree(folder, ignore_errors=True)
        except AssertionError as error:
            self._died(1)
            self._wrong.append(f"{about}, in {folder}:\n{indent(str(error).strip()[:1500], '    ')}")
            folder.mkdir(exist_ok=True)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            assert not self._wrong, f"{len(self._wrong)} steps went wrong\n" + "\n".join(self._wrong)


def strike(played: Rehearsed, fault: Fault, folder: Path, reads: bool = False) -> bool:
    """The scene with a process that dies; gives whether it did.

    Args:
        played: the scene.
        fault: how it dies.
        folder: is made for it.
        reads: the next command reads; else it is the same again.
    """
    played.stage(folder)
    ended = run(played.scene.act, folder, fault)
    if not ended.killed:
        assert ended.status == 0, ended.said
        is_done(played, folder)
        return False
    is_whole(played, folder)
    if reads and played.scene.readers:
        read_next(played, folder, played.scene.readers[fault.at % len(played.scene.readers)])
    else:
        again(played, folder)
    return True


def is_whole(played: Rehearsed, folder: Path, settled: bool = False) -> None:
    """No foreign file is touched, and each result is the earlier one, the new one, or about to be put in place.

    Args:
        played: the scene.
        folder: of it.
        settled: nothing is about to be put in place any more.
    """
    assert foreign(folder) == FOREIGN, "foreign files"
    for result in played.scene.results:
        state = state_of(played, folder, result)
        if state == "none" and result.begun(folder):
            assert not settled, f"{result.folder}: a result is still about to be put in place"
        elif state == "none":
            assert not played.old[result], f"{result.folder}: the earlier result is lost"


def state_of(played: Rehearsed, folder: Path, result: Result) -> str:
    """`old`, `new` or `none`.

    Raises:
        AssertionError: it is neither the earlier result nor the new one.
    """
    files = result.files(folder)
    if not files:
        return "none"
    if files == played.old[result]:
        return "old"
    said, new = facts(files), played.new[result]
    if said == new:
        return "new"
    if result is not RUN and result.begun(folder):  # without a summary, nobody takes it for whole
        return "none"
    differ = sorted(path for path in said.keys() | new.keys() if said.get(path) != new.get(path))
    raise AssertionError(f"{result.folder}/{result.mark} is there, yet unlike the new result are {differ}")


def read_next(played: Rehearsed, folder: Path, reader: Action) -> None:
    """A command that reads the result shows the earlier one or the new one."""
    ended = run(reader, folder)
    is_whole(played, folder, settled=True)
    result = played.scene.results[0]
    is_there = state_of(played, folder, result) != "none"
    assert ended.status == (0 if is_there else 2), ended.said
    assert "Traceback" not in ended.said


def again(played: Rehearsed, folder: Path, fault: Fault = NOTHING) -> Ended:
    """The same command again gives what it gives when nothing disturbs it, and leaves nothing else."""
    ended = run(played.scene.act, folder, fault)
    if not ended.killed:
        assert ended.status == 0, ended.said
        is_done(played, folder)
    return ended


def is_done(played: Rehearsed, folder: Path) -> None:
    """The new result is there, and nothing else."""
    assert foreign(folder) == FOREIGN, "foreign files"
    for result in played.scene.results:
        assert state_of(played, folder, result) == ("new" if played.new[result] != facts(played.old[result]) else "old")
    end = shape(folder)
    assert end == played.end, f"left over: {sorted(end - played.end)}; missing: {sorted(played.end - end)}"
