"""Processes that end when the one that started them does."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import Marked
from uncommon_im.pipeline.local.tied import command_of

PARENT = """
import signal, subprocess, sys, time
from uncommon_im.pipeline.local.tied import command_of
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
subprocess.Popen(command_of(sys.argv[1:]))
time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_program_ends_when_its_parent_does(number: signal.Signals, tmp_path: Path) -> None:
    with Marked([sys.executable, "-c", PARENT, "sleep", "600"], tmp_path) as parent:
        parent.wait_for(lambda: len(parent.others("600")) == 2)
        parent.main.send_signal(number)
        parent.wait_until_gone()


def test_a_program_whose_parent_was_gone_before_its_guard_began_ends_at_once() -> None:
    say = "from uncommon_im.pipeline.local.tied import command_of; print(*command_of(['sleep', '600']), sep='\\n')"
    of_another = subprocess.run([sys.executable, "-c", say], stdout=subprocess.PIPE, text=True, check=True).stdout
    done = subprocess.run(of_another.splitlines(), timeout=60, check=False)
    assert done.returncode == 137


def test_a_guard_that_is_told_to_stop_ends_its_program() -> None:
    guard = subprocess.Popen(command_of(["sh", "-c", "echo ready; exec sleep 600"]), stdout=subprocess.PIPE)
    with guard:
        assert guard.stdout
        guard.stdout.readline()
        guard.send_signal(signal.SIGINT)
        assert guard.stdout.read() == b""  # closed by whoever else held it


@pytest.mark.parametrize("status", [0, 3])
def test_a_program_that_ends_by_itself_gives_its_status(status: int) -> None:
    done = subprocess.run(command_of(["sh", "-c", f"echo said; exit {status}"]), capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (status, b"said\n")


def test_a_program_that_is_killed_gives_the_status_that_a_shell_gives_it() -> None:
    done = subprocess.run(command_of(["sh", "-c", "kill -9 $$"]), check=False)
    assert done.returncode == 137
