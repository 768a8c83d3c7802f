"""Commands in children of this process: forked, so that nothing is imported again; watched until they have ended."""

from __future__ import annotations

import atexit
import json
import logging
import mmap
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tests.faults.injection import NOTHING, Change, Fault, Injector

SECONDS: Final = 120
"""After which a command counts as hanging; none needs more than a few."""
TEMPORARY: Final = "tmp"
"""The folder of temporary files, in the folder in which a command runs."""
_TOLD_BYTES: Final = 1 << 20
"""Of memory that a child shares: whether a call was made to fail, and what it changed."""
DEATHS: Final = (signal.SIGKILL, signal.SIGXFSZ)


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Args:
        pid: of its process.
        status: its exit status, negative for the signal that killed it.
        said: what it wrote to standard output and standard error.
        changes: that it made to files, unless it was killed.
        fired: whether a call was made to fail.
    """

    pid: int
    status: int
    said: str
    changes: tuple[Change, ...]
    fired: bool

    @property
    def killed(self) -> bool:
        """Whether it died of a fault."""
        return -self.status in DEATHS


class Child:
    """A command that runs in a folder, in a session of its own.

    Args:
        action: what it does; gives its exit status.
        folder: where it runs.
        fault: what goes wrong.
        prepare: is called first, in the child.
    """

    def __init__(
        self,
        action: Callable[[], int | None],
        folder: Path,
        fault: Fault = NOTHING,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self._ended = False
        self._told = mmap.mmap(-1, _TOLD_BYTES)
        self._pipe, output = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._pipe)
            self._live(action, folder, fault, output, prepare)
        os.close(output)

    def _live(
        self,
        action: Callable[[], int | None],
        folder: Path,
        fault: Fault,
        output: int,
        prepare: Callable[[], None] | None,
    ) -> None:
        """The child's whole life."""
        status = 70
        try:
            _settle(folder, output)
            injector = Injector(fault, folder, self._fire)
            (prepare or bool)()
            injector.install()
            status = action() or 0
            atexit._run_exitfuncs()
            changes = [(change.event, change.path) for change in injector.changes]
            self._told[1:] = json.dumps(changes).encode().ljust(_TOLD_BYTES - 1, b"\0")
        except BaseException:
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(status)

    def _fire(self) -> None:
        self._told[0] = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing of it is left, whatever became of the test."""
        for process in in_session(self.pid):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if not self._ended:
            os.waitpid(self.pid, 0)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to it, and to it alone."""
        os.kill(self.pid, number)

    def stops(self) -> bool:
        """Waits until it has stopped; false if it has ended before."""
        seen = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return seen is not None and seen.si_code == os.CLD_STOPPED

    def ended(self, within: float = SECONDS) -> Ended:
        """Waits for its end.

        Raises:
            AssertionError: it hangs.
        """
        said, status = self._watch(time.monotonic() + within)
        os.close(self._pipe)
        fired, told = bool(self._told[0]), self._told[1:].rstrip(b"\0")
        self._told.close()
        return Ended(self.pid, status, said, tuple(Change(*each) for each in json.loads(told or b"[]")), fired)

    def _watch(self, until: float) -> tuple[str, int]:
        said, handle = bytearray(), os.pidfd_open(self.pid)
        try:
            while True:
                ready, _, _ = select.select([self._pipe, handle], [], [], max(until - time.monotonic(), 0))
                if not ready:
                    os.killpg(self.pid, signal.SIGKILL)
                    os.waitpid(self.pid, 0)
                    self._ended = True
                    raise AssertionError(f"it hangs: {said.decode(errors='replace')}")
                if self._pipe in ready:
                    said += os.read(self._pipe, 1 << 16)
                if handle in ready:
                    _, code = os.waitpid(self.pid, 0)
                    self._ended = True
                    os.set_blocking(self._pipe, False)
                    said += _rest(self._pipe)
                    return said.decode(errors="replace"), os.waitstatus_to_exitcode(code)
        finally:
            os.close(handle)

    def left(self, within: float = 5.0) -> list[int]:
        """Processes that it started and that are still there after so many seconds."""
        until = time.monotonic() + within
        while (processes := in_session(self.pid)) and time.monotonic() < until:
            time.sleep(0.05)
        return processes


def run(action: Callable[[], int | None], folder: Path, fault: Fault = NOTHING) -> Ended:
    """Runs something in a folder to its end, and makes sure that nothing of it goes on."""
    with Child(action, folder, fault) as child:
        ended = child.ended()
        assert child.left() == [], "processes outlive it"
        return ended


def command(*arguments: str) -> Callable[[], int]:
    """A command of the program, as somebody would type it."""

    def act() -> int:
        from uncommon_im.pipeline.cli.main import main

        try:
            return main(list(arguments))
        except SystemExit as end:
            return int(end.code or 0)

    return act


def in_session(session: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def preload(modules: Sequence[str]) -> None:
    """Imports what children would import, once."""
    for name in modules:
        __import__(name)


def _settle(folder: Path, output: int) -> None:
    """Makes the fork look like a process that was just started: nothing of pytest's is left in it."""
    os.setsid()
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    os.environ["TMPDIR"] = str(folder / TEMPORARY)
    tempfile.tempdir = None
    atexit._clear()
    logging.getLogger().handlers.clear()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _rest(pipe: int) -> bytes:
    rest = bytearray()
    try:
        while piece := os.read(pipe, 1 << 16):
            rest += piece
    except BlockingIOError:  # somebody else holds the other end
        pass
    return bytes(rest)
