"""Commands as processes of their own, and whatever they start: found by a mark that children inherit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

MARK = "UNCOMMON_IM_TEST"
PATIENCE_SECONDS = 60.0
"""How long a test waits for what is to happen on a machine that is busy with others."""


class Marked:
    """A process in a session of its own; `with` ends whatever is left of it."""

    def __init__(self, command: list[str], temporary: Path) -> None:
        temporary.mkdir(parents=True, exist_ok=True)
        self._mark = f"{MARK}={uuid.uuid4().hex}"
        environment = os.environ | dict([self._mark.split("=")]) | {"TMPDIR": str(temporary)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.main = subprocess.Popen(command, env=environment, text=True, start_new_session=True, **pipes)

    def __enter__(self) -> Marked:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.alive():
            os.kill(pid, 9)
        self.main.communicate()

    def alive(self) -> list[int]:
        """Process ids of what runs, with the process itself, in the order in which they were started."""
        return sorted(int(path.name) for path in Path("/proc").glob("[0-9]*") if self._is_ours(path))

    def others(self, part: str) -> list[int]:
        """Those beside the process itself whose command line has a part."""
        lines = {pid: _read(Path("/proc", str(pid), "cmdline")) for pid in self.alive() if pid != self.main.pid}
        return [pid for pid, line in lines.items() if part.encode() in line]

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Until something is so; fails if the process ends before."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert self.main.poll() is None, self.main.communicate()
            assert time.monotonic() < until
            time.sleep(0.05)

    def wait_until_gone(self) -> None:
        """Until nothing is left of it."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self.main.poll() is None or self.alive():
            assert time.monotonic() < until, self.alive()
            time.sleep(0.05)

    def _is_ours(self, process: Path) -> bool:
        return self._mark.encode() in _read(process / "environ") and b") Z " not in _read(process / "stat")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just ended
        return b""


def command(temporary: Path, *arguments: str) -> Marked:
    """A command of `uncommon-im` as it is installed."""
    return Marked([sys.executable, "-m", "uncommon_im.pipeline.cli.entry", *arguments], temporary)
