"""How commands end when they are told to, or are killed: one line, the shell's status, and no process left."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sys
from pathlib import Path
from typing import cast

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from tests.processes import Marked, command
from uncommon_im.pipeline.cli.commands.stream import _run as run_until_stopped
from uncommon_im.pipeline.cli.stopping import Stopped

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")

EVENT = {"event_time": "2026-03-01T10:00:00Z", "host_id": "h1", "process_name": "curl", "remote_host": "t.me"}
WORKER = "backfill"
"""Part of the command line of a run and of its scan workers, which are forks of it."""
BEAMS = ("--runner=DirectRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2")
BEAMS_WORKER = "sdk_worker_main"
GUARD = "tied.py"
STUBBORN = """
import sys, threading, time
from uncommon_im.pipeline.cli import stopping
stopping.PATIENCE_SECONDS = 0.2
threading.Thread(target=time.sleep, args=(60,)).start()
with stopping.stoppable():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""
SECOND = """
import time
from uncommon_im.pipeline.cli.stopping import stoppable
with stoppable():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("tidying", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def busy(tmp_path: Path) -> Marked:
    """A backfill whose two workers have a lot to do."""
    line = json.dumps(EVENT).encode() + b"\n"
    for name in "ab":
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(line * 10_000) * 500)
    files = ["--input", f"{tmp_path}/*.jsonl.gz", "--output", str(tmp_path / "run"), "--workers", "2"]
    return command(tmp_path / "tmp", "backfill", *files)


@pytest.fixture
def by_beam(tmp_path: Path) -> Marked:
    """A backfill whose two workers are Beam's own, those of its direct runner."""
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(json.dumps(EVENT).encode() + b"\n") * 100)
    files = ["--input", f"{tmp_path}/*.jsonl.gz", "--output", str(tmp_path / "run")]
    return command(tmp_path / "tmp", "backfill", *files, *BEAMS)


def workers_of_beam(run: Marked) -> list[int]:
    """The processes of its two workers, once they are there."""
    found: list[int] = []

    def are_there() -> bool:
        found[:] = sorted({*run.others(BEAMS_WORKER)} - {*run.others(GUARD)})
        return len(found) == 2

    run.wait_for(are_there)
    return found


def test_a_killed_worker_of_the_direct_runner_ends_the_run_in_one_line_that_says_the_likely_cause(
    by_beam: Marked, tmp_path: Path
) -> None:
    with by_beam:
        os.kill(workers_of_beam(by_beam)[0], signal.SIGKILL)
        _, said = by_beam.main.communicate(timeout=60)
        by_beam.wait_until_gone()
    assert by_beam.main.returncode == 1
    assert said.startswith("uncommon-im: the run failed: a worker of the engine was killed (signal 9): most likely ")
    assert said.count("\n") == 1
    assert not (tmp_path / "run" / "summary.json").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_of_the_direct_runner_end_with_the_run(number: signal.Signals, by_beam: Marked) -> None:
    with by_beam:
        workers_of_beam(by_beam)
        by_beam.main.send_signal(number)
        by_beam.wait_until_gone()


def test_processes_of_the_direct_runner_find_what_one_process_finds(by_beam: Marked, tmp_path: Path) -> None:
    with by_beam:
        _, said = by_beam.main.communicate(timeout=120)
    assert (by_beam.main.returncode, said) == (0, "")
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["events"]["valid"] == 100


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_told_to_stop_says_so_in_one_line_and_leaves_neither_processes_nor_temporary_files(
    number: signal.Signals, status: int, busy: Marked, tmp_path: Path
) -> None:
    with busy:
        busy.wait_for(lambda: len(busy.others(WORKER)) == 2)
        busy.main.send_signal(number)
        _, said = busy.main.communicate(timeout=60)
        busy.wait_until_gone()
    assert busy.main.returncode == status
    assert said == f"uncommon-im: stopped by {number.name}; the output is not complete\n"
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "run" / "summary.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_of_a_terminal_shows_no_traceback_of_a_worker(
    number: signal.Signals, busy: Marked
) -> None:
    with busy:
        busy.wait_for(lambda: len(busy.others(WORKER)) == 2)
        os.killpg(busy.main.pid, number)
        _, said = busy.main.communicate(timeout=60)
        busy.wait_until_gone()
    assert said == f"uncommon-im: stopped by {number.name}; the output is not complete\n"


def test_a_run_that_is_killed_leaves_no_worker_behind(busy: Marked) -> None:
    with busy:
        busy.wait_for(lambda: len(busy.others(WORKER)) == 2)
        busy.main.kill()
        busy.wait_until_gone()


def test_a_run_whose_worker_is_killed_says_why_that_is_likely_and_leaves_no_process(busy: Marked) -> None:
    with busy:
        busy.wait_for(lambda: len(busy.others(WORKER)) == 2)
        os.kill(busy.others(WORKER)[0], signal.SIGKILL)
        _, said = busy.main.communicate(timeout=60)
        busy.wait_until_gone()
    assert busy.main.returncode == 1
    assert said == (
        "uncommon-im: the run failed: a scan worker was killed (signal 9): most likely the machine is short of memory: "
        "give fewer --workers or more --shards (--verbose shows all)\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stream_that_runs_is_cancelled_and_ends_well(number: signal.Signals) -> None:
    cancelled = []

    class Result:
        def wait_until_finish(self) -> None:
            raise Stopped(number)

        def cancel(self) -> None:
            cancelled.append(self)

    class Stream:
        options = PipelineOptions([])

        def run(self) -> Result:
            return Result()

    run_until_stopped(cast(beam.Pipeline, Stream()))
    assert len(cancelled) == 1


def test_a_command_that_is_not_stopped_keeps_its_status_and_the_signals_handlers(tmp_path: Path) -> None:
    code = (
        "import signal; from uncommon_im.pipeline.cli.main import main; before = signal.getsignal(signal.SIGTERM)\n"
        "assert main(['lookup', 't.me']) == 0; assert signal.getsignal(signal.SIGTERM) == before"
    )
    with Marked([sys.executable, "-c", code], tmp_path) as process:
        said, error = process.main.communicate(timeout=60)
    assert (process.main.returncode, error) == (0, "")
    assert "is an instant messaging server" in said


def test_a_thread_that_goes_on_does_not_keep_a_stopped_process(tmp_path: Path) -> None:
    with Marked([sys.executable, "-c", STUBBORN], tmp_path) as process:
        assert process.main.stdout
        process.main.stdout.readline()
        process.main.terminate()
        _, said = process.main.communicate(timeout=50)
    assert process.main.returncode == 143
    assert said.startswith("uncommon-im: stopped at once: tidying up took too long")


def test_a_second_signal_ends_a_process_that_still_tidies_up(tmp_path: Path) -> None:
    with Marked([sys.executable, "-c", SECOND], tmp_path) as process:
        assert process.main.stdout
        assert process.main.stdout.readline() == "ready\n"
        process.main.send_signal(signal.SIGINT)
        assert process.main.stdout.readline() == "tidying\n"
        process.main.terminate()
        _, said = process.main.communicate(timeout=50)
    assert process.main.returncode == -signal.SIGTERM
    assert said == ""
