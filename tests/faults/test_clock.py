"""Clocks that jump back and forth: what a run leaves, and who may write where, does not depend on them."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final

import pytest

from tests.faults.children import Child, run
from tests.faults.injection import NOTHING, Fault, killed, stopped
from tests.faults.scenes import Rehearsed, rehearsed
from tests.faults.striking import again, is_done, is_whole
from uncommon_im.pipeline.configuration import configuration
from uncommon_im.pipeline.results import claims

pytestmark = pytest.mark.faults

HOURS: Final = (0, 26, -26, 1, -3, 9000, -9000)
"""By which the clock is wrong, one after the other, at each look."""


def clock(*hours: int) -> Callable[[], None]:
    """Makes the clock of a child wrong: `time.time`, what runs are named by, and the time of claims."""

    def change() -> None:
        right, wrong = time.time, itertools.cycle(hours)

        def jumping() -> float:
            return right() + next(wrong) * 3600

        class Jumping(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = UTC) -> datetime:
                return datetime.fromtimestamp(jumping(), tz)

        time.time = jumping
        configuration.datetime = Jumping
        claims._now = Jumping.now

    return change


@pytest.fixture
def played() -> Rehearsed:
    """A backfill that replaces a run and a snapshot."""
    return rehearsed("backfill that replaces")


def at(played: Rehearsed, folder: Path, hours: tuple[int, ...], fault: Fault = NOTHING) -> Child:
    """The scene's command under a clock that is wrong."""
    return Child(played.scene.act, folder, fault, clock(*hours))


def test_a_clock_that_jumps_while_a_run_goes_on_changes_nothing(played: Rehearsed, tmp_path: Path) -> None:
    folder = played.stage(tmp_path / "scene")
    ended = at(played, folder, HOURS).ended()
    assert ended.status == 0, ended.said
    is_done(played, folder)


@pytest.mark.parametrize("hours", [-26, 26])
def test_a_run_at_another_time_replaces_one_of_now(hours: int, played: Rehearsed, tmp_path: Path) -> None:
    folder = played.stage(tmp_path / "scene")
    for each in (0, hours, 0):
        ended = at(played, folder, (each,)).ended()
        assert ended.status == 0, ended.said
        is_done(played, folder)


@pytest.mark.parametrize("hours", [-9000, 9000])
def test_what_died_at_another_time_is_replaced_at_once(
    hours: int, played: Rehearsed, tmp_path: Path, died: Callable[[int], None]
) -> None:
    for step in range(3, len(played.changes), max(len(played.changes) // 5, 1)):
        folder = played.stage(tmp_path / str(step))
        died(at(played, folder, (hours,), killed(step)).ended().killed)
        is_whole(played, folder)
        again(played, folder)


@pytest.mark.parametrize("hours", [-9000, 9000])
def test_whose_clock_is_wrong_is_no_less_alive(hours: int, played: Rehearsed, tmp_path: Path) -> None:
    folder = played.stage(tmp_path / "scene")
    with at(played, folder, (hours,), stopped(len(played.changes) // 2)) as first:
        assert first.stops()
        assert run(played.scene.act, folder).status == 2
        first.send(signal.SIGCONT)
        ended = first.ended()
    assert ended.status == 0, ended.said
    is_done(played, folder)
