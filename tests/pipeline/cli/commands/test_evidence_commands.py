"""`uncommon-im tune` and `review`: what they say of a run, and what is no run; on Beam's in-process engine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.running import Record, read_rows, write_lines
from uncommon_im.pipeline.cli.main import main

DAYS = 40
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
CHROME = {
    "process_name": "chrome.exe",
    "process_path": "C:\\Program Files\\Google\\Chrome\\chrome.exe",
    "process_signature_status": "signed",
    "process_signer": "Google LLC",
    "os": "windows",
}
DISCORD = CHROME | {"process_name": "Discord.exe", "process_signer": "Discord Inc."}
TOKEN = "6123456789:AA" + "x7Q" * 11
AGENT = CHROME | {
    "process_name": "agent.exe",
    "process_signer": "Agent Ltd",
    "process_path": f"C:\\Agent\\{TOKEN}\\agent.exe",
}
IMPLANT = {
    "process_name": "updater.exe",
    "process_path": "C:\\Users\\al\\AppData\\Local\\Temp\\updater.exe",
    "process_signature_status": "unsigned",
    "os": "windows",
    "user_name": "al",
    "parent_process_name": "explorer.exe",
    "remote_host": "api.telegram.org",
}
ROLL_OUT = CHROME | {"process_name": "suite.exe", "process_signer": "Suite [x] Ltd", "remote_host": "hooks.slack.com"}


def events() -> Iterator[Record]:
    """An organisation with an implant that is older than its telemetry, and a roll-out on the day before the last."""

    def event(day: int, hour: int, host: str, *parts: Record) -> Record:
        record: Record = {"event_time": (FIRST + timedelta(days=day, hours=hour)).isoformat(), "host_id": host}
        for part in parts:
            record |= part
        return record

    for day in range(DAYS):
        for number in range(8):
            yield event(day, 9, f"pc{number}", CHROME, {"remote_host": "web.telegram.org"})
        if day % 7 < 5:
            for hour in range(9, 16):
                yield event(day, hour, "pc6", DISCORD, {"remote_host": "discord.com"})
                yield event(day, hour, "pc7", CHROME, {"remote_host": "web.whatsapp.com"})
                yield event(day, hour, "pc5", AGENT, {"remote_host": "hooks.slack.com"})
        for hour in range(24):
            yield event(day, hour, "pc1", IMPLANT)
    for number in range(6):
        yield event(DAYS - 2, 10, f"pc{number}", ROLL_OUT)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run")
    write_lines(folder / "events.jsonl", events())
    arguments = ["--input", str(folder / "events.jsonl"), "--output", str(folder / "out")]
    assert main(["backfill", *arguments, "--evidence", "--verdicts"]) == 0
    return str(folder / "out")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_an_implant_older_than_the_telemetry_has_no_alert_and_leads_the_review(
    run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alerts = read_rows(run, "alerts")
    assert {alert["process"]["name"] for alert in alerts} == {"suite.exe"}
    programs = said(capsys, "review", run)["programs"]
    first = programs[0]
    assert (first["program"], first["service"], first["hosts"], first["host_days"]) == (
        "updater.exe",
        "telegram",
        1,
        30,
    )
    assert first["origin"] == "unsigned:c:/users/*/appdata/local/temp/*"
    assert first["traits"] == ["suspicious", "never_rare", "no_signer", "steady_hours", "weekends"]
    assert first["reasons"] == ["unsigned", "untrusted_path"]
    assert (first["first_day"], first["last_day"], first["hours"]) == ("2026-03-02", "2026-04-10", 24)
    assert first["example"] == {
        "host": "pc1",
        "host_name": None,
        "user_name": "al",
        "process_path": IMPLANT["process_path"],
        "parent_process_name": "explorer.exe",
        "remote_host": "api.telegram.org",
    }


def test_own_clients_and_browsers_come_last_and_stay_out_of_the_table(
    run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = said(capsys, "review", run)["programs"]
    assert [(program["program"], program["known_as"], program["expected"]) for program in programs] == [
        ("updater.exe", None, False),
        ("agent.exe", None, False),
        ("chrome.exe", "browser", True),
        ("discord.exe", "own_client", True),
    ]
    assert main(["review", run, "--top", "1"]) == 0
    out = capsys.readouterr().out
    assert "updater.exe" in out
    assert "chrome.exe" not in out
    assert "Programs: 2. Not shown: 1 (--top shows more). Not listed: 2 that are" in out
    assert "never_rare: it was never rare in this run" in out


def test_the_review_holds_every_activity_that_was_common_on_a_host_only(
    run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    common = [row for row in read_rows(run, "verdicts") if row["verdict"] == "common_on_host"]
    programs = said(capsys, "review", run)["programs"]
    assert sum(program["activities"] for program in programs) == len(common) > 500
    wider = said(capsys, "review", run, "--max-other-hosts", "7")["programs"]
    assert {program["hosts"] for program in wider} == {1, 8}


def test_the_review_masks_secrets_unless_it_is_told_to_leave_them(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    def example(*options: str) -> Any:
        programs = said(capsys, "review", run, *options)["programs"]
        return next(program["example"]["process_path"] for program in programs if program["program"] == "agent.exe")

    assert example() == "C:\\Agent\\6123456789:[redacted:telegram-bot-token]\\agent.exe"
    assert example("--no-redact") == AGENT["process_path"]


def test_tune_says_the_runs_own_alerts_and_those_of_other_limits(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = said(capsys, "tune", run, "--max-other-hosts", "0,3", "--max-host-days", "2,30")
    alerts = read_rows(run, "alerts")
    assert report["run"]["days"] == DAYS - 14
    assert (report["run"]["first_day"], report["run"]["last_day"]) == ("2026-03-16", "2026-04-10")
    own = {cell["max_host_days"]: cell for cell in report["grid"] if cell["max_other_hosts"] == 3}[2]
    assert own["verdicts"]["alert"] == len(alerts) == 6
    assert own["alerts_by_day"] == {"2026-04-09": {"base": 6}}
    assert (own["alerts_a_day"], own["alerts_on_the_worst_day"]) == (0.23, 6)
    loose = report["grid"][-1]
    assert (loose["max_other_hosts"], loose["max_host_days"]) == (3, 30)
    assert loose["alerts"]["suspicious_process"] == DAYS - 14, "the implant, once a day"
    details = report["details"]
    assert details["services"] == [{"service": "slack", "alerts": 6, "hosts": 6, "programs": ["suite.exe"]}]
    (proposed,) = details["exceptions"]
    assert proposed == {
        "match": {"process_name": "suite.exe", "origin": "suite [[]x] ltd", "service_id": "slack"},
        "alerts_removed": 6,
        "hosts": 6,
        "days": 1,
        "suspicion_reasons": [],
        "scripting_engines": [],
    }


def test_one_cell_is_shown_in_detail(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = said(capsys, "tune", run, "--max-other-hosts", "3", "--max-host-days", "30")
    assert report["details"]["max_host_days"] == 30
    programs = {row["program"]: row["alerts"] for row in report["details"]["programs"]}
    assert programs["updater.exe"] == DAYS - 14


def test_proposed_exceptions_are_ones_that_the_check_has_nothing_to_say_about(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = said(capsys, "tune", run, "--max-other-hosts", "3", "--max-host-days", "30")
    listed = [row["match"] | {"reason": "known"} for row in report["details"]["exceptions"]]
    assert any("[*]" in entry["origin"] for entry in listed)
    own = tmp_path / "own.yaml"
    own.write_text(json.dumps(listed))
    assert main(["exceptions", "check", "--exceptions", str(own), "--run", run]) == 0


def test_tune_shows_tables(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["tune", run]) == 0
    out = capsys.readouterr().out
    assert "26 days, 2026-03-16 to 2026-04-10: 6 alerts with max_other_hosts 3 and max_host_days 2" in out
    assert "suite [[]x] ltd" in out


def test_a_run_without_judged_days_has_an_empty_preview_and_review(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(tmp_path / "events.jsonl", [{"event_time": 1772500000000, "host_id": "h", **IMPLANT}])
    out = str(tmp_path / "out")
    assert main(["backfill", "--input", str(tmp_path / "events.jsonl"), "--output", out, "--evidence", "2"]) == 0
    assert said(capsys, "review", out)["programs"] == []
    report = said(capsys, "tune", out)
    assert (report["run"]["days"], report["details"]["verdicts"]["alert"]) == (0, 0)
    assert {cell["max_other_hosts"] for cell in report["grid"]} == {0, 1, 2, 3}, (
        "the run's own limit is told in any case"
    )
    assert main(["tune", out]) == 0
    assert main(["review", out]) == 0


def test_a_rerun_without_evidence_leaves_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lines(tmp_path / "events.jsonl", [{"event_time": 1772500000000, "host_id": "h", **IMPLANT}])
    out = str(tmp_path / "out")
    backfill = ["backfill", "--input", str(tmp_path / "events.jsonl"), "--output", out]
    assert main([*backfill, "--evidence"]) == 0
    assert main(backfill) == 0
    assert list(Path(out, "evidence").glob("*")) == []
    assert main(["tune", out]) == 2
    assert f"{out}: no evidence/metadata.json there: give the --output of a backfill that had --evidence" in (
        capsys.readouterr().err
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over one event, with evidence."""
    folder = tmp_path_factory.mktemp("small")
    write_lines(folder / "events.jsonl", [{"event_time": 1772500000000, "host_id": "h", **IMPLANT}])
    arguments = ["--input", str(folder / "events.jsonl"), "--output", str(folder / "out"), "--activation-days", "0"]
    assert main(["backfill", *arguments, "--shards", "1", "--evidence"]) == 0
    return folder / "out"


@pytest.mark.parametrize("command", ["tune", "review"])
@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("summary.json", None, "no summary.json there: the run did not finish"),
        ("evidence/metadata.json", "[]", "evidence/metadata.json: no metadata of evidence"),
        ("evidence/metadata.json", '{"schema_version": 2}', "evidence of version 2, this program reads 1"),
        ("evidence/activities-00000.parquet", "no Parquet", "activities-00000.parquet: cannot be read: "),
    ],
)
def test_what_is_no_evidence_exits_with_2_and_a_line_that_says_why(
    command: str,
    file: str,
    content: str | None,
    message: str,
    small: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = Path(shutil.copytree(small, tmp_path / "out"))
    if content is None:
        (out / file).unlink()
    else:
        (out / file).write_text(content)
    capsys.readouterr()
    assert main([command, str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tune", "{run}", "--max-other-hosts", "3,11"], "--max-other-hosts 11: the evidence in {run} counts up to 10"),
        (["review", "{run}", "--max-other-hosts", "11"], "run the backfill again with --evidence 11"),
        (["tune", "{run}", "--max-host-days", "1,x"], "'x' is no whole number"),
        (["tune", "{run}", "--runner", "r"], "unknown argument --runner"),
        (["tune"], "the following arguments are required: DIR"),
        (["backfill", "--input", "x", "--bigquery-output", "p.d", "--evidence"], "--evidence needs --output"),
    ],
)
def test_wrong_arguments_exit_with_2(
    arguments: list[str], message: str, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.format(run=run) for argument in arguments]) == 2
    assert message.format(run=run) in capsys.readouterr().err
