"""Fuzzes all targets, two at a time, and says how many executions that were: `python -m tests.fuzzing.run`."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final

from tests.fuzzing.targets import TARGETS

CORPUS: Final = Path(__file__).parent / "corpus"
OUTPUT: Final = Path("fuzz-output")
"""Inputs that were found, failures and logs: kept from run to run, and no part of the repository."""
_AT_A_TIME: Final = 2
_RUNS: Final = 8000
"""Inputs a process: the engine keeps some 30 kB of each that it traces, which would hide what the parsers keep."""
_IN_MEMORY: Final = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where inputs are written, if it is there: files come and go thousands of times."""
_EXECUTIONS: Final = re.compile(r"^stat::number_of_executed_units: +(\d+)", re.MULTILINE)
_PEAK: Final = re.compile(r"^stat::peak_rss_mb: +(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """What fuzzing a target came to.

    Args:
        target: its name.
        executions: inputs that were run; `None`: it failed before it could say.
        peak: megabytes of memory at most.
        failures: inputs that made it fail.
        status: the exit status of the process.
    """

    target: str
    executions: int | None
    peak: int | None
    failures: tuple[Path, ...]
    status: int


def fuzz(target: str, seconds: int) -> Result:
    """Fuzzes a target for some seconds, in one process after the other; the log is `OUTPUT/TARGET.log`."""
    found, failed = OUTPUT / target / "found", OUTPUT / target / "failed"
    found.mkdir(parents=True, exist_ok=True)
    failed.mkdir(exist_ok=True)
    before = set(failed.iterdir())
    folders = [str(found), *(str(folder) for folder in (CORPUS / target,) if folder.is_dir())]
    command = [sys.executable, "-m", "tests.fuzzing.fuzz", target, f"-runs={_RUNS}", "-print_final_stats=1"]
    log, status, end = OUTPUT / f"{target}.log", 0, time.monotonic() + seconds
    with log.open("wb") as stream:
        while not status and (left := round(end - time.monotonic())) > 0:
            options = [f"-max_total_time={left}", f"-artifact_prefix={failed}/"]
            status = _run([*command, *options, *folders], stream)
    text = log.read_text(encoding="utf-8", errors="replace")
    failures = tuple(sorted(path for path in set(failed.iterdir()) - before if not path.name.startswith("slow-unit")))
    executions, peaks = ([int(number) for number in pattern.findall(text)] for pattern in (_EXECUTIONS, _PEAK))
    return Result(target, sum(executions) or None, max(peaks, default=None), failures, status)


def _run(command: list[str], log: IO[bytes]) -> int:
    """The exit status of a process that fuzzes."""
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY) as folder:
        environment = {**os.environ, "TMPDIR": folder}  # the engine ends its process without tidying up
        return subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment, check=False).returncode


def report(result: Result, seconds: int) -> str:
    """One line on a target; what to do, where it failed."""
    if not result.status and not result.failures and result.executions is not None:
        rate = result.executions / max(seconds, 1)
        return f"{result.target:8} {result.executions:10,} executions, {rate:5.0f} a second, peak {result.peak} MB"
    lines = [f"{result.target:8} FAILED, exit status {result.status}: see {OUTPUT / result.target}.log"]
    lines += [f"  again: {sys.executable} -m tests.fuzzing.fuzz {result.target} {path}" for path in result.failures]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Exit status: 0 if no target failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: %(default)s)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)} (default: all)")
    options = parser.parse_args(arguments)
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))} (known: {', '.join(TARGETS)})")
    failed = False
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for result in pool.map(partial(fuzz, seconds=options.seconds), options.targets or TARGETS):
            print(report(result, options.seconds), flush=True)
            failed |= "FAILED" in report(result, options.seconds)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
