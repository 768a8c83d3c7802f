"""Work that processes share: every result once, and one line if a process dies or what it does fails."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time

import pytest

from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.pipeline.local.processes import WorkerDied, at_hand, share
from uncommon_im.pipeline.storage.bad_files import UnreadableInput


class Unsendable(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def double(number: int) -> int:
    return 2 * number


def size(text: bytes) -> int:
    return len(text)


def die(number: int) -> None:
    if number:
        os.kill(os.getpid(), number)
    os._exit(3)


def process_id() -> int:
    time.sleep(0.05)  # so that another process takes the next task
    return os.getpid()


def die_among_others(number: int) -> None:
    if number:
        os.kill(os.getpid(), number)
    time.sleep(600)


def fail(kind: str) -> None:
    if kind == "ours":
        raise UnreadableInput("a.jsonl: cannot be read")
    if kind == "memory":
        raise MemoryError
    raise Unsendable("not", "sendable")


def fail_or_wait(fails: bool) -> str:
    if fails:
        raise Unsendable("not", "sendable")
    time.sleep(1)
    return "late"


def nothing() -> None:
    """What forks need beside what is there."""


@pytest.mark.parametrize(("tasks", "workers"), [(0, 2), (1, 2), (7, 2), (7, 3)])
def test_every_task_is_done_once(tasks: int, workers: int) -> None:
    assert sorted(share(double, [(number,) for number in range(tasks)], workers)) == [2 * n for n in range(tasks)]


def test_a_task_may_be_larger_than_a_pipe() -> None:
    assert share(size, [(b"x" * (1 << 22),)] * 3, 2) == [1 << 22] * 3


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (
            signal.SIGKILL,
            "a scan worker was killed (signal 9): most likely the machine is short of memory: give fewer --workers or "
            "more --shards",
        ),
        (signal.SIGSEGV, "a scan worker was ended by signal 11 before its work was done"),
        (0, "a scan worker ended with status 3 before its work was done"),
    ],
)
def test_a_process_that_dies_is_told_with_its_likely_cause(number: int, said: str) -> None:
    with pytest.raises(WorkerDied) as raised:
        share(die, [(number,)], 1)
    assert str(raised.value).startswith(said)


def test_a_process_that_dies_ends_the_others_with_it() -> None:
    with pytest.raises(WorkerDied, match="signal 9"):
        share(die_among_others, [(signal.SIGKILL,), (0,)], 2)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("ours", "a.jsonl: cannot be read"),
        ("memory", "a scan worker has no memory left: most likely the machine is short of memory"),
        ("other", "Unsendable: not sendable"),
    ],
)
def test_what_fails_in_a_process_fails_here_with_the_same_words(kind: str, said: str) -> None:
    with pytest.raises(RunFailed) as raised:
        share(fail, [(kind,)], 1)
    assert str(raised.value).startswith(said)
    assert isinstance(raised.value, UnreadableInput) == (kind == "ours")


@pytest.fixture(name="alone")
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that other tests have left count for nothing: what is forked here uses none of them."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)


@pytest.mark.usefixtures("alone")
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
def test_processes_at_hand_do_what_is_shared_and_end_with_their_block() -> None:
    with at_hand(2, nothing):
        mine = set(share(process_id, [()] * 8, 2))
        assert set(share(process_id, [()], 1)) <= mine
        others = set(share(process_id, [()] * 3, 3))  # more than there are: others are started
        assert not mine & others
        with at_hand(2, nothing):
            assert set(share(process_id, [()] * 8, 2)) <= mine
    assert len(mine) == 2
    for number in mine:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


@pytest.mark.usefixtures("alone")
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
def test_after_what_failed_nobody_gets_the_answers_of_processes_that_are_busy_with_it() -> None:
    with at_hand(2, nothing):
        with pytest.raises(RunFailed, match="not sendable"):
            share(fail_or_wait, [(False,), (True,)], 2)
        assert sorted(share(double, [(number,) for number in range(4)], 2)) == [0, 2, 4, 6]


@pytest.mark.usefixtures("alone")
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_at_hand_that_dies_is_told_like_any_other(number: int) -> None:
    with at_hand(2, nothing), pytest.raises(WorkerDied, match=f"signal {number:d}"):
        share(die_among_others, [(number,), (0,)], 2)


def test_nothing_is_forked_beside_other_threads() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        with at_hand(2, pytest.fail):
            assert multiprocessing.active_children() == []
    finally:
        done.set()
        thread.join()
