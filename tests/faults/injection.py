"""What goes wrong, and at which change of files: an audit hook in the child sees each change just before it is made."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PATHS: Final = {
    "os.mkdir": 1,
    "os.rename": 2,
    "os.link": 2,
    "os.symlink": 2,
    "os.remove": 1,
    "os.rmdir": 1,
    "os.truncate": 1,
}
"""Audit events of changes -> how many of their first arguments are paths. `open` is one if it is for writing."""
MAKES: Final = ("open", "os.mkdir", "os.link", "os.symlink")
"""Changes that need room on the disk."""
_SIGNALS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
TORN_BYTES: Final = 24
"""What reaches a file of the write in which a process dies."""


@dataclass(frozen=True)
class Change:
    """One change that a command was about to make."""

    event: str
    path: str

    def __str__(self) -> str:
        return f"{self.event} {self.path}"


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Args:
        kind: `kill` (before the change), `torn` (in the middle of the write after it), `stop` (before it, until it may
            go on), `error`, or none.
        at: the change, counted from 1.
        error: `errno` of a call that fails.
        lasting: all later calls fail too, where the error is one of room only those that need some.
        file_bytes: no file may grow beyond: the process dies in the write that would; `None`: it may.
    """

    kind: str = "none"
    at: int = 0
    error: int = 0
    lasting: bool = False
    file_bytes: int | None = None

    def __str__(self) -> str:
        """For messages."""
        what = f"{self.kind} {os.strerror(self.error) if self.error else ''}".rstrip()
        return (
            f"{what}{', for good,' * self.lasting} at {self.at}{f', {self.file_bytes} bytes' * bool(self.file_bytes)}"
        )


NOTHING: Final = Fault()


def killed(at: int) -> Fault:
    """Dies before a change."""
    return Fault("kill", at)


def torn(at: int) -> Fault:
    """Dies in the first write from a change on, a few bytes of which reach the file."""
    return Fault("torn", at)


def cut_at(file_bytes: int) -> Fault:
    """Dies in the first write that would make a file larger, whoever writes it: Arrow's own files too."""
    return Fault("torn", file_bytes=file_bytes)


def stopped(at: int) -> Fault:
    """Stops before a change, until somebody lets it go on."""
    return Fault("stop", at)


def fails(at: int, error: int, lasting: bool = False) -> Fault:
    """A change fails, or all do from it on."""
    return Fault("error", at, error, lasting)


class Injector:
    """Counts changes under a folder, and makes one of them go wrong.

    Args:
        fault: what goes wrong.
        folder: what lies elsewhere is not counted.
        fired: is called when it does.
    """

    def __init__(self, fault: Fault, folder: Path, fired: Callable[[], None]) -> None:
        self.changes: list[Change] = []
        self._fault, self._folder, self._fired = fault, f"{folder}/", fired
        self._lock = threading.RLock()
        if fault.kind == "torn":
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it, and would say "File too large" instead
        if fault.file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (fault.file_bytes, fault.file_bytes))

    def install(self) -> None:
        """From here on, for as long as this process lives: hooks cannot be taken out again."""
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, str | bytes) and isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR):
                self._change(event, os.fsdecode(path))
        elif event in PATHS:
            self._change(event, *(os.fsdecode(path) for path in arguments[: PATHS[event]]))

    def _change(self, event: str, *paths: str) -> None:
        if not any(path.startswith(self._folder) or not path.startswith("/") for path in paths):
            return
        with self._lock:
            self.changes.append(Change(event, " -> ".join(path.removeprefix(self._folder) for path in paths)))
            number = len(self.changes)
        fault = self._fault
        if fault.kind in _SIGNALS and number == fault.at:
            self._fired()
            os.kill(os.getpid(), _SIGNALS[fault.kind])
        elif fault.kind == "torn" and fault.at and number >= fault.at and event == "open":
            resource.setrlimit(resource.RLIMIT_FSIZE, (TORN_BYTES, TORN_BYTES))
        elif fault.kind == "error" and self._strikes(event, number):
            self._fired()
            raise OSError(fault.error, os.strerror(fault.error), paths[0])

    def _strikes(self, event: str, number: int) -> bool:
        fault = self._fault
        if not fault.lasting:
            return number == fault.at
        return number >= fault.at and (fault.error != errno.ENOSPC or event in MAKES)
