"""Flink on this machine: Beam's job server with a cluster of its own, and a pool of Python workers beside it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from apache_beam.options.pipeline_options import PipelineOptions

from uncommon_im.pipeline.options.beam import beam_options

ROOT: Final = Path(__file__).parents[2]
JARS: Final = Path(sys.prefix) / "flink"
_START_SECONDS: Final = 60
_ERROR: Final = re.compile(r"Exception|Error|Caused by")
_ERRORS: Final = 40
_CONFIGURATION: Final = """\
taskmanager.numberOfTaskSlots: 2
taskmanager.memory.network.max: 64mb
taskmanager.memory.managed.size: 64mb
state.checkpoints.dir: {checkpoints}
restart-strategy: fixed-delay
restart-strategy.fixed-delay.attempts: 5
restart-strategy.fixed-delay.delay: 1 s
"""


@dataclass(frozen=True)
class Flink:
    """A job server and a worker pool that run.

    Args:
        folder: of their logs and checkpoints.
        jobs: port of the job server.
        workers: port of the worker pool.
        server: process id of the job server, in which Flink runs.
        pool: process id of the worker pool.
        parallelism: of jobs.
    """

    folder: Path
    jobs: int
    workers: int
    server: int
    pool: int
    parallelism: int = 2

    @property
    def flags(self) -> list[str]:
        """Beam's options of a job there."""
        return [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{self.jobs}",
            "--environment_type=EXTERNAL",
            f"--environment_config=localhost:{self.workers}",
            f"--parallelism={self.parallelism}",
        ]

    def batch(self) -> PipelineOptions:
        """The options of a backfill."""
        return beam_options(self.flags)

    def streaming(self, *more: str) -> PipelineOptions:
        """The options of a stream."""
        return beam_options([*self.flags, "--streaming", *more])

    def checkpoints(self) -> int:
        """How many checkpoints of running jobs are complete; Flink keeps the newest of each."""
        names = (path.parent.name for path in self.folder.glob("checkpoints/*/chk-*/_metadata"))
        return max((int(name.partition("-")[2]) for name in names), default=0)

    def worker_processes(self) -> list[int]:
        """Process ids of the workers that run."""
        listed = subprocess.run(["pgrep", "--parent", str(self.pool)], capture_output=True, text=True, check=False)
        return [int(line) for line in listed.stdout.split()]

    def kill_a_worker(self) -> int:
        """Kills a worker without a warning; returns its process id."""
        worker = self.worker_processes()[0]
        os.kill(worker, signal.SIGKILL)
        return worker


def worker_pool(port: int) -> list[str]:
    """The command of Beam's own pool of Python workers."""
    return [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={port}"]


@contextmanager
def flink(folder: Path, pool: Callable[[int], list[str]] = worker_pool, parallelism: int = 2) -> Iterator[Flink]:
    """Starts Flink and workers; stops them at the end.

    Args:
        folder: of logs and checkpoints.
        pool: the command that serves workers on a port.
        parallelism: of jobs.

    Raises:
        AssertionError: it is not installed, or does not start.
    """
    assert JARS.is_dir(), "Flink is not installed: make runners"
    jobs, workers = free_port(), free_port()
    (folder / "flink-conf.yaml").write_text(_CONFIGURATION.format(checkpoints=(folder / "checkpoints").as_uri()))
    server = [str(ROOT / "deploy/flink/job-server.sh"), str(JARS), f"--job-port={jobs}", f"--flink-conf-dir={folder}"]
    server += ["--flink-master=[local]", f"--artifacts-dir={folder / 'artifacts'}"]
    with (
        running(server, folder / "job-server.log") as cluster,
        running(pool(workers), folder / "workers.log") as pooled,
    ):
        for port in (jobs, workers):
            wait_for(port, folder)
        yield Flink(folder, jobs, workers, cluster.pid, pooled.pid, parallelism)


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, with this Python first on its path: the worker pool calls it by name."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, env=environment)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        return int(taken.getsockname()[1])


def wait_for(port: int, folder: Path) -> None:
    """Waits until something listens to a port.

    Raises:
        AssertionError: nothing does within a minute; says what the logs of the folder say.
    """
    for _ in range(_START_SECONDS * 10):
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nothing listens to port {port}:\n{logs_in(folder)}")


def logs_in(folder: Path) -> str:
    """What the logs in a folder say: their first lines that name an error, and their ends."""
    return "\n".join(map(_said_in, sorted(folder.glob("*.log"))))


def _said_in(log: Path) -> str:
    text = log.read_text(errors="replace")
    errors = (line[:400] for line in text.splitlines() if _ERROR.search(line))
    return "\n".join([f"{log.name}:", *islice(errors, _ERRORS), "...", text[-2000:]])
