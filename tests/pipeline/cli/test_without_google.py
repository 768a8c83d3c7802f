"""Without the extra `gcp` whatever names no Google Cloud works; the rest is one line that says what to install.

Each command runs in a process of its own, in which the clients of Google Cloud cannot be imported, as if not installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import write_lines

BLOCKED = ("apitools", "google.api", "google.api_core", "google.auth", "google.cloud", "google.oauth2", "google.rpc")
RUN = f"""
import importlib.abc
import sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if any(name == each or name.startswith(each + ".") for each in {BLOCKED}):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
from uncommon_im.pipeline.cli.entry import run
run()
"""
EVENT = {"event_time": "2026-03-01T10:00:00Z", "host_id": "h1", "process_name": "curl", "remote_host": "t.me"}


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command without Google's clients."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_EMULATOR_HOST")}
    program = [sys.executable, "-W", "ignore", "-c", RUN, *arguments]
    return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def events(tmp_path: Path) -> str:
    write_lines(tmp_path / "events.jsonl", [EVENT])
    return str(tmp_path / "events.jsonl")


def test_a_backfill_a_snapshot_and_its_check_work_on_files_of_this_machine(events: str, tmp_path: Path) -> None:
    run, snapshot = str(tmp_path / "run"), str(tmp_path / "snapshot")
    days = ["--end", "2026-03-02", "--baseline-out", snapshot]
    for arguments in (
        ["backfill", "--input", events, "--output", run, *days],
        ["upgrade-check", "--baseline-in", snapshot, "--run", run],
    ):
        done = command(*arguments)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "summary.json").exists()


def test_a_replay_works_on_files_of_this_machine(events: str, tmp_path: Path) -> None:
    done = command("replay", "--input", events, "--output", str(tmp_path / "replayed"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["backfill", "--input", "gs://bucket/x.parquet", "--output", "{}"],
        ["backfill", "--input", "bigquery://p.d.t", "--output", "{}"],
        ["stream", "--pubsub-subscription", "projects/project/subscriptions/events", "--output", "{}"],
    ],
    ids=["gs", "bigquery", "pubsub"],
)
def test_what_needs_google_cloud_says_what_to_install_in_one_line(arguments: list[str], tmp_path: Path) -> None:
    done = command(*(each.format(tmp_path / "out") for each in arguments))
    assert done.returncode == 2, done.stderr
    assert "pip install 'uncommon-im[gcp]'" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
