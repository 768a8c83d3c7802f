"""`uncommon-im evaluate`: JSON, tables, exit status; runs are on Beam's in-process engine."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.running import Record, write_lines, write_parquet
from uncommon_im.pipeline.cli.commands.evaluate import show
from uncommon_im.pipeline.cli.main import main

FIRST = date(2026, 3, 1)
DAYS, ATTACK = 20, 16
CHROME: Record = {
    "os": "windows",
    "process_name": "chrome.exe",
    "process_signature_status": "signed",
    "process_signer": "Google LLC",
    "remote_host": "web.whatsapp.com",
}
STEALER: Record = {
    "os": "windows",
    "process_name": "stealer.exe",
    "process_signature_status": "unsigned",
    "remote_host": "api.telegram.org",
}
LABEL: Record = {
    "campaign": "stealer",
    "title": "A stealer",
    "technique": "T1567",
    "malicious": True,
    "expected_variation": "suspicious_process",
    "event_ids": ["steal", "start"],
}


def event(event_id: str, day: int, host: str, program: Record) -> Record:
    when = f"{FIRST + timedelta(days=day)}T10:00:00Z"
    return {"event_id": event_id, "event_time": when, "host_id": host, "event_type": "network", **program}


def write_organisation(folder: Path, labels: list[Record]) -> None:
    """Six hosts whose browser talks to a messenger every day, one stealer, and one odd but honest program."""
    events = [event(f"{host}-{day}", day, f"h{host}", CHROME) for host in range(6) for day in range(DAYS)]
    events.append(event("steal", ATTACK, "h0", STEALER))
    events.append(event("start", ATTACK, "h0", STEALER | {"event_type": "process", "remote_host": None}))
    events.append(event("odd", ATTACK + 1, "h1", CHROME | {"process_name": "odd.exe"}))
    (folder / "events").mkdir(parents=True)
    write_parquet(folder / "events" / "dt=all.parquet", events)
    write_lines(folder / "labels.jsonl", labels)


def backfill(folder: Path, *more: str) -> None:
    assert main(["backfill", "--input", f"{folder}/events/*.parquet", "--output", f"{folder}/run", *more]) == 0


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated folder with its run."""
    folder = tmp_path_factory.mktemp("organisation")
    write_organisation(folder, [LABEL])
    backfill(folder)
    return folder


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["evaluate", "--json", *arguments]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_json_says_what_was_found_how_soon_and_at_what_price(
    organisation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = report(capsys, str(organisation))
    assert (said["organisations"], said["hosts"], said["days"]) == (1, [6], [20])
    assert said["recall"]["value"] == 1
    assert said["precision"]["by_severity"]["Low"]["value"] == 1
    assert said["precision"]["by_severity"]["Informational"]["value"] == 0
    rates = said["alerts_per_1000_hosts_per_day"]
    assert rates["all"]["value"] == pytest.approx(2 * 1000 / (6 * 6))
    assert rates["by_variation"].keys() == {"base", "suspicious_process"}
    [stealer] = said["campaigns"]
    assert (stealer["planted"], stealer["detected"], stealer["seconds_to_first_alert"]["most"]) == (1, 1, 0)
    assert stealer["variations"] == {"suspicious_process": 1}


def test_several_organisations_are_added_up_with_intervals(
    organisation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = report(capsys, str(organisation), str(organisation))
    assert (said["organisations"], said["campaigns"][0]["planted"], said["alerts"]) == (2, 2, 4)
    assert None not in said["alerts_per_1000_hosts_per_day"]["all"].values()


def test_another_run_of_the_same_folder_is_evaluated_by_its_name(
    organisation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = f"{organisation}/events/*.parquet"
    assert main(["backfill", "--input", events, "--output", f"{organisation}/deaf", "--activation-days", "30"]) == 0
    said = report(capsys, str(organisation), "--run", "deaf")
    assert (said["recall"]["value"], said["alerts"], said["precision"]["all"]["value"]) == (0, 0, None)


def test_the_tables_say_the_same(organisation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(organisation)]) == 0
    out, err = capsys.readouterr()
    assert "1 of 1" in out
    assert "stealer" in out
    assert "recall over malicious campaigns" in out
    assert "100.0%" in out
    assert "organisations: 1, of 6 hosts" in out
    assert "error" not in err


def test_names_of_campaigns_are_whole_however_narrow_the_terminal(
    organisation: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = report(capsys, str(organisation))
    malicious = said["campaigns"][0] | {"campaign": "script-among-scripts"}
    harmless = said["campaigns"][0] | {"campaign": "messenger-adoption", "malicious": False}
    monkeypatch.setenv("COLUMNS", "80")
    show(said | {"campaigns": [malicious, harmless]})
    out = capsys.readouterr().out
    assert "script-among-scripts" in out
    assert "messenger-adoption" in out
    assert out.count("(harmless)") == 1
    assert "1 of 1" in out


def test_a_folder_that_is_no_simulation_ends_with_2_and_a_line_that_says_what_to_give(
    tmp_path: Path, organisation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "labels.jsonl: no such file: give the --output of `uncommon-im simulate`" in capsys.readouterr().err
    (tmp_path / "labels.jsonl").write_text("")
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "events: no *.parquet there" in capsys.readouterr().err
    assert main(["evaluate", str(organisation), "--run", "nosuch"]) == 2
    err = capsys.readouterr().err
    assert "no finished run there: make one with `uncommon-im backfill --input" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("line", ["{}", "no JSON", '{"campaign": 3}'])
def test_a_line_that_is_no_label_is_named(tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "labels.jsonl").write_text(f"{json.dumps(LABEL)}\n{line}\n")
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "labels.jsonl, line 2: no label of a simulation: " in capsys.readouterr().err


def test_a_damaged_file_of_events_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_organisation(tmp_path, [LABEL])
    (tmp_path / "events" / "dt=b.parquet").write_bytes(b"PAR1 no")
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "dt=b.parquet: cannot be read as events: " in capsys.readouterr().err


def test_a_run_over_other_events_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_organisation(tmp_path, [LABEL])
    (tmp_path / "run" / "alerts").mkdir(parents=True)
    (tmp_path / "run" / "summary.json").write_text("{}")
    write_lines(
        tmp_path / "run" / "alerts" / "a.jsonl", [{"event_id": "elsewhere", "severity": "Low", "variation": "base"}]
    )
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "an alert is about event elsewhere, which is no communication in" in capsys.readouterr().err
