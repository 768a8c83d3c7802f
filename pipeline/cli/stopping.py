"""How a command ends when it is told to stop: SIGINT (Ctrl-C) and SIGTERM (a scheduler, `timeout`, `docker stop`)."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, TextIO

from uncommon_im.pipeline.cli.terminal import OURS, complain
from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.pipeline.local.deaths import death_told_by
from uncommon_im.pipeline.local.tied import STOP

PATIENCE_SECONDS: Final = 4.0
"""How long what runs may take to tidy up, its threads included, before the process ends anyhow."""


class Stopped(KeyboardInterrupt):
    """The process was told to stop.

    It is raised in the main thread, wherever that is, so that everything which tidies up does so.
    """

    _tagged_with_step = True  # Beam's mark of errors that its steps pass on as they are

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)

    @property
    def status(self) -> int:
        """The exit status, as a shell gives it for the signal."""
        return status_of(self.signal)


def status_of(number: int) -> int:
    """The exit status that a shell gives for a signal: 130 for SIGINT, 143 for SIGTERM."""
    return 128 + number


class Stop:
    """Whether a process was told to stop, and by which signal.

    Attributes:
        told: the signal.
        death: why this process told itself: an engine that waits for a process which is dead waits for ever.
    """

    def __init__(self) -> None:
        self.told: Stopped | None = None
        self.death: RunFailed | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handles the first signal; the next one ends the process at once, as it would without a handler."""
        self.told = Stopped(number)
        for each in STOP:
            signal.signal(each, signal.SIG_DFL)
        threading.Thread(target=self._lose_patience, args=(number, sys.stderr), daemon=True).start()
        silence_engines()
        raise self.told

    def of_thread(self, args: threading.ExceptHookArgs) -> None:
        """Handles the error that ended a thread: one of an engine's may say that a process is dead."""
        death = death_told_by(args.exc_value) if args.exc_value else None
        if death is None:
            threading.__excepthook__(args)
        elif not (self.told or self.death):
            self.death = death
            os.kill(os.getpid(), signal.SIGTERM)

    def _lose_patience(self, number: int, said_to: TextIO) -> None:
        """Ends a process that does not end by itself: some step of an engine is busy in a thread of its own."""
        time.sleep(PATIENCE_SECONDS)
        sys.stderr = said_to
        why = f"the run failed: {self.death}" if self.death else "stopped at once: tidying up took too long"
        complain(f"{why}; the next run in the same place removes what is left")
        said_to.flush()
        os._exit(1 if self.death else status_of(number))


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Within the block the signals raise `Stopped`; only in a process's main thread, which is what gets them.

    After a signal they stay as that left them: the process is to end.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before: dict[int, Callable[..., Any] | int | None] = {each: signal.signal(each, stop) for each in STOP}
    hook, threading.excepthook = threading.excepthook, stop.of_thread
    try:
        yield stop
    finally:
        threading.excepthook = hook
        if stop.told is None:
            for each, handler in before.items():
                signal.signal(each, handler)


class _OfMainThread(io.TextIOBase):
    """A stream that takes only what the main thread writes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text) if threading.current_thread() is threading.main_thread() else len(text)

    def flush(self) -> None:
        self._stream.flush()


def silence_engines() -> None:
    """Nobody needs to read how the threads of an engine fail for want of the one that stopped; `--verbose` shows it."""
    if not logging.getLogger(OURS).isEnabledFor(logging.DEBUG):
        sys.stderr = _OfMainThread(sys.stderr)
        for handler in logging.getLogger().handlers:
            handler.addFilter(lambda record: record.thread == threading.main_thread().ident)
