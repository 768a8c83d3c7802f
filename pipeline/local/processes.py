"""Work that processes of this machine share. A process that dies is told with its likely cause; none outlives this one.

`concurrent.futures` has such a pool. When one of its workers dies while it reads a task, the pool waits for ever
(https://github.com/python/cpython/issues/94777), and it does not tell how a worker died.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.pipeline.local.deaths import WorkerDied, death_of, short_of_memory
from uncommon_im.pipeline.local.tied import STOP, end_with_parent, unheard

T = TypeVar("T")
log = logging.getLogger(__name__)


def share(function: Callable[..., T], tasks: Sequence[Sequence[Any]], workers: int) -> list[T]:
    """What a function returns for each task, in the order in which they are done.

    Args:
        function: of a module, which every process imports.
        tasks: its arguments. Each is done as a whole by one process, or not at all.
        workers: how many processes share them.

    Raises:
        WorkerDied: a process died.
        RunFailed: the function raised it, or anything else, which is named in the message.
    """
    left = list(reversed(tasks))
    results: list[T] = []
    with _at_work(min(workers, len(tasks))) as busy:
        for pipe in busy:
            _send(pipe, busy[pipe], function, left.pop())
        while busy:
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                results.append(_answer(ready, busy[ready]))
                log.info("scanned %d/%d parts of the input", len(results), len(tasks))
                if left:
                    _send(ready, busy[ready], function, left.pop())
                else:
                    busy.pop(ready)
    return results


_Processes = dict[Connection, BaseProcess]
"""Processes by the pipes of their tasks and results."""
_at_hand: _Processes = {}


@contextmanager
def at_hand(workers: int, prepare: Callable[[], None]) -> Iterator[None]:
    """Has processes ready for what is shared within the block: forks of this one, which need not import all again.

    Only while this process has no other thread, and where forks are safe then. Otherwise `share` starts its own.

    Args:
        workers: how many; fewer than two are none.
        prepare: makes what the forks are to have; not called if there are none.
    """
    if workers < 2 or sys.platform != "linux" or threading.active_count() > 1 or _at_hand:
        yield
        return
    prepare()
    gc.freeze()  # what is here stays, and a search for garbage would copy the pages that forks share
    with _started("fork", workers) as processes:
        _at_hand.update(processes)
        try:
            yield
        finally:
            _at_hand.clear()


@contextmanager
def _at_work(count: int) -> Iterator[_Processes]:
    """Processes for a while: those that are at hand, or else others, which end with the block."""
    if 0 < count <= len(_at_hand):
        taken = dict(_at_hand.popitem() for _ in range(count))
        yield taken.copy()
        _at_hand.update(taken)  # not after an error: they may be busy still, and would answer to somebody else
        return
    with _started("spawn", count) as processes:
        yield processes


@contextmanager
def _started(method: str, count: int) -> Iterator[_Processes]:
    """Processes that end with the block, whatever they are busy with."""
    context = multiprocessing.get_context(method)
    processes: _Processes = {}
    try:
        with unheard():
            for _ in range(count):
                here, there = context.Pipe()
                process = context.Process(target=_work, args=(there,), daemon=True)  # type: ignore[attr-defined]
                process.start()
                there.close()
                processes[here] = process
        yield processes.copy()
    finally:
        for process in processes.values():
            process.kill()
        for pipe, process in processes.items():
            process.join()
            pipe.close()


def _work(tasks: Connection) -> None:
    """What a process does: tasks, until it is ended."""
    for number in STOP:  # a fork has the handlers of its parent, who tells it when to stop
        signal.signal(number, signal.SIG_DFL)
    end_with_parent()
    while True:
        try:
            function, arguments = tasks.recv()
            answer = function(*arguments)
        except EOFError:
            return
        except RunFailed as error:
            answer = error
        except MemoryError:
            answer = RunFailed(f"a scan worker has no memory left: {short_of_memory('--workers')}")
        except Exception as error:  # not as it is: not every error can be sent
            answer = RunFailed(f"{type(error).__name__}: {error}")
            answer.add_note(traceback.format_exc())
        tasks.send(answer)


def _send(pipe: Connection, process: BaseProcess, function: Callable[..., Any], task: Sequence[Any]) -> None:
    try:
        pipe.send((function, task))
    except OSError:
        raise _death(process) from None


def _answer(pipe: Connection, process: BaseProcess) -> Any:
    try:
        answer = pipe.recv()
    except (EOFError, OSError):
        raise _death(process) from None
    if isinstance(answer, RunFailed):
        raise answer
    return answer


def _death(process: BaseProcess) -> WorkerDied:
    process.join()
    return death_of("a scan worker", process.exitcode or 0, "--workers")
