"""Which partitions a run reads, and when it refuses; runs are on the in-process engine."""

from __future__ import annotations

import json
import logging
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.oracle import Options
from tests.running import configuration_of, read_rows, write_lines
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.sources.files.partitions import Partitions, find_files
from uncommon_im.schemas.documents import ConfigurationError

FIRST = date(2026, 3, 1)
PLAIN = Partitions()
CONFIGURATION = configuration_of(Options(start=date(2026, 4, 10), end=date(2026, 4, 12), training_days=30))


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Sixty days, each with a marker and a file of 100 events of one host."""
    for number in range(60):
        day = FIRST + timedelta(days=number)
        folder = tmp_path / f"dt={day}"
        folder.mkdir()
        (folder / "_SUCCESS").touch()
        event = {"host_id": "h1", "process_name": f"p{number}", "remote_host": "t.me"}
        write_lines(
            folder / "part.jsonl", [event | {"event_time": f"{day}T10:00:{n % 60:02}.{n:06}Z"} for n in range(100)]
        )
    return tmp_path


def days_read(lake: Path, partitions: Partitions = PLAIN, **changes: object) -> list[str]:
    configuration = configuration_of(
        Options(start=date(2026, 4, 10), end=date(2026, 4, 12), training_days=30), **changes
    )
    files = find_files([f"{lake}/dt={{date}}/*.jsonl"], configuration.input_days, partitions)
    return [Path(file.path).parent.name.removeprefix("dt=") for file in files]


def test_without_a_snapshot_a_run_reads_its_days_and_the_window_before_them(lake: Path) -> None:
    read = days_read(lake)
    assert (read[0], read[-1], len(read)) == ("2026-03-11", "2026-04-11", 32)


def test_with_a_snapshot_a_run_reads_its_own_days_only(lake: Path) -> None:
    assert days_read(lake, baseline=object()) == ["2026-04-10", "2026-04-11"]


def test_partitions_by_ingestion_are_looked_into_further_for_late_records(lake: Path) -> None:
    assert days_read(lake, Partitions(slack_days=2), baseline=object())[-1] == "2026-04-13"


def test_slack_beyond_the_last_partition_is_no_error(lake: Path) -> None:
    for day in ("2026-04-12", "2026-04-13"):
        (lake / f"dt={day}" / "part.jsonl").unlink()
        (lake / f"dt={day}" / "_SUCCESS").unlink()
    assert days_read(lake, Partitions(2, "_SUCCESS"), baseline=object()) == ["2026-04-10", "2026-04-11"]


def test_a_day_without_files_is_said_and_does_not_stop_the_run(lake: Path, caplog: pytest.LogCaptureFixture) -> None:
    (lake / "dt=2026-03-20" / "part.jsonl").unlink()
    with caplog.at_level(logging.WARNING):
        assert "2026-03-20" not in days_read(lake)
    assert "no files for 2026-03-20" in caplog.text


def test_a_pattern_without_any_day_is_refused(lake: Path) -> None:
    with pytest.raises(ConfigurationError, match="no file for any day from 2026-03-11 to 2026-04-11"):
        find_files([f"{lake}/day={{date}}/*.jsonl"], CONFIGURATION.input_days, Partitions())


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("eventDay={date:%Y%m%d}/*.jsonl", "eventDay=%Y%m%d"),
        ("year={date:%Y}/month={date:%m}/day={date:%d}/*.jsonl", "year=%Y/month=%m/day=%d"),
        ("y={date:%Y}/m={date:%m}/d={date:%d}/h=*/m=00/*.jsonl", "y=%Y/m=%m/d=%d/h=07/m=00"),
        ("{date:%Y/%m/%d}/*/*.jsonl", "%Y/%m/%d/09"),
        ("{date:%Y}/{date:%j}/*.jsonl", "%Y/%j"),
        ("{date:%Y}/logs [a]*/{date}.jsonl", "%Y/logs a#1%%20"),
        ("eventDay={date:%Y%m%d}/{date}.jsonl", "eventDay=%Y%m%d"),
    ],
)
def test_days_are_found_in_the_forms_of_real_lakes(pattern: str, folder: str, tmp_path: Path) -> None:
    days = [FIRST + timedelta(days=number) for number in range(-2, 45)]
    for day in days:
        path = tmp_path / day.strftime(folder) / f"{day}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    files = find_files([f"{tmp_path}/{pattern}"], (date(2026, 3, 31), date(2026, 4, 3)), Partitions(slack_days=1))
    read = [Path(file.path).stem for file in files]
    assert read == ["2026-03-31", "2026-04-01", "2026-04-02", "2026-04-03"]


def test_a_month_that_is_one_folder_is_read_once_for_all_its_days(tmp_path: Path) -> None:
    for month in ("2026-02", "2026-03", "2026-04"):
        (tmp_path / month).mkdir()
        (tmp_path / month / "a.jsonl").touch()
    files = find_files([f"{tmp_path}/{{date:%Y-%m}}/*"], (date(2026, 3, 30), date(2026, 4, 3)), PLAIN)
    assert [Path(file.path).parent.name for file in files] == ["2026-03", "2026-04"]


def test_markers_are_asked_for_in_every_form(tmp_path: Path) -> None:
    for day in ("01", "02"):
        folder = tmp_path / "a [b]" / "y=2026" / f"d={day}"
        folder.mkdir(parents=True)
        (folder / "a.jsonl").touch()
    (folder / "_SUCCESS").touch()
    pattern, marked = f"{tmp_path}/a*/y={{date:%Y}}/d={{date:%d}}/*.jsonl", Partitions(marker="_SUCCESS")
    assert len(find_files([pattern], (date(2026, 3, 2), date(2026, 3, 3)), marked)) == 1
    with pytest.raises(ConfigurationError, match=r"--require-marker: .*/a\*/y=2026/d=01/_SUCCESS is missing"):
        find_files([pattern], (date(2026, 3, 1), date(2026, 3, 3)), marked)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{date:%H}", "{date:%H}: %H is no part of a day: known are %Y, %m, %d, %j; for what lies below a day write *"),
        ("{date:%Y%m%d%}", "{date:%Y%m%d%}: % is no part of a day"),
        ("{date:%-d}", "{date:%-d}: %- is no part of a day"),
        ("{date:YYYYMMDD}", "{date:YYYYMMDD}: what is there is no part of a day"),
        ("{date:}", "a {date is not closed"),
        ("{date:%Y", "a {date is not closed"),
        ("{dates}", "a {date is not closed"),
        ("{date}/{date:{%d}}", "a {date is not closed"),
    ],
)
def test_what_is_no_part_of_a_day_is_said_in_a_line(written: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        find_files([f"lake/{written}/*.jsonl"], (FIRST, FIRST), PLAIN)
    assert str(told.value).startswith(f"--input lake/{written}/*.jsonl: {said}")


def test_a_pattern_by_day_needs_a_closed_range(lake: Path) -> None:
    open_days = configuration_of(Options(start=date(2026, 4, 10))).input_days
    with pytest.raises(ConfigurationError, match="needs --start and --end"):
        find_files([f"{lake}/dt={{date}}/*"], open_days, Partitions())


def test_a_folder_without_its_marker_stops_the_run_with_exit_status_75(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (lake / "dt=2026-04-11" / "_SUCCESS").unlink()
    for pattern in (f"{lake}/dt={{date}}/*.jsonl", f"{lake}/dt=*/*.jsonl"):
        days = ["--start", "2026-04-10", "--end", "2026-04-12", "--require-marker", "_SUCCESS"]
        assert main(["backfill", "--input", pattern, "--output", str(tmp_path / "run"), *days]) == 75
        missing = f"{lake}/dt=2026-04-11/_SUCCESS"
        expected = f"uncommon-im: --require-marker: {missing} is missing: the folder is not complete yet"
        assert capsys.readouterr().err.splitlines()[-1] == expected
    assert main(["backfill", "--input", pattern, "--output", str(tmp_path / "run"), *days[:4]]) == 0


def test_reading_needed_days_only_gives_what_reading_all_gives(lake: Path, tmp_path: Path) -> None:
    found = []
    for name, pattern in (("some", f"{lake}/dt={{date}}/*.jsonl"), ("all", f"{lake}/dt=*/*.jsonl")):
        days = ["--start", "2026-04-10", "--end", "2026-04-12"]
        assert main(["backfill", "--input", pattern, "--output", str(tmp_path / name), *days]) == 0
        found.append(sorted(json.dumps(a["alert_id"]) for a in read_rows(str(tmp_path / name), "alerts")))
    assert found[0] == found[1]
    assert len(found[0]) == 2


def test_a_thin_day_is_said_in_the_log(lake: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = lake / "dt=2026-04-11" / "part.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:19]))
    days = ["--start", "2026-04-10", "--end", "2026-04-12"]
    with caplog.at_level(logging.WARNING):
        arguments = ["--input", f"{lake}/dt={{date}}/*.jsonl", "--output", str(tmp_path / "run"), *days]
        assert main(["backfill", *arguments]) == 0
    (line,) = [record.getMessage() for record in caplog.records if "the usual" in record.getMessage()]
    assert line == ("tenant default: 2026-04-11 has 19 events, under a fifth of the usual 100: is the day complete?")
