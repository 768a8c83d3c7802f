"""Work that processes share: every result once, and one line if a process dies or what it does fails."""

from __future__ import annotations

import os
import signal
import time

import pytest

from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.pipeline.local.processes import WorkerDied, share
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


def die_among_others(dies: bool) -> None:
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(600)


def fail(kind: str) -> None:
    if kind == "ours":
        raise UnreadableInput("a.jsonl: cannot be read")
    if kind == "memory":
        raise MemoryError
    raise Unsendable("not", "sendable")


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
        share(die_among_others, [(True,), (False,)], 2)


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
