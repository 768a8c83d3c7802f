"""Running whole processes and saying what they took; nothing heavy is imported here.

A child's peak memory counts what its parent held when it was started, so a module that measures must stay small.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "benchmark-data"
PIPELINE = shlex.quote(str(Path(sys.executable).with_name("uncommon-im")))
"""The installed command, as a shell would read it."""
INTERVAL = 0.2
"""Seconds between two looks at the memory of the process tree."""
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)


class Cost(NamedTuple):
    """What one run took."""

    cpu: float
    """User and system time of the process and its children, s."""
    wall: float
    memory: float
    """Peak resident memory of its largest process, MB."""
    tree: float
    """Peak of the sum of the resident memory of all its processes, MB; pages that they share count for each."""


def measure(command: Sequence[str], log: Path) -> Cost:
    """Runs a command to its end and says what it and its children took."""
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        sampler = _TreeMemory(process.pid)
        sampler.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    sampler.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise SystemExit(f"{shlex.join(command)} ended with status {process.returncode}:\n{tail}")
    largest = used.ru_maxrss / 1024
    return Cost(used.ru_utime + used.ru_stime, wall, largest, max(largest, sampler.peak))


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


class _TreeMemory(threading.Thread):
    """Looks at the memory of a process and its descendants every now and then."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self._root = root
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(INTERVAL):
            self.peak = max(self.peak, sum(map(_resident, _descendants(self._root))))

    def stop(self) -> None:
        """Ends the looking."""
        self._ended.set()
        self.join()


def _descendants(root: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                stat = Path(entry.path, "stat").read_text(errors="replace")
            except OSError:  # it has ended since
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    waiting = [root]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += children.get(process, [])


def cpu_seconds(root: int) -> float:
    """User and system time so far of a process that runs and of its descendants, s."""
    ticks = 0
    for process in _descendants(root):
        stat = Path(f"/proc/{process}/stat").read_text(errors="replace")
        ticks += sum(map(int, stat.rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE_MB
    except (OSError, IndexError):
        return 0.0


def prepare(data: Path, settings: Mapping[str, int | str], generator: str = "tests.benchmarks.generate") -> None:
    """Generates events if they are not there, and reads them once so that all runs find them in memory."""
    marker = data / "generated.json"
    if marker.exists():
        about = json.loads(marker.read_text(encoding="utf-8"))
        other = {name: about.get(name) for name, value in settings.items() if about.get(name) != value}
        if other:
            raise SystemExit(f"{data} holds other events ({other}): name another folder with --data, or delete it")
    else:
        command = [sys.executable, "-m", generator, "--out", str(data)]
        command += [f"--{name.replace('_', '-')}={value}" for name, value in settings.items() if value is not True]
        command += [f"--{name.replace('_', '-')}" for name, value in settings.items() if value is True]
        print(f"generating {', '.join(f'{name} {value}' for name, value in settings.items())} into {data}", flush=True)
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    for path in data.glob("*.parquet"):
        with path.open("rb") as file:
            while file.read(1 << 22):
                pass


def backfill(pipeline: str, files: str, out: Path, *options: str) -> list[str]:
    """The command of a backfill.

    Args:
        pipeline: the program, as a shell would read it.
        files: what it reads.
        out: the run's folder.
        options: more of them.
    """
    program = shlex.split(pipeline)
    if not Path(program[0]).exists():
        raise SystemExit(f"{pipeline} is not there: install the project, or say where it is with --pipeline")
    return [*program, "backfill", "--input", files, "--output", str(out), *options]


HEADER = f"{'':34}{'CPU s':>10}{'wall s':>10}{'peak MB':>10}{'tree MB':>10}"


def row(name: str, cost: Iterable[float]) -> str:
    """A line under `HEADER`."""
    cpu, wall, memory, tree = cost
    return f"{name:34}{cpu:>10.2f}{wall:>10.2f}{memory:>10.0f}{tree:>10.0f}"


def ratios(name: str, ours: Cost, theirs: Cost) -> str:
    """A line under `HEADER`: one cost in terms of another."""
    return f"{name:34}" + "".join(f"{mine / other:>10.2f}" for mine, other in zip(ours, theirs, strict=True))


def machine() -> str:
    """The machine that the figures belong to."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PHYS_PAGES") * PAGE_MB / 1024
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB, "
        f"Python {platform.python_version()}, load before: {load}"
    )
