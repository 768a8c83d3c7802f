"""Work that processes of this machine share. A process that dies is told with its likely cause; none outlives this one.

`concurrent.futures` has such a pool. When one of its workers dies while it reads a task, the pool waits for ever
(https://github.com/python/cpython/issues/94777), and it does not tell how a worker died.
"""

from __future__ import annotations

import logging
import multiprocessing
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.pipeline.local.deaths import WorkerDied, death_of, short_of_memory
from uncommon_im.pipeline.local.tied import end_with_parent, unheard

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
    with _started(function, min(workers, len(tasks))) as busy:
        for pipe in busy:
            _send(pipe, busy[pipe], left.pop())
        while busy:
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                results.append(_answer(ready, busy[ready]))
                log.info("scanned %d/%d parts of the input", len(results), len(tasks))
                if left:
                    _send(ready, busy[ready], left.pop())
                else:
                    busy.pop(ready)
    return results


@contextmanager
def _started(function: Callable[..., Any], count: int) -> Iterator[dict[Connection, SpawnProcess]]:
    """Processes by the pipes of their tasks and results; they end with the block, whatever they are busy with."""
    context = multiprocessing.get_context("spawn")
    processes: dict[Connection, SpawnProcess] = {}
    try:
        with unheard():
            for _ in range(count):
                here, there = context.Pipe()
                process = context.Process(target=_work, args=(function, there), daemon=True)
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


def _work(function: Callable[..., Any], tasks: Connection) -> None:
    """What a process does: tasks, until it is ended."""
    end_with_parent()
    while True:
        try:
            answer = function(*tasks.recv())
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


def _send(pipe: Connection, process: SpawnProcess, task: Sequence[Any]) -> None:
    try:
        pipe.send(task)
    except OSError:
        raise _death(process) from None


def _answer(pipe: Connection, process: SpawnProcess) -> Any:
    try:
        answer = pipe.recv()
    except (EOFError, OSError):
        raise _death(process) from None
    if isinstance(answer, RunFailed):
        raise answer
    return answer


def _death(process: SpawnProcess) -> WorkerDied:
    process.join()
    return death_of("a scan worker", process.exitcode or 0, "--workers")
