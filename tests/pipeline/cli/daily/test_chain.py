"""`uncommon-im daily` on the in-process engine (`FnApiRunner`): what days find, and when they wait."""

from __future__ import annotations

import gc
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from apache_beam import Pipeline

from tests.daily import daily, deliver, facts_of, records_by_day, whole
from tests.running import Record
from uncommon_im.pipeline.cli.daily.state import StateFolder
from uncommon_im.pipeline.cli.main import main

FIRST, LAST = date(2026, 4, 14), date(2026, 4, 17)
LEARNT = date(2026, 3, 1)
ONE_DAY = timedelta(days=1)
FIVE = tuple(date(2026, 3, number) for number in range(1, 6))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def event(day: date, number: int = 0, host: str = "pc-1") -> Record:
    program = {"process_name": "odd", "process_path": "/tmp/odd", "remote_host": "api.telegram.org"}
    time = f"{day}T{number % 24:02}:00:00Z"
    return {"event_time": time, "event_id": f"{day}-{number}", "host_id": host, "os": "linux"} | program


def events(day: date, count: int = 1) -> list[Record]:
    return [event(day, number) for number in range(count)]


def snapshots(here: Path) -> list[str]:
    return sorted(path.parent.name for path in here.glob("state/snapshots/*/metadata.json"))


def graphs() -> int:
    """How many of Beam's are in memory."""
    return sum(isinstance(each, Pipeline) for each in gc.get_objects())


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


# What a chain finds


def test_days_that_were_missed_and_files_that_came_late_leave_what_one_backfill_finds(here: Path) -> None:
    lake = records_by_day(4, LEARNT, LAST)
    late = FIRST + 2 * ONE_DAY
    assert len(lake[late]) > 4
    for day, records in lake.items():
        if day <= late:
            deliver(here, day, records[::2] if day == late else records)
    # the scheduler does not run on the second day
    assert main(daily(FIRST, "--verdicts", "--first-day", str(FIRST))) == 0
    assert main(daily(late, "--verdicts")) == 0
    too_early = facts_of(*here.glob("runs/*"))
    deliver(here, late, lake[late][1::2], "part-1")
    deliver(here, LAST, lake[LAST])
    assert main(daily(LAST, "--verdicts")) == 0
    assert main(whole(FIRST, LAST, "--verdicts")) == 0
    found = facts_of(*here.glob("runs/*"))
    assert found == facts_of(here / "whole")
    assert all(found.values())
    assert too_early["alerts"] - found["alerts"], "what was found without the late file was found for good"


def test_a_chain_goes_on_from_a_snapshot_that_was_put_into_its_folder(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in FIVE[:4]:
        deliver(here, day, events(day))
    out = ("--baseline-out", f"state/snapshots/{FIVE[3]}", "--activation-days", "2")
    assert main([*whole(FIVE[0], FIVE[2]), *out]) == 0
    capsys.readouterr()
    assert main(daily(FIVE[3], "--activation-days", "2")) == 0
    (line,) = lines(capsys)
    assert line.startswith(f"{FIVE[3]}: ")
    assert [path.name for path in here.glob("runs/*")] == [str(FIVE[3])]


# The first run, and learning


def test_a_first_run_says_how_much_is_there_to_learn_from_and_when_alerts_begin(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in FIVE:
        deliver(here, day, events(day))
    assert main(daily(FIVE[4])) == 0
    first, second = lines(capsys)
    assert first == (
        "the first run: 4 of the 30 days before 2026-03-05 have files, 26 are missing; "
        "alerts begin on 2026-03-15 if every day until then has events"
    )
    assert second == (
        "2026-03-05: 0 alerts, 5 activities, 5 records, 0 dead letters; learning: tenant default lacks 9 of 14 days, "
        "alerts begin on 2026-03-15 if every day until then has events"
    )
    assert [path.name for path in (here / "state/.uncommon-im").iterdir()] == ["daily.json"], "its claim is gone"


def test_without_a_date_the_last_day_is_yesterday_and_its_late_partitions_are_waited_for(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yesterday = datetime.now(UTC).date() - ONE_DAY
    deliver(here, yesterday - 5 * ONE_DAY, events(yesterday - 5 * ONE_DAY))
    arguments = daily(yesterday)
    at = arguments.index("--until")
    del arguments[at : at + 2]
    assert main(arguments) == 75
    assert f"{yesterday} is not complete yet: it has no file" in capsys.readouterr().err
    assert main([*arguments, "--state", "other", "--partition-slack-days", "2"]) == 75
    assert f"{yesterday - 2 * ONE_DAY} is not complete yet" in capsys.readouterr().err


# Days that are not complete


def test_a_day_without_its_marker_is_waited_for_and_then_taken_as_it_is(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marker = ("--require-marker", "_SUCCESS", "--wait-days", "1")
    for day in FIVE[:2]:
        deliver(here, day, events(day))
    (here / f"lake/dt={FIVE[0]}/_SUCCESS").touch()
    assert main(daily(FIVE[0], *marker)) == 0
    assert main(daily(FIVE[1], *marker)) == 75
    assert not (here / f"runs/{FIVE[1]}").exists()
    said = capsys.readouterr().err
    assert f"{FIVE[1]} is not complete yet: lake/dt={FIVE[1]}/_SUCCESS is missing" in said
    assert f"on {FIVE[3]} the day is taken as it is" in said
    deliver(here, FIVE[2], events(FIVE[2]))
    assert main(daily(FIVE[2], *marker)) == 75  # the second is taken, the third waits
    assert f"taken as it is: lake/dt={FIVE[1]}/_SUCCESS is missing" in capsys.readouterr().out
    assert {path.name for path in here.glob("runs/*")} == {str(day) for day in FIVE[:2]}


def test_a_day_without_files_is_passed_over_in_the_end_and_judged_if_they_come(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in (FIVE[0], FIVE[2]):
        deliver(here, day, events(day))
    assert main(daily(FIVE[0], "--wait-days", "1")) == 0
    assert main(daily(FIVE[1], "--wait-days", "1")) == 75
    assert f"{FIVE[1]} is not complete yet: it has no file" in capsys.readouterr().err
    assert main(daily(FIVE[2], "--wait-days", "1")) == 0
    assert f"{FIVE[1]}: passed over: it has no file" in lines(capsys)
    assert snapshots(here) == [str(FIVE[1]), str(FIVE[3])]
    deliver(here, FIVE[1], events(FIVE[1]))
    assert main(daily(FIVE[2])) == 0
    said = lines(capsys)
    assert said[0].startswith(f"{FIVE[1]}: 1 files came late, such as ")
    assert [line[:10] for line in said[1:]] == [str(day) for day in FIVE[1:3]]
    assert snapshots(here) == [str(day) for day in FIVE[1:4]]


def test_a_day_with_too_few_events_is_judged_and_not_left_behind_until_more_come_or_the_wait_is_over(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [FIVE[0] + number * ONE_DAY for number in range(10)]
    for day in days[:8]:
        deliver(here, day, events(day, 20))
    thin = deliver(here, days[8], events(days[8], 2))
    assert main(daily(days[7])) == 0
    capsys.readouterr()
    assert main(daily(days[8])) == 75
    why = f"{days[8]} is not complete yet: tenant default has 2 events, under a fifth of the usual 20"
    assert why in capsys.readouterr().err
    judged = (here / f"runs/{days[8]}/summary.json").stat()
    assert main(daily(days[8])) == 75
    assert why in capsys.readouterr().err
    assert (here / f"runs/{days[8]}/summary.json").stat() == judged, "nothing came: it is not judged again"
    deliver(here, days[8], events(days[8], 20)[2:], "part-1")
    assert main(daily(days[8])) == 0
    assert "20 records" in capsys.readouterr().out
    thin.unlink()  # what is gone was read: nothing is judged again
    deliver(here, days[9], events(days[9], 1))
    assert main(daily(days[9], "--wait-days", "0")) == 0
    assert "taken as it is: tenant default has 1 events" in lines(capsys)[-1]


# The state folder


def test_so_many_snapshots_are_kept_and_files_of_days_before_them_are_not_looked_for(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = graphs()
    for day in FIVE[1:4]:
        deliver(here, day, events(day))
    keep = ("--keep-snapshots", "2")
    assert main(daily(FIVE[3], "--first-day", str(FIVE[1]), *keep)) == 0
    assert graphs() <= before, "the graphs of all days stay in memory"
    kept = [str(FIVE[3]), str(FIVE[3] + ONE_DAY)]
    assert snapshots(here) == kept
    assert sorted(path.name for path in here.glob("state/snapshots/*")) == kept
    assert list(json.loads((here / "state/.uncommon-im/daily.json").read_text())["days"]) == [str(FIVE[3])]
    capsys.readouterr()
    deliver(here, FIVE[1], events(FIVE[1]), "late")
    assert main(daily(FIVE[3], *keep)) == 0
    assert lines(capsys) == [f"{FIVE[3]}: nothing to do: all days until then are judged"]
    deliver(here, FIVE[3], events(FIVE[3]), "late")
    assert main(daily(FIVE[3], *keep)) == 0
    assert len(lines(capsys)) == 2
    assert snapshots(here) == kept


def test_of_two_at_once_the_second_is_not_ready(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deliver(here, FIVE[0], events(FIVE[0]))
    with StateFolder("state").claimed():
        assert main(daily(FIVE[0])) == 75
        assert main(daily(FIVE[0], "--force")) == 75, "who lives on this machine is never taken over"
    assert capsys.readouterr().err.count("has been writing there since") == 2


def test_a_snapshot_that_is_gone_is_said_and_no_day_is_judged_twice_in_one_folder(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in FIVE[:2]:
        deliver(here, day, events(day))
    assert main(daily(FIVE[0])) == 0
    (here / f"state/snapshots/{FIVE[1]}/metadata.json").unlink()
    assert main(daily(FIVE[1])) == 2
    assert f"the snapshot of {FIVE[1]} is gone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lake", "lake/*.jsonl"], "it names the same files for two days"),
        (["--lake", "lake/{date:%Y-%m}/*.jsonl"], "it names the same files for two days"),
        (["--lake", "lake/{date:%H}/*.jsonl"], "--lake lake/{date:%H}/*.jsonl: {date:%H}: %H is no part of a day"),
        (["--lake", "bigquery://p.d.t"], "days that look after themselves are files"),
        (["--output", "state"], "is the folder of --state"),
        (["--keep-snapshots", "1"], "it must be 2 to"),
        (["--baseline-in", "base"], "unknown"),
        (["--keep-snapshot", "9"], "unknown option --keep-snapshot "),
        (["--evidence", "many"], "is no whole number"),
        (["--lake", "elsewhere/{date}/*"], "no file for any day from 2026-01-30 to 2026-03-01: check the path"),
    ],
)
def test_options_that_make_no_chain_are_wrong_and_nothing_is_written(
    options: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(daily(FIVE[0], *options)) == 2
    assert message in capsys.readouterr().err
    assert [path for path in here.rglob("*") if path.is_file()] == []


def test_a_ledger_that_is_none_is_wrong_and_stays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "state/.uncommon-im").mkdir(parents=True)
    for text, message in (("x", "not valid JSON"), ('{"schema_version": 9}', "of version 9, this program reads 1")):
        (here / "state/.uncommon-im/daily.json").write_text(text)
        assert main(daily(FIVE[0])) == 2
        assert message in capsys.readouterr().err
        assert (here / "state/.uncommon-im/daily.json").read_text() == text
