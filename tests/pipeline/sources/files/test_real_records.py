"""Real records of lab hosts through the backfill, on the in-process engine.

The records stay where they are, beside the project; without them these tests cannot say anything.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests import SHARED
from tests.oracle import Options
from tests.running import configuration_of, run_backfill, write_lines

RECORDS = SHARED / "data" / "security-datasets" / "records.jsonl.gz"
pytestmark = pytest.mark.skipif(not RECORDS.exists(), reason=f"the real records are not beside the project: {RECORDS}")

CONFIGURATION = configuration_of(Options(activation_days=0))


def test_every_record_is_an_event_or_a_dead_letter_and_only_the_teams_client_is_uncommon() -> None:
    found = run_backfill([str(RECORDS)], CONFIGURATION)
    events = found.summary["events"]
    assert events["read"] == 20_565
    assert events["read"] == events["valid"] + sum(events["dead_letter"].values())
    assert len(found.dead_letters) == sum(events["dead_letter"].values())
    (alert,) = found.alerts
    assert alert["service"]["id"] == "microsoft-teams"
    assert alert["process"]["name"] == "Teams.exe"
    assert alert["variation"] == "base"
    assert alert["destination"]["host"] == "teams.microsoft.com"


def test_browser_telemetry_under_a_messengers_domain_is_no_communication() -> None:
    with gzip.open(RECORDS) as lines:
        rows = [line for line in lines if b'"config.edge.skype.com"' in line]
    assert len(rows) == 22
    found = run_backfill([str(RECORDS)], CONFIGURATION)
    assert not [row for row in found.verdicts if row["service"] == "skype"]


def test_an_unsigned_program_in_a_temporary_folder_that_calls_a_bot_is_suspicious(tmp_path: Path) -> None:
    with gzip.open(RECORDS) as lines:
        records = [json.loads(line) for line in lines]
    changed = 0
    for record in records:
        if record.get("EventID") == 22 and record.get("QueryName") == "teams.microsoft.com":
            record |= {"QueryName": "api.telegram.org", "Image": r"C:\Users\sbeavers\AppData\Local\Temp\7z\setup.exe"}
            changed += 1
    assert changed == 1
    write_lines(tmp_path / "changed.jsonl.gz", records)
    found = run_backfill([str(tmp_path / "changed.jsonl.gz")], CONFIGURATION)
    (alert,) = found.alerts
    assert alert["variation"] == "suspicious_process"
    assert alert["severity"] == "Low"
    assert alert["service"]["id"] == "telegram"
    assert "untrusted_path" in alert["suspicion_reasons"]


XQL_ROWS = RECORDS.parents[1] / "samples" / "cortex_xdr_xql_rows.jsonl"


@pytest.mark.skipif(not XQL_ROWS.exists(), reason=f"the sample is not beside the project: {XQL_ROWS}")
def test_firewall_stories_of_an_xql_query_are_no_events_of_an_endpoint() -> None:
    found = run_backfill([str(XQL_ROWS)], CONFIGURATION)
    assert found.summary["events"] == {"read": 2, "valid": 0, "out_of_range": 0, "dead_letter": {"not_endpoint": 2}}
