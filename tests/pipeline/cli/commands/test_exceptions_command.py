"""`uncommon-im exceptions check`: exit status, table, JSON; runs are on Beam's in-process engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.running import write_lines
from uncommon_im.pipeline.cli.main import main

EVENT = {"event_time": "2026-03-01T10:00:00Z", "host_id": "h1", "process_name": "curl", "user_name": "al"}
EVENTS = [
    EVENT | {"remote_host": "api.telegram.org"},
    EVENT | {"remote_host": "discord.com", "process_name": "courier", "user_name": "bo"},
    EVENT | {"remote_host": "discord.com", "process_name": "courier", "host_id": "h2", "user_name": "[bold]bo"},
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run over three communications: an alert each on h1, and one that is excepted on h2."""
    folder = tmp_path_factory.mktemp("run")
    write_lines(folder / "events.jsonl", EVENTS)
    (folder / "used.yaml").write_text("- {host_id: h2, reason: used}")
    arguments = ["--input", str(folder / "events.jsonl"), "--output", str(folder / "out"), "--activation-days", "0"]
    assert main(["backfill", *arguments, "--verdicts", "--exceptions", str(folder / "used.yaml")]) == 0
    return str(folder / "out")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The file that is checked."""
    return tmp_path / "own.yaml"


def check(own: Path, text: str, *more: str) -> int:
    own.write_text(text, encoding="utf-8")
    return main(["exceptions", "check", "--exceptions", str(own), *more])


def report(own: Path, capsys: pytest.CaptureFixture[str], text: str, *more: str) -> dict[str, Any]:
    check(own, text, "--json", *more)
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def kinds(said: dict[str, Any]) -> list[list[str]]:
    return [[finding["kind"] for finding in entry["findings"]] for entry in said["exceptions"]]


def test_without_findings_it_exits_with_0(own: Path, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = "- {process_name: curl, reason: known}\n- {host_id: h2, service_id: discord, reason: used}"
    assert check(own, text) == 0
    assert check(own, text, "--run", run) == 0
    assert "exceptions: 2; findings: 0, as of " in capsys.readouterr().out
    assert check(own, "[]", "--run", run) == 0


def test_with_a_finding_it_exits_with_1_and_says_it_in_a_line(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(own, "- {process_name: curl, reason: '[red]known', expires: 2026-03-01}", "--as-of", "2026-03-02") == 1
    out, err = capsys.readouterr()
    assert "exception 1: expired: it held until 2026-03-01: remove it, or give it a later day" in out
    assert "reason: [red]known" in out
    assert err == ""


def test_an_entry_expires_by_today_unless_another_day_is_given(own: Path) -> None:
    past, future = (f"- {{process_name: curl, reason: known, expires: {day}}}" for day in ("2026-03-01", "2999-01-01"))
    assert check(own, past) == 1
    assert check(own, past, "--as-of", "2026-03-01") == 0
    assert check(own, future) == 0


def test_json_says_all_of_it(own: Path, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = "- {process_name: C*, user_name: bo, reason: known, expires: 2026-12-31}"
    said = report(own, capsys, text, "--run", run, "--as-of", "2026-03-02")
    assert said == {
        "as_of": "2026-03-02",
        "runs": {"activities": 3, "rare": 3, "unexplained": 0},
        "exceptions": [
            {
                "number": 1,
                "match": {"process_name": "c*", "user_name": "bo"},
                "reason": "known",
                "expires": "2026-12-31",
                "findings": [],
                "evidence": {
                    "activities": 0,
                    "possible": 3,
                    "rare": 0,
                    "possible_rare": 3,
                    "alerts": 1,
                    "unsaid": ["user_name"],
                },
            }
        ],
    }


def test_without_a_run_there_is_no_evidence(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = report(own, capsys, "- {process_name: nosuch, reason: known}")
    assert (said["runs"], said["exceptions"][0]["evidence"], kinds(said)) == (None, None, [[]])


def test_each_field_of_an_alert_is_judged(own: Path, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    fields = {
        "process_name": "curl",
        "origin": "unknown:",
        "service_id": "telegram",
        "host_id": "h1",
        "user_name": "al",
        "remote_host": "api.telegram.org",
    }
    missing = ("signer", "process_path", "parent_process_name")
    listed = [{name: glob, "reason": "r"} for name, glob in fields.items()]
    listed += [{name: "*", "reason": "r"} for name in missing]
    said = report(own, capsys, json.dumps(listed), "--run", run)
    assert [entry["evidence"]["alerts"] for entry in said["exceptions"]] == [1, 2, 1, 2, 1, 1, 0, 0, 0]


def test_runs_add_up_and_show_what_never_matches_and_what_hides_everything(
    own: Path, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = (
        {"process_name": "c*"},
        {"host_id": "h3"},
        {"service_id": "none"},
        {"process_name": "curl", "host_id": "h1"},
    )
    text = json.dumps([entry | {"reason": "r"} for entry in listed])
    said = report(own, capsys, text, "--run", run, "--run", run)
    assert said["runs"] == {"activities": 6, "rare": 6, "unexplained": 0}
    assert kinds(said) == [["hides_everything"], ["unmatched"], ["impossible"], ["shadowed"]]


def test_the_table_says_what_verdict_rows_could_not_decide(
    own: Path, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(own, "- {process_name: curl, user_name: al, reason: r}", "--run", run) == 0
    out = capsys.readouterr().out
    assert "Matches among 3 activities, 3 of them rare" in out
    assert "0 to 1" in out
    assert "exception 1: verdict rows have no user_name, so only its count of alerts is certain" in out
    assert "excepted activities that no exception of this file matches: 1 (the runs had other exceptions, or" in out


def test_own_services_are_known(own: Path, tmp_path: Path) -> None:
    services = tmp_path / "services.yaml"
    services.write_text("services:\n- {id: corp-chat, hosts: {exact: [chat.corp.example]}}\n")
    text = "- {service_id: corp-chat, process_name: bot, reason: r}"
    assert check(own, text) == 1
    assert check(own, text, "--services", str(services)) == 0


@pytest.mark.parametrize(
    ("folder", "line", "message"),
    [
        (None, "", "--run {run}: no verdicts/*.jsonl there: give the --output of a run that had --verdicts"),
        ("verdicts", "no JSON", "{run}/verdicts/a.jsonl: cannot be read as rows of a run: JSON parse error"),
        ("verdicts", '{"hour": "x"}', "{run}/verdicts/a.jsonl: cannot be read as rows of a run: "),
        ("verdicts", '{"program": "x"}', "{run}/verdicts/a.jsonl: a row has no origin, so it is no verdict row"),
        (
            "alerts",
            "{}",
            "{run}/alerts/a.jsonl, line 1: no native alert of a run (--alert-format): Object missing required field",
        ),
        ("alerts", "no JSON", "{run}/alerts/a.jsonl, line 1: no native alert of a run (--alert-format): "),
    ],
)
def test_what_is_no_run_with_verdicts_exits_with_2_and_a_line_that_names_the_file(
    folder: str | None, line: str, message: str, own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    for name in ("alerts", "verdicts") if folder else ():
        (run / name).mkdir(parents=True)
        (run / name / "a.jsonl").write_text(line + "\n" if name == folder else "")
    assert check(own, "- {host_id: h1, reason: r}", "--run", str(run)) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("uncommon-im: " + message.format(run=run))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["exceptions", "check"], "the following arguments are required: --exceptions"),
        (["exceptions", "list", "--exceptions", "x"], "invalid choice: 'list'"),
        (["exceptions", "check", "--exceptions", ""], "--exceptions: it is empty"),
        (["exceptions", "check", "--exceptions", "/no/such.yaml"], "/no/such.yaml: cannot be read"),
        (["exceptions", "check", "--exceptions", "x", "--as-of", "today"], "'today' is no date"),
        (["exceptions", "check", "--exceptions", "x", "--runner", "r"], "unknown argument --runner"),
    ],
)
def test_wrong_arguments_exit_with_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
