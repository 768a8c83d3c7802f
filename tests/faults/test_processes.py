"""What becomes of processes: scan workers when one of them or their parent dies, and a run that is told to end."""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.faults.children import Child, Ended, in_session, run
from tests.faults.injection import NOTHING
from tests.faults.scenes import Action, Rehearsed, backfill, rehearsed
from tests.faults.striking import SHORT, Steps, again, is_whole

pytestmark = pytest.mark.faults

BY_WORKERS: Final = backfill("--baseline-out", "base", "--workers", "2")
"""The command of the scene, scanned by processes of its own."""
SECONDS_TO_END: Final = 5.0
SECONDS_TO_START: Final = 60.0
"""How long a worker may be busy with its start, before it looks for its parent, where many run."""
_PROCESS_BYTES: Final = 1 << 28
"""Of memory that may still be taken: too little for what a run or a worker imports and holds."""
_ABORTED: Final = "cannot allocate memory for thread-local data: ABORT"
"""What glibc says before it ends a process with status 127."""


@pytest.fixture
def played() -> Rehearsed:
    """A backfill that replaces a run and a snapshot."""
    return rehearsed("backfill that replaces")


def workers_of(child: Child, within: float = 60.0) -> list[int]:
    """The scan workers of a run, once both are there; beside them one process keeps account of resources."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        others = {process: _command_line(process) for process in in_session(child.pid) if process != child.pid}
        workers = [process for process, line in others.items() if b"resource_tracker" not in line]
        if len(workers) == 2 and len(others) == 3:
            return workers
        time.sleep(0.02)
    return []


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_killed_worker_ends_the_run_in_one_line_and_the_earlier_result_is_whole(
    played: Rehearsed, tmp_path: Path, died: Callable[[int], None]
) -> None:
    folder = played.stage(tmp_path / "scene")
    with Child(BY_WORKERS, folder) as child:
        os.kill(workers_of(child)[0], signal.SIGKILL)
        died(1)
        ended = child.ended()
        assert child.left() == []
    _failed_in_one_line(ended)
    assert "BrokenProcessPool" not in ended.said
    is_whole(played, folder, settled=True)
    again(played, folder)


@pytest.mark.parametrize("act", [backfill("--baseline-out", "base"), BY_WORKERS])
def test_a_run_without_enough_memory_ends_in_one_line_and_the_earlier_result_is_whole(
    act: Action, played: Rehearsed, tmp_path: Path
) -> None:
    folder = played.stage(tmp_path / "scene")
    with Child(act, folder, prepare=_less_memory) as child:
        ended = child.ended()
        assert child.left() == []
    if ended.status > 0 and _ABORTED not in ended.said:  # without memory for a thread, C and C++ end the process
        _failed_in_one_line(ended)
    is_whole(played, folder)
    again(played, folder)


def _less_memory() -> None:
    """Leaves this process little more memory than it has; those that it starts have as little in all."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = taken + _PROCESS_BYTES // 8
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def test_workers_end_when_the_run_is_killed_and_the_next_run_removes_what_it_left(
    played: Rehearsed, steps: Steps
) -> None:
    chooser = random.Random(1)
    with steps:
        for number in range(1 if SHORT else 3):
            wait = chooser.random()
            steps.take(f"kill {number} after {wait:.2f} s", lambda folder, wait=wait: orphan(played, folder, wait))


def orphan(played: Rehearsed, folder: Path, wait: float) -> bool:
    """A run is killed some time after its workers have begun."""
    with Child(BY_WORKERS, played.stage(folder)) as child:
        assert workers_of(child), "no worker was started"
        time.sleep(wait)
        child.send(signal.SIGKILL)
        dead = child.ended().killed
        assert child.left(SECONDS_TO_START) == [], "workers outlive their run"
    is_whole(played, folder)
    again(played, folder)
    return dead


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("act", [backfill("--baseline-out", "base"), BY_WORKERS])
def test_a_run_that_is_told_to_end_does_so_within_five_seconds_and_tidies_up(
    number: signal.Signals, act: Action, played: Rehearsed, steps: Steps
) -> None:
    with steps:
        for tenths in (8,) if SHORT else (1, 6, 11):
            steps.take(f"after 0.{tenths} s", lambda folder, t=tenths / 10: tell(played, act, number, folder, t))


def tell(played: Rehearsed, act: Action, number: signal.Signals, folder: Path, wait: float) -> bool:
    """A run gets a signal after some time."""
    with Child(act, played.stage(folder)) as child:
        time.sleep(wait)
        child.send(number)
        start = time.monotonic()
        ended = child.ended()
        took = time.monotonic() - start
        assert child.left(SECONDS_TO_END) == [], "something outlives it"
    is_whole(played, folder)
    if ended.status:
        assert took < 2 * SECONDS_TO_END, f"it took {took:.1f} s"  # twice: other tests run beside
        assert "Traceback" not in ended.said
        temporary = {path.name for path in (folder / "tmp").iterdir()}
        assert temporary == {path.name for path in (played.template / "tmp").iterdir()}, "temporary files are left"
    again(played, folder)
    return False


def test_a_run_killed_at_any_time_leaves_the_earlier_result_or_the_new_one_and_the_next_mends_it(
    played: Rehearsed, steps: Steps
) -> None:
    start = time.monotonic()
    assert run(played.scene.act, played.stage(steps.home / "timed"), NOTHING).status == 0
    usual, chooser = time.monotonic() - start, random.Random(2)
    with steps:
        for _ in range(3 if SHORT else 20):
            wait = chooser.random() * usual
            steps.take(f"after {wait:.3f} s", lambda folder, wait=wait: at_any_time(played, folder, wait))


def at_any_time(played: Rehearsed, folder: Path, wait: float) -> bool:
    """A run is killed after some time, wherever it is then."""
    child = Child(played.scene.act, played.stage(folder))
    time.sleep(wait)
    child.send(signal.SIGKILL)
    dead = child.ended().killed
    is_whole(played, folder)
    again(played, folder)
    return dead


def _failed_in_one_line(ended: Ended) -> None:
    assert ended.status == 1, ended.said
    assert "Traceback" not in ended.said, ended.said
    assert len([line for line in ended.said.splitlines() if line.startswith("uncommon-im: ")]) == 1, ended.said
