"""Secrets of telemetry reach no output of a run. Runs are on Beam's in-process engine (`FnApiRunner`).

The stream's sinks are wired as in a stream and fed with what a backfill found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.oracle import Options
from tests.running import Found, configuration_of, read_rows, run_records, write_lines
from tests.secrets.corpus import ordinary, planted
from uncommon_im.pipeline import stream
from uncommon_im.pipeline.cli.main import main
from uncommon_im.transforms.rules.columns.json_lines import to_json
from uncommon_im.transforms.rules.stream.lateness import Lateness

CASES = planted(7)
PASSWORD = "correcthorsebattery"
SECRETS = [PASSWORD, *(secret for case in CASES for secret in case.secrets)]
CONFIGURATION = replace(configuration_of(Options(activation_days=0, max_alerts_per_group=0)), verdicts=True)
EVENT = {"event_time": "2026-03-01T10:00:00Z", "os": "linux", "process_name": "curl", "remote_host": "api.telegram.org"}


def records() -> list[dict[str, Any]]:
    """For each planted line an event that alerts, and one that is a dead letter; and scripts and hosts with secrets."""
    made: list[dict[str, Any]] = []
    for number, case in enumerate(CASES):
        lines = {f"{role}_command_line": case.line for role in ("process", "parent_process", "causality_process")}
        made.append(EVENT | {"host_id": f"h{number}", **lines})
        made.append(EVENT | {"event_time": f"soon: {case.line}", "host_id": f"h{number}", **lines})
    script = f"wscript.exe https://bob:{PASSWORD}@x.example/a.vbs"
    made.append(EVENT | {"host_id": "s1", "process_name": "wscript.exe", "process_command_line": script})
    made.append(EVENT | {"host_id": "s2", "remote_host": f"https://bob:{PASSWORD}@api.telegram.org/bot1:{PASSWORD}/x"})
    return made


@cache
def unmasked() -> Found:
    return run_records(records(), replace(CONFIGURATION, redact=False))


@cache
def masked() -> Found:
    return run_records(records(), CONFIGURATION)


def leaked(rows: list[dict[str, Any]]) -> list[str]:
    """Secrets that are in rows, in lower case too, as scripts have them."""
    text = "\n".join(map(to_json, rows)).lower()
    return [secret for secret in SECRETS if secret.lower() in text]


def test_no_secret_reaches_alerts_verdicts_or_dead_letters() -> None:
    found = masked()
    assert (len(found.alerts), len(found.dead_letters)) == (len(CASES) + 2, len(CASES))
    assert [leaked(rows) for rows in (found.alerts, found.verdicts, found.dead_letters)] == [[], [], []]


def test_without_redaction_they_are_all_there() -> None:
    found = unmasked()
    in_plain = {secret for secret in SECRETS if any(secret in case.line for case in CASES)}
    assert set(leaked(found.alerts)) == in_plain | {PASSWORD}
    assert set(leaked(found.dead_letters)) == in_plain
    assert leaked(found.verdicts) == [PASSWORD]


def test_ids_verdicts_and_counts_are_those_of_what_the_events_say() -> None:
    names = ("alert_id", "group_id", "event_id", "config_digest", "suspicion_reasons", "variation", "execution")
    plain, safe = ({alert["host"]["id"]: alert for alert in found.alerts} for found in (unmasked(), masked()))
    for host, alert in plain.items():
        if host != "s1":
            assert [safe[host][name] for name in names] == [alert[name] for name in names]
    assert [alert["s1"]["alert_id"] for alert in (plain, safe)] == [plain["s1"]["alert_id"]] * 2
    assert masked().summary == unmasked().summary


def test_masks_say_what_was_there() -> None:
    (alert,) = (alert for alert in masked().alerts if alert["host"]["id"] == "h0")
    assert f"[redacted:{CASES[0].kind}]" in alert["process"]["command_line"]
    (row,) = (row for row in masked().verdicts if row["host"] == "s1")
    assert row["script"] == "wscript|script:https://bob:[redacted:password]@x.example/a.vbs"


def test_dead_letters_are_input_that_gives_the_same_dead_letters() -> None:
    letters = masked().dead_letters
    again = run_records(letters, CONFIGURATION).dead_letters
    names = ("reason", "detail", "raw")
    assert sorted(tuple(row[name] for name in names) for row in again) == sorted(
        tuple(row[name] for name in names) for row in letters
    )


def test_ordinary_telemetry_is_written_as_it_is() -> None:
    events = [EVENT | {"host_id": f"h{n}", "process_command_line": line} for n, line in enumerate(ordinary())]
    found, plain = (run_records(events, replace(CONFIGURATION, redact=redact)) for redact in (True, False))
    assert found.facts == plain.facts
    assert found.verdict_rows == plain.verdict_rows


@dataclass(frozen=True)
class Written:
    """What a stream's sinks left."""

    alerts: list[dict[str, Any]]
    verdicts: list[dict[str, Any]]
    dead_letters: list[dict[str, Any]]


def streamed(folder: Path, found: Found, alert_format: str = "native") -> Written:
    """What was found, through the sinks of a stream."""
    with beam.Pipeline(FnApiRunner()) as pipeline:
        kinds = ("alerts", "verdicts", "dead_letters")
        rows = {kind: pipeline | f"Found_{kind}" >> beam.Create(getattr(found, kind)) for kind in kinds}
        nothing = pipeline | "Nothing" >> beam.Create([])
        none = dict.fromkeys(("sightings", "coverage", "earlier_alerts", "starts"), nothing)
        detection = stream.Detection(**rows, **none, tallies=())
        configuration = replace(CONFIGURATION, alert_format=alert_format)
        stream.write(detection, stream.Sinks(str(folder)), configuration, Lateness())
    return Written(*(read_rows(str(folder), name) for name in ("alerts", "verdicts", "dead_letter")))


def comparable(rows: list[dict[str, Any]]) -> list[str]:
    """Rows but for the file that they came from, which is of one run."""
    return sorted(to_json({name: row[name] for name in row if name != "source"}) for row in rows)


def test_a_stream_masks_what_a_backfill_masks(tmp_path: Path) -> None:
    written = streamed(tmp_path, unmasked())
    assert comparable(written.alerts) == comparable(masked().alerts)
    assert comparable(written.verdicts) == comparable(masked().verdicts)
    assert comparable(written.dead_letters) == comparable(masked().dead_letters)


def test_a_stream_writes_the_findings_that_a_backfill_writes(tmp_path: Path) -> None:
    written = streamed(tmp_path, unmasked(), "ocsf")
    backfill = run_records(records(), replace(CONFIGURATION, alert_format="ocsf"))
    assert comparable(written.alerts) == comparable(backfill.alerts)
    assert {row["class_uid"] for row in written.alerts} == {2004}
    assert leaked(written.alerts) == []
    assert {path.stem for path in (tmp_path / "alerts").iterdir()} == {
        row["finding_info"]["uid"] for row in written.alerts
    }


def backfill(folder: Path, *more: str) -> int:
    write_lines(folder / "events.jsonl", [EVENT | {"host_id": "h0", "process_command_line": CASES[0].line}])
    arguments = ["--input", str(folder / "events.jsonl"), "--output", str(folder / "out"), "--activation-days", "0"]
    return main(["backfill", *arguments, *more])


def test_the_command_masks_unless_it_is_told_not_to(tmp_path: Path) -> None:
    assert backfill(tmp_path) == 0
    assert leaked(read_rows(f"{tmp_path}/out", "alerts")) == []
    assert backfill(tmp_path, "--no-redact") == 0
    assert leaked(read_rows(f"{tmp_path}/out", "alerts")) == [CASES[0].secrets[0]]


def test_a_users_own_pattern_is_masked_too(tmp_path: Path) -> None:
    own = "services:\n- id: mattermost\n  secrets:\n  - {kind: corp-key, hints: [corp-], pattern: 'corp-([0-9]{6})'}\n"
    (tmp_path / "own.yaml").write_text(own)
    write_lines(tmp_path / "events.jsonl", [EVENT | {"host_id": "h0", "process_command_line": "curl corp-123456"}])
    arguments = ["--input", f"{tmp_path}/events.jsonl", "--output", f"{tmp_path}/out", "--activation-days", "0"]
    assert main(["backfill", *arguments, "--services", f"{tmp_path}/own.yaml"]) == 0
    (alert,) = read_rows(f"{tmp_path}/out", "alerts")
    assert alert["process"]["command_line"] == "curl corp-[redacted:corp-key]"


def test_a_format_that_only_tables_would_get_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["backfill", "--input", "x", "--bigquery-output", "p.d", "--alert-format", "ocsf"])
    assert status == 2
    assert "--alert-format ocsf is that of files and messages" in capsys.readouterr().err
