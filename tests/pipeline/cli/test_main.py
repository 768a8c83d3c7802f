"""The command line: exit status, messages, files; runs are on the in-process engine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.organisations import random_organisation
from tests.running import read_rows, write_lines, write_parquet
from uncommon_im.pipeline.cli.main import main
from uncommon_im.transforms.rules.events.tally import Tally, stream_summary_of

EVENT = {
    "event_time": "2026-03-01T10:00:00Z",
    "host_id": "h1",
    "process_name": "curl",
    "remote_host": "api.telegram.org",
}


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """A file with one communication."""
    path = tmp_path / "events.jsonl"
    write_lines(path, [EVENT])
    return path


def error_of(capsys: pytest.CaptureFixture[str]) -> str:
    """The only line on standard error."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_run_writes_alerts_dead_letters_and_the_summary_and_exits_with_0(events: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    assert main(["backfill", "--input", str(events), "--output", str(output), "--activation-days", "0"]) == 0
    (alert,) = read_rows(str(output), "alerts")
    assert alert["variation"] == "suspicious_process"
    assert read_rows(str(output), "dead_letter") == []
    assert not (output / "verdicts").exists()
    summary = json.loads((output / "summary.json").read_text())
    assert summary["events"] == {"read": 1, "valid": 1, "out_of_range": 0, "dead_letter": {}}
    assert summary["verdicts"]["alert"] == 1
    assert list(summary["alerts"]) == ["base", "suspicious_process", "uncommon_scripting_engine"]


def test_a_run_without_alerts_exits_with_0_too(events: Path, tmp_path: Path) -> None:
    assert main(["backfill", "--input", str(events), "--output", str(tmp_path / "run"), "--verdicts"]) == 0
    assert read_rows(str(tmp_path / "run"), "alerts") == []
    (row,) = read_rows(str(tmp_path / "run"), "verdicts")
    assert row == {
        "tenant": "default",
        "host": "h1",
        "program": "curl",
        "origin": "unknown:",
        "script": "",
        "service": "telegram",
        "hour": 492322,
        "verdict": "learning",
        "duplicate_of": None,
    }


def test_a_rerun_replaces_the_whole_folder_of_the_run(events: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    for name in ("alerts", "dead_letter", "verdicts"):
        (output / name).mkdir(parents=True)
        (output / name / f"{name}-00003-of-00007.jsonl").write_text('{"old": true}\n')
    (output / "summary.json").write_text(json.dumps(stream_summary_of(Tally())))
    assert main(["backfill", "--input", str(events), "--output", str(output)]) == 0
    assert read_rows(str(output), "alerts") == read_rows(str(output), "verdicts") == []


def test_start_and_end_are_days_and_end_is_exclusive(tmp_path: Path) -> None:
    times = ("2026-02-28T23:59:59.999999Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")
    path = tmp_path / "events.jsonl"
    write_lines(path, [EVENT | {"event_time": time, "host_id": f"h{n}"} for n, time in enumerate(times)])
    output = tmp_path / "run"
    days = ["--start", "2026-03-01", "--end", "2026-03-02", "--activation-days", "0"]
    assert main(["backfill", "--input", str(path), "--output", str(output), *days]) == 0
    summary = json.loads((output / "summary.json").read_text())
    assert summary["events"] == {"read": 3, "valid": 3, "out_of_range": 1, "dead_letter": {}}
    assert {name: count for name, count in summary["verdicts"].items() if count} == {"training": 1, "alert": 1}


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(
    events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run"
    arguments = ["backfill", "--input", str(events), "--output", str(output), "--max-other-hosts", "7", "--dry-run"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "would read 1 files" in said
    assert "max_other_hosts: 7" in said
    assert "execution_max_other_hosts: 7" in said
    assert not output.exists()


def test_options_of_beam_are_taken_and_misspelt_ones_refused(
    events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["backfill", "--input", str(events), "--output", str(tmp_path / "run")]
    assert main([*arguments, "--job_name=nightly"]) == 0
    capsys.readouterr()
    assert main([*arguments, "--activaton-days", "3"]) == 2
    expected = "uncommon-im: unknown option --activaton-days (see --help; Beam's own options are taken too)"
    assert error_of(capsys) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["backfill", "--output", "x"], "nothing to read: --input says which files or tables"),
        (["backfill", "--input", "{events}"], "alerts go nowhere: give --output, --bigquery-output or both"),
        (["schema", "bigquery"], "the following arguments are required: --dataset"),
        (["schema", "oracle", "--dataset", "p.d"], "invalid choice: 'oracle'"),
        (["backfill", "--input", "{folder}/none*", "--output", "x"], "--input {folder}/none*: matches no file"),
        (["backfill", "--input", "{events}", "--output", "x", "--start", "1.3.2026"], "'1.3.2026' is no date"),
        (
            ["backfill", "--input", "{events}", "--output", "x", "--start", "2026-03-02", "--end", "2026-03-02"],
            "--end 2026-03-02 must be later than --start 2026-03-02",
        ),
        (["backfill", "--input", "{events}", "--output", "x", "--max-other-hosts", "-1"], "is no whole number"),
        (
            ["backfill", "--input", "{events}", "--output", "x", "--activation-days", "31"],
            "must not exceed training_days",
        ),
        (["backfill", "--input", "{events}", "--output", "x", "--tenant", " "], "--tenant: it is empty"),
        (
            ["backfill", "--input", "{events}", "--output", "x", "--time-zone", "CET/Berlin"],
            "--time-zone 'CET/Berlin' is no time zone of the IANA database: write it as UTC, Europe/Berlin",
        ),
        (["backfill", "--input", "{events}", "--output", "x", "--detector", "{folder}/none.yaml"], "cannot be read"),
        (["backfill", "--input", "{events}", "--output", "x", "--services", "{folder}/notes.txt"], "notes.txt"),
        (["backfill", "--input", "{events}", "--output", "x", "--format", "sysmno"], "invalid choice: 'sysmno'"),
        (
            ["replay", "--input", "bigquery://p.d.t", "--output", "x", "--runner", "FnApiRunner"],
            "--input bigquery://p.d.t: only backfill and snapshot read tables",
        ),
        (["replay", "--output", "x", "--runner", "FnApiRunner"], "nothing to read: --input says which files"),
        (
            ["backfill", "--input", "bigquery://p.d.t", "--output", "x", "--bigquery-endpoint", "p.d.t"],
            "--bigquery-endpoint: expected https://HOST",
        ),
        (["simulate", "--output", "x", "--hosts", "0"], "--hosts: it must be 1 to 1000000, not 0"),
        (["lookup", "a.example", "more"], "unknown argument more"),
    ],
)
def test_wrong_arguments_exit_with_2_and_one_line_that_says_what_is_wrong(
    arguments: list[str], message: str, events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("services: [:")
    places = {"events": str(events), "folder": str(tmp_path)}
    assert main([argument.format(**places) for argument in arguments]) == 2
    assert message.format(**places) in error_of(capsys)


def test_a_run_that_fails_exits_with_1_and_one_line_and_leaves_no_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "events.parquet").write_bytes(b"PAR1 this is no Parquet file")
    output = tmp_path / "run"
    assert main(["backfill", "--input", str(tmp_path / "*.parquet"), "--output", str(output)]) == 1
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("uncommon-im: the run failed: ")
    assert "events.parquet" in line
    assert not (output / "summary.json").exists()


def test_the_same_command_gives_the_same_alerts_from_parquet_and_from_json_lines(tmp_path: Path) -> None:
    organisation = random_organisation(4)
    write_lines(tmp_path / "a.jsonl.gz", organisation.records)
    write_parquet(tmp_path / "a.parquet", organisation.records, row_group_size=100)
    found = []
    for kind in ("jsonl.gz", "parquet"):
        output = str(tmp_path / f"run-{kind}")
        assert main(["backfill", "--input", str(tmp_path / f"a.{kind}"), "--output", output]) == 0
        found.append(sorted(alert["alert_id"] for alert in read_rows(output, "alerts")))
    assert found[0] == found[1]
    assert found[0]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("api.telegram.org", "api.telegram.org is an instant messaging server: Telegram"),
        ("https://hooks.slack.com/services/T0/B0/x", "hooks.slack.com is an instant messaging server: Slack"),
        ("149.154.167.220", "It lies in the range 149.154.160.0/20"),
        ("config.edge.skype.com", "not an instant messaging server: it is excluded by config.edge.skype.com"),
        ("prod.westeurope.logic.azure.com", "logic.azure.com carries other products too"),
        ("52.112.1.1", "(--operator-ranges matches it)"),
        ("example.org", "no host or domain of the catalogue covers it"),
        ("10.0.0.1", "no range of the catalogue covers it"),
        ("nottelegram.org", "not an instant messaging server"),
    ],
)
def test_lookup_says_which_service_and_why_or_why_not(
    asked: str, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lookup", asked]) == 0
    assert answer in capsys.readouterr().out


def test_lookup_knows_the_users_own_services(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("services:\n- {id: mattermost, hosts: {exact: [chat.corp.example]}}\n")
    assert main(["lookup", "chat.corp.example", "--services", str(own)]) == 0
    assert "Mattermost (service mattermost" in capsys.readouterr().out


def test_the_installed_command_prints_no_traceback_whatever_fails(tmp_path: Path) -> None:
    (tmp_path / "events.parquet").write_bytes(b"PAR1 and no more")
    command = [
        sys.executable,
        "-m",
        "uncommon_im.pipeline.cli.main",
        "backfill",
        "--input",
        str(tmp_path / "events.parquet"),
    ]
    done = subprocess.run([*command, "--output", str(tmp_path / "run")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert re.search(r"^uncommon-im: the run failed: .*events\.parquet", done.stderr, re.MULTILINE)
