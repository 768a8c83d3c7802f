"""A command that names no cloud imports no client of one; one that does has them all (in-process engine)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.organisations import random_organisation
from tests.running import write_lines
from uncommon_im.pipeline.cli import main
from uncommon_im.pipeline.local.without_clouds import without_clouds

CLIENTS = ("azure", "boto3", "google.api_core", "google.cloud.storage", "pymongo")
IN_A_PROCESS = f"""\
import sys
from uncommon_im.pipeline.cli.main import main
sys.argv = ["uncommon-im", *sys.argv[1:]]
status = main()
print(*(name for name in {CLIENTS} if name in sys.modules))
sys.exit(status)
"""


def clients_of(*arguments: str) -> list[str]:
    """The clients that are there once a command is done in a process of its own."""
    command = [sys.executable, "-c", IN_A_PROCESS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


def test_a_backfill_of_files_here_imports_no_client_and_one_with_options_of_beams_does(tmp_path: Path) -> None:
    write_lines(tmp_path / "events.jsonl", random_organisation(3).records[:200])
    backfill = ["backfill", "--input", str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "run")]
    assert clients_of(*backfill) == []
    assert clients_of(*backfill, "--direct_num_workers=1") == [*CLIENTS]


BACKFILL = ["backfill", "--input", "events.jsonl"]
REPLAY = ["replay", "--input", "events.jsonl", "--output", "run"]


@pytest.mark.parametrize("arguments", [[*BACKFILL, "--output", "run"], REPLAY, ["simulate", "--output", "here"]])
def test_files_and_folders_here_need_no_client(arguments: list[str]) -> None:
    assert stays_here(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        [*BACKFILL, "--output", "gs://bucket/run"],
        [*BACKFILL, "--input", "s3://bucket/*.parquet", "--output", "run"],
        [*BACKFILL, "--input", "bigquery://p.d.t", "--output", "run"],
        [*BACKFILL, "--output", "run", "--baseline-in", "az://account/container/B"],
        [*BACKFILL, "--bigquery-output", "p.d"],
        [*BACKFILL, "--output", "run", "--runner=FlinkRunner"],
        [*BACKFILL, "--output", "run", "--exceptions", "gs://bucket/exceptions.yaml"],
        [*REPLAY, "--bigquery-output", "p.d"],
        ["stream", "--pubsub-subscription", "projects/p/subscriptions/s", "--output", "run"],
        ["stream", "--kafka-topic", "t", "--kafka-brokers", "broker:9092", "--output", "run"],
        ["schema", "bigquery", "--dataset", "p.d"],
    ],
)
def test_whatever_names_another_machine_has_all_clients(arguments: list[str]) -> None:
    assert not stays_here(arguments)


def stays_here(arguments: list[str]) -> bool:
    _, options, _, rest = main.parse(arguments)
    return main.stays_here(options, rest)


def test_afterwards_what_was_hidden_can_be_imported_and_what_was_there_still_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import google.api_core

    monkeypatch.delitem(sys.modules, "pymongo", raising=False)
    with without_clouds():
        with pytest.raises(ModuleNotFoundError):
            import pymongo
        assert sys.modules["google.api_core"] is google.api_core
    import pymongo

    assert pymongo
