"""Processes that end when the one that started them does, however that ends: SIGKILL leaves nobody to tell them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Final, NoReturn

STOP: Final = (signal.SIGINT, signal.SIGTERM)
"""What tells a process to stop."""
_KILLED: Final = 128
"""What a shell adds to the number of a signal that ended a program."""
_LOOK_SECONDS: Final = 0.2
"""How often a program's guard looks whether its parent is still there."""


def end_with_parent() -> None:
    """Ends this process of `multiprocessing` as soon as the one that started it is gone, whatever it is busy with."""
    threading.Thread(target=_end_after_parent, daemon=True).start()


def _end_after_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


@contextmanager
def unheard() -> Iterator[None]:
    """Signals that tell this process to stop are handled after the block: a process half started would only complain.

    Processes that are started within it never hear Ctrl-C, which a terminal sends to all: this one decides.
    """
    pending: list[int] = []
    is_main = threading.current_thread() is threading.main_thread()
    handlers = {each: signal.signal(each, lambda number, _: pending.append(number)) for each in STOP} if is_main else {}
    resource_tracker.ensure_running()  # it would unblock SIGINT as it starts
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for each, handler in handlers.items():
            signal.signal(each, handler)
        for number in pending:
            signal.raise_signal(number)


def command_of(program: list[str]) -> list[str]:
    """The command line by which this process runs a program, by its command line, for as long as it lives itself."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *program]


def guard(parent: int, program: list[str]) -> NoReturn:
    """Runs a program; ends it when the parent of this process is gone, or this process is told to stop.

    The parent is said by its process id: it may be gone before this process can ask who it is.
    """
    told: list[int] = []
    for number in STOP:
        signal.signal(number, lambda heard, _: told.append(heard))  # an exception might come before there is a program
    started = subprocess.Popen(program)
    try:
        while not told and os.getppid() == parent and started.poll() is None:
            time.sleep(_LOOK_SECONDS)
    finally:
        started.kill()
    status = started.wait()
    sys.exit(1 if told else status if status >= 0 else _KILLED - status)


if __name__ == "__main__":
    guard(int(sys.argv[1]), sys.argv[2:])
