"""Scanning by processes of this machine loses nothing and repeats nothing (in-process engine for the rest)."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from tests.fuzzing.checks import settings
from tests.organisations import random_organisation
from tests.pipeline.baselines.test_snapshots import content_of
from tests.running import configuration_of, run_backfill, write_lines, write_parquet
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.local.scan_in_processes import _tasks
from uncommon_im.pipeline.local.worker import opened, scan_readings
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.readings import InputFile, Reading
from uncommon_im.transforms.rules.events import tally


@pytest.mark.parametrize("seed", [0, 5])
def test_any_number_of_processes_finds_what_one_finds(seed: int, tmp_path: Path) -> None:
    organisation = random_organisation(seed)
    for number in range(7):
        part = organisation.records[number::7]
        if number % 2:
            write_parquet(tmp_path / f"{number}.parquet", part, row_group_size=9)
        else:
            write_lines(tmp_path / f"{number}.jsonl.gz", part)
    configuration = configuration_of(organisation.options)
    expected = run_backfill([f"{tmp_path}/*"], configuration)
    for workers in (2, 3):
        found = run_backfill([f"{tmp_path}/*"], configuration, workers=workers)
        assert found.facts == expected.facts
        assert found.verdict_rows == expected.verdict_rows
        assert found.summary == expected.summary
        assert len(found.dead_letters) == len(expected.dead_letters)


def test_a_snapshot_holds_the_starts_that_one_process_finds_whatever_the_number_of_processes(tmp_path: Path) -> None:
    organisation = random_organisation(0)
    for number in range(3):
        write_lines(tmp_path / f"{number}.jsonl", organisation.records[number::3])
    contents = []
    for workers in (1, 3):
        path = tmp_path / f"snapshot-{workers}"
        configuration = configuration_of(organisation.options, end=date(2026, 4, 1), baseline_out=str(path), shards=4)
        run_backfill([f"{tmp_path}/*.jsonl"], configuration, workers=workers)
        contents.append(content_of(path))
    assert len(contents[0]["instances"]) > 5
    assert contents[0] == contents[1]


def test_dead_letters_wait_on_disk_whatever_their_number_and_are_those_of_one_process(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_bytes("".join(f"{line} \u00fc\x01\n" for line in range(2000)).encode())
    folder = tmp_path / "kept"
    folder.mkdir()
    readings = [Reading(InputFile(str(path), 1, "")) for path in sorted(tmp_path.glob("*.jsonl"))]
    outputs = scan_readings(readings, settings(), JsonOptions(), str(folder))
    assert len(outputs) < 10
    letters = [letter for tag, letter in opened(outputs) if tag == "dead_letters"]
    assert [letter["record"] for letter in letters] == [*range(1, 2001)] * 3
    assert letters[1999]["raw"] == "1999 \u00fc\x01"
    assert len(letters) == dict(outputs)["tallies"][tally.READ]


def test_a_file_that_a_process_cannot_read_ends_the_run_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(tmp_path / "a.jsonl", random_organisation(0).records)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"{}")[:12])
    files = ["--input", f"{tmp_path}/*.jsonl*", "--output", str(tmp_path / "run"), "--workers", "2"]
    assert main(["backfill", *files]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"uncommon-im: the run failed: {tmp_path}/b.jsonl.gz: cannot be read from record 1 on: ")
    assert not (tmp_path / "run" / "summary.json").exists()


@pytest.mark.parametrize(("readings", "count"), [(0, 4), (1, 4), (4, 4), (9, 4), (100, 8)])
def test_readings_are_cut_into_parts_that_hold_each_once(readings: int, count: int) -> None:
    listed = [Reading(InputFile(f"f{n:03}", 1, ""), range(n, n + 1)) for n in range(readings)]
    tasks = _tasks(listed[::-1], count)
    assert [reading for task in tasks for reading in task] == listed
    assert len(tasks) <= count
    assert all(tasks)
