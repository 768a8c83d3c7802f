"""Object stores, which know no renaming and no locks: killed before any call, calls that fail, calls that are slow."""

from __future__ import annotations

import errno
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.faults.children import command, run
from tests.faults.injection import Fault, fails, killed
from tests.faults.looking import RUN, SNAPSHOT, STORE
from tests.faults.objects import on_objects
from tests.faults.scenes import EARLIER, LATER, LIMITS, Action, Rehearsed, Scene, rehearse
from tests.faults.striking import SHORT, Steps, again, is_done, is_whole, read_next, some

pytestmark = pytest.mark.faults

BUCKET: Final = "shelf://bucket"
CASE: Final = replace(RUN, folder=f"{STORE}/bucket/case")
BASE: Final = replace(SNAPSHOT, folder=f"{STORE}/bucket/base")
STRIDE: Final = 4


def backfill(days: tuple[str, ...], *more: str, seconds: float = 0.0) -> Action:
    """A backfill into a bucket."""
    places = ("--output", f"{BUCKET}/case", "--baseline-out", f"{BUCKET}/base")
    findings = ("--verdicts", "--evidence")
    argv = ("backfill", "--input", "events/*.jsonl", *findings, *LIMITS, *days, *places, *more)
    return on_objects(command(*argv), seconds)


TAKES_OVER: Final = backfill(LATER, "--force")
"""After a death nobody knows whether the owner of a lease lives: the next one says that he does not, or waits."""
IN_A_BUCKET: Final = Scene(
    "in a bucket",
    TAKES_OVER,
    (CASE, BASE),
    (backfill(EARLIER),),
    (
        on_objects(command("tune", f"{BUCKET}/case", "--json")),
        on_objects(command("report", f"{BUCKET}/case", "--output", "page.html")),
    ),
)


@cache
def played() -> Rehearsed:
    """A backfill that replaces a run and a snapshot in a bucket."""
    return rehearse(IN_A_BUCKET)


def test_killed_before_any_call_the_earlier_result_or_the_new_one_is_whole_for_who_takes_over(steps: Steps) -> None:
    changes = played().changes
    with steps:
        for at in some(range(1, len(changes) + 1, STRIDE)):
            steps.take(f"{killed(at)}, {changes[at - 1]}", lambda folder, at=at: die(at, folder))


def die(at: int, folder: Path) -> bool:
    """The command is killed; what is read next is whole, or refused until the lease has ended; then it is repeated."""
    played().stage(folder)
    dead = run(played().scene.act, folder, killed(at)).killed
    is_whole(played(), folder)
    again(played(), folder)
    return dead


def test_who_does_not_take_over_is_refused_until_the_lease_ends_and_told_so(tmp_path: Path) -> None:
    folder = played().stage(tmp_path / "scene")
    assert run(played().scene.act, folder, killed(len(played().changes) // 3)).killed
    refused = run(backfill(LATER), folder)
    assert refused.status == 2, refused.said
    assert "--force" in refused.said
    again(played(), folder)


def test_a_call_that_fails_ends_a_command_in_one_line_and_loses_nothing(steps: Steps) -> None:
    changes = played().changes
    with steps:
        for at in some(range(2, len(changes) + 1, 2 * STRIDE)):
            for fault in (fails(at, errno.EIO), fails(at, errno.EROFS, lasting=True)):
                steps.take(f"{fault}, {changes[at - 1]}", lambda folder, fault=fault: fail(fault, folder))


def fail(fault: Fault, folder: Path) -> bool:
    """Calls fail, and then they do not."""
    played().stage(folder)
    ended = run(played().scene.act, folder, fault)
    assert not ended.killed
    assert "Traceback" not in ended.said, ended.said
    if ended.status:
        assert len([line for line in ended.said.splitlines() if line.startswith("uncommon-im: ")]) == 1, ended.said
    is_whole(played(), folder)
    again(played(), folder)
    return False


def test_who_reads_after_a_death_sees_a_whole_result_or_is_told_to_wait(steps: Steps) -> None:
    changes = played().changes
    with steps:
        for at in some(range(3, len(changes) + 1, 5 * STRIDE)):
            steps.take(f"{killed(at)}, {changes[at - 1]}", lambda folder, at=at: read(at, folder))


def read(at: int, folder: Path) -> bool:
    """A killed command, and then a reader."""
    played().stage(folder)
    dead = run(played().scene.act, folder, killed(at)).killed
    is_whole(played(), folder)
    reader = played().scene.readers[at % len(played().scene.readers)]
    if CASE.begun(folder):
        ended = run(reader, folder)
        assert ended.status in (0, 2), ended.said
        is_whole(played(), folder)
    else:
        read_next(played(), folder, reader)
    return dead


def test_a_slow_store_gives_the_same_result(tmp_path: Path) -> None:
    folder = played().stage(tmp_path / "scene")
    ended = run(backfill(LATER, seconds=0.01 if SHORT else 0.03), folder)
    assert ended.status == 0, ended.said
    is_done(played(), folder)
