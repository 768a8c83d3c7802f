"""What analysts decided (section 7): the backfill on Beam's in-process engine, the stream by its rules, both as told.

The oracle reads decisions by itself, and random organisations have some: tests of equality show the rest.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import Options, detect
from tests.pipeline.test_backfill_oracle import comparable
from tests.running import Found, Record, configuration_of, run_records, write_lines
from tests.transforms.rules.stream.driving import drive
from tests.transforms.rules.stream.test_warm_start import lateness_of, warm
from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.configuration.from_options import with_baseline
from uncommon_im.schemas.dispositions import digest_of, parse_dispositions

FIRST = date(2026, 3, 1)
IMPLANT: Record = {
    "process_name": "updater.exe",
    "process_path": "C:\\Users\\al\\AppData\\Roaming\\Updater\\updater.exe",
    "process_signature_status": "unsigned",
    "process_sha256": "ab" * 32,
    "parent_process_name": "explorer.exe",
    "os": "windows",
    "remote_host": "api.telegram.org",
}
MALICIOUS: Record = {
    "disposition": "malicious",
    "reason": "an implant",
    "process_name": "updater.exe",
    "service_id": "telegram",
}
LIMITS = {"activation_days": 0}


def on(days: range, *hosts: str, **columns: Any) -> list[Record]:
    """The implant calls home once a day, an hour and a bit later each day: no day repeats the day before."""
    return [
        IMPLANT | columns | {"host_id": host, "event_time": f"{FIRST + timedelta(days=day)}T08:{day % 60:02}:00Z"}
        for day in days
        for host in hosts
    ]


def run(records: list[Record], *decided: Record, **changes: Any) -> Found:
    """A backfill, which agrees with the oracle."""
    options = Options(dispositions=decided, **LIMITS, **changes)
    found, expected = run_records(records, configuration_of(options)), detect(records, options)
    assert Counter(map(comparable, found.alerts)) == Counter(map(comparable, expected.alerts))
    return found


def days_with_alerts(found: Found) -> list[int]:
    return sorted((date.fromisoformat(alert["timestamp"][:10]) - FIRST).days for alert in found.alerts)


def test_an_implant_of_40_days_stays_an_alert_once_it_is_called_malicious() -> None:
    records = on(range(40), "h1")
    assert days_with_alerts(run(records)) == [0, 1, 2]
    assert days_with_alerts(run(records, MALICIOUS)) == list(range(40))
    decided_on_day_5 = MALICIOUS | {"from": str(FIRST + timedelta(days=5))}
    # days 0 to 4 still count until they have left the window of 30 days, all but two of them
    assert days_with_alerts(run(records, decided_on_day_5)) == [0, 1, 2, *range(33, 40)]


def test_what_it_matches_makes_nothing_common_in_the_organisation_and_its_own_verdict_is_the_same() -> None:
    hosts = [f"h{number}" for number in range(8)]
    records = [*on(range(10), *hosts), *on(range(20, 21), "new", *hosts)]
    assert days_with_alerts(run(records))[-1] < 20
    found = run(records, MALICIOUS)
    on_day_20 = [alert["host"]["id"] for alert in found.alerts if alert["timestamp"] >= str(FIRST + timedelta(days=20))]
    assert sorted(on_day_20) == sorted(["new", *hosts])


def test_it_matches_events_and_only_those() -> None:
    records = on(range(10), "h1", "h2")
    of_one_host = MALICIOUS | {"host_id": "H1"}
    found = run(records, of_one_host)
    assert Counter(alert["host"]["id"] for alert in found.alerts) == {"h1": 10, "h2": 3}
    assert len(run(records, MALICIOUS | {"host_id": "h*"}).alerts) == 6, "a host is meant as it is"
    assert len(run(records, MALICIOUS | {"service_id": "discord"}).alerts) == 6
    assert len(run(records, MALICIOUS | {"user_name": "*"}).alerts) == 6, "a missing value matches nothing"


def test_benign_is_an_exception_from_its_first_day_to_its_last() -> None:
    benign = MALICIOUS | {"disposition": "benign"}
    records = on(range(3), "h1")
    first, second = (str(FIRST + timedelta(days=day)) for day in (1, 2))
    verdicts = [
        [row["verdict"] for row in sorted(run(records, benign | days).verdicts, key=lambda row: row["hour"])]
        for days in ({}, {"from": first}, {"until": first}, {"from": first, "until": first}, {"from": second})
    ]
    assert verdicts == [
        ["excepted", "excepted", "excepted"],
        ["alert", "excepted", "excepted"],
        ["excepted", "excepted", "alert"],
        ["alert", "excepted", "alert"],
        ["alert", "alert", "excepted"],
    ]


def test_what_an_engine_runs_is_no_sighting_either_where_the_decision_names_no_service() -> None:
    columns = {
        "process_name": "python.exe",
        "process_command_line": "python.exe C:\\Users\\al\\a.py",
        "remote_host": "pypi.org",
    }
    quiet = [record | columns for record in on(range(10), "h1", "h2", "h3", "h4", "h5")]
    records = [*quiet, *(record | columns | {"remote_host": "api.telegram.org"} for record in on(range(20, 21), "h1"))]
    decided = {"disposition": "malicious", "reason": "r", "process_name": "python.exe"}
    of_service = decided | {"service_id": "telegram"}
    matched = [run(records, *entries).alerts[0]["matched_variations"] for entries in ((), (decided,), (of_service,))]
    suspicious, engine = "suspicious_process", "uncommon_scripting_engine"
    assert matched == [[suspicious], [suspicious, engine], [suspicious]]


def test_a_snapshot_of_before_the_decision_is_read_without_what_it_matches_and_the_run_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    records, decided_on, window = on(range(14), "h1"), 4, 7
    alerts: list[int] = []
    for day in range(14):
        decided = (MALICIOUS,) if day >= decided_on else ()
        options = Options(dispositions=decided, training_days=window, **LIMITS)
        today = FIRST + timedelta(days=day)
        configuration = configuration_of(options, end=today + timedelta(days=1), baseline_out=str(tmp_path / str(day)))
        if day:
            configuration = with_baseline(configuration, open_snapshot(str(tmp_path / str(day - 1))), False)
        found = run_records([record for record in records if record["event_time"][:10] == str(today)], configuration)
        alerts += days_with_alerts(found)
    assert alerts == [0, 1, 2, *range(decided_on, 14)]
    warned = [record.getMessage() for record in caplog.records if "malicious dispositions" in record.getMessage()]
    (entry,) = parse_dispositions([MALICIOUS], "d").malicious
    assert open_snapshot(str(tmp_path / "13")).metadata.left_out == {
        digest_of(entry): FIRST + timedelta(days=decided_on)
    }
    assert len(warned) == window, "as long as its days are in the window"
    assert "take a new snapshot from the events" in warned[0]


def test_a_stream_that_starts_from_a_snapshot_of_before_the_decision_forgets_what_it_matches(tmp_path: Path) -> None:
    records, as_of = on(range(12), "h1"), FIRST + timedelta(days=10)
    before = configuration_of(Options(**LIMITS), end=as_of, baseline_out=str(tmp_path / "B"))
    run_records(records, before)
    alerts = {}
    for decided in ((), (MALICIOUS,)):
        options = Options(dispositions=decided, **LIMITS)
        configuration = with_baseline(configuration_of(options), open_snapshot(str(tmp_path / "B")), False)
        arrivals = [(record, _arrival(record)) for record in records if record["event_time"] >= str(as_of)]
        driven = drive(arrivals, configuration, lateness_of(options), 1, engine=warm(configuration, options, 1))
        alerts[len(decided)] = len(driven.engine.alerts)
    assert alerts == {0: 0, 1: 2}


def _arrival(record: Record) -> int:
    return int(datetime.fromisoformat(record["event_time"]).timestamp() * 1_000_000)


def test_the_command_reads_the_file_that_a_report_exports(tmp_path: Path) -> None:
    write_lines(tmp_path / "events.jsonl", on(range(20), "h1"))
    exported = {"dispositions": [MALICIOUS | {"alert_id": "a1"}], "triage": {"a1": {"state": "malicious"}}}
    (tmp_path / "decided.json").write_text(json.dumps(exported))
    command = ["backfill", "--input", str(tmp_path / "events.jsonl"), "--activation-days", "0"]
    alerts = {}
    for name, more in (("without", []), ("with", ["--dispositions", str(tmp_path / "decided.json")])):
        assert main([*command, "--output", str(tmp_path / name), *more]) == 0
        summary = json.loads((tmp_path / name / "summary.json").read_text())
        alerts[name] = sum(summary["alerts"].values())
    assert alerts == {"without": 3, "with": 20}


def test_a_file_that_is_wrong_ends_the_command_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "decided.json").write_text('[{"process_name": "a", "disposition": "bad", "reason": "r"}]')
    write_lines(tmp_path / "events.jsonl", on(range(1), "h1"))
    command = ["backfill", "--input", str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "out")]
    assert main([*command, "--dispositions", str(tmp_path / "decided.json")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "decided.json" in line
    assert "disposition" in line
    assert "benign" in line
