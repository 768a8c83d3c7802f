"""History through the stream, in process: a run is replaced whole or not at all, whenever the command is killed."""

from __future__ import annotations

import random
import signal
import time
from functools import cache
from pathlib import Path

import pytest

from tests.faults.children import Child, command, run
from tests.faults.injection import killed
from tests.faults.looking import RUN
from tests.faults.scenes import EARLIER, LIMITS, Rehearsed, Scene, backfill, rehearse
from tests.faults.striking import SHORT, Steps, again, is_whole, read_next, some

pytestmark = pytest.mark.faults


@cache
def played() -> Rehearsed:
    """A replay that replaces a backfill."""
    act = command("replay", "--input", "events/*.jsonl", "--output", "case", "--verdicts", *LIMITS[:4])
    readers = (command("report", "case", "--output", "page.html"),)
    return rehearse(Scene("replay", act, (RUN,), (backfill(days=EARLIER),), readers))


def test_killed_before_some_changes_a_replay_leaves_the_earlier_run_or_the_new_one(steps: Steps) -> None:
    changes = played().changes
    with steps:
        for at in some(range(1, len(changes) + 1, 25)):
            steps.take(f"{killed(at)}, {changes[at - 1]}", lambda folder, at=at: die(at, folder))


def die(at: int, folder: Path) -> bool:
    """A replay is killed; then it is read, or repeated."""
    played().stage(folder)
    dead = run(played().scene.act, folder, killed(at)).killed
    is_whole(played(), folder)
    if at % 2:
        read_next(played(), folder, played().scene.readers[0])
    else:
        again(played(), folder)
    return dead


def test_killed_at_any_time_a_replay_leaves_nothing_that_runs_on(steps: Steps) -> None:
    chooser = random.Random(3)
    with steps:
        for _ in range(2 if SHORT else 6):
            wait = 6 * chooser.random()
            steps.take(f"after {wait:.3f} s", lambda folder, wait=wait: at_any_time(wait, folder))


def at_any_time(wait: float, folder: Path) -> bool:
    """A replay is killed after some time."""
    with Child(played().scene.act, played().stage(folder)) as child:
        time.sleep(wait)
        child.send(signal.SIGKILL)
        dead = child.ended().killed
        assert child.left() == [], "something outlives it"
    is_whole(played(), folder)
    again(played(), folder)
    return dead
