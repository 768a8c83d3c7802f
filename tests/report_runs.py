"""Folders of runs for tests of the report: alerts of a real run (in-process engine), and variants of them."""

from __future__ import annotations

import copy
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tests.oracle import Options
from tests.running import Found, Record, configuration_of, run_records, write_lines

DAY = timedelta(days=1)
EVENT: Record = {"host_name": "one.corp.example", "user_name": "CORP\\al", "os": "windows", "remote_port": 443}
EVENTS: Sequence[Record] = (
    EVENT
    | {
        "event_time": "2026-03-01T10:00:00Z",
        "host_id": "h1",
        "process_name": "winlogs.exe",
        "process_path": "C:\\Users\\Public\\winlogs.exe",
        "process_signature_status": "unsigned",
        "remote_host": "gateway.discord.gg",
    },
    EVENT
    | {
        "event_time": "2026-03-02T11:00:00Z",
        "host_id": "h2",
        "process_name": "powershell.exe",
        "process_path": "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
        "process_command_line": "powershell.exe -ep Bypass -File C:\\Users\\al\\x.ps1",
        "process_signature_status": "signed",
        "process_signer": "Microsoft Windows",
        "remote_host": "api.telegram.org",
    },
    EVENT
    | {
        "event_time": "2026-03-03T12:00:00Z",
        "host_id": "h3",
        "process_name": "notes.exe",
        "process_signature_status": "signed",
        "process_signer": "Notes Inc",
        "remote_host": "hooks.slack.com",
        "tenant_id": "other",
    },
)
"""Three communications that are alerts, one a variation."""


@cache
def real_run() -> Found:
    """What a run finds in `EVENTS` and one dead letter."""
    return run_records([*EVENTS, {"host_id": "h4"}], configuration_of(Options(activation_days=0)))


def write_run(folder: Path, found: Found, verdicts: bool = True) -> Path:
    """Writes what was found as a run does; returns the folder."""
    rows = {"alerts": found.alerts, "dead_letter": found.dead_letters}
    for name, written in (rows | {"verdicts": found.verdicts} if verdicts else rows).items():
        (folder / name).mkdir(parents=True)
        write_lines(folder / name / f"{name}-00000-of-00001.jsonl", written)
    (folder / "summary.json").write_text(json.dumps(found.summary))
    return folder


def many(count: int) -> Found:
    """The alerts of `real_run` again and again: other hosts, programs and users, over 44 days."""
    real = real_run()
    alerts = [_variant(real.alerts[number % len(real.alerts)], number) for number in range(count)]
    variations = Counter(alert["variation"] for alert in alerts)
    return Found(
        alerts,
        [verdict_of(alert) for alert in alerts],
        real.dead_letters,
        real.summary
        | {
            "activities": count,
            "verdicts": dict.fromkeys(real.summary["verdicts"], 0) | {"alert": count},
            "alerts": {name: variations[name] for name in real.summary["alerts"]},
        },
    )


def _variant(alert: Record, number: int) -> Record:
    made = copy.deepcopy(alert)
    time = datetime.fromisoformat(alert["timestamp"]) + (number * 7 % 44) * DAY + timedelta(seconds=number)
    made["timestamp"] = time.isoformat(timespec="microseconds").replace("+00:00", "Z")
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    made |= {"alert_id": digest[:32], "group_id": digest[32:], "event_id": digest[::-1]}
    made["process"] |= {"sha256": digest[::2] * 2, "pid": number}
    made["host"] |= {"id": f"h{number % 1700}", "name": f"w{number % 1700:05}.corp.example"}
    made["user_name"] = f"CORP\\user{number % 900}"
    made["process"]["name"] = alert["process"]["name"].replace(".", f"{number % 90}.")
    made["process"]["command_line"] = f'"C:\\Users\\user{number % 900}\\{made["process"]["name"]}" --run {digest[:9]}'
    return made


def verdict_of(alert: Mapping[str, Any]) -> Record:
    """The verdict row of an alert's activity."""
    return {
        "tenant": alert["tenant_id"],
        "host": alert["host"]["id"],
        "program": alert["process"]["name"].lower(),
        "origin": alert["process"]["origin"],
        "script": alert["process"]["script"],
        "service": alert["service"]["id"],
        "hour": int(datetime.fromisoformat(alert["timestamp"]).timestamp()) // 3600,
        "verdict": "alert",
        "duplicate_of": None,
    }


def with_every_text(found: Found, text: str) -> Found:
    """The same run with `text` at the end of every text that telemetry can put into it, keys and times aside."""
    alerts = [_replaced(alert, text) for alert in found.alerts]
    return Found(
        alerts,
        [verdict_of(alert) for alert in alerts],
        [letter | {name: letter[name] + text for name in ("detail", "source", "raw")} for letter in found.dead_letters],
        found.summary,
    )


_KEPT = ("timestamp", "window_start", "window_end", "first_day", "last_day", "variation", "severity")


def _replaced(value: Any, text: str, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _replaced(inner, text, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, text, key) for inner in value]
    return value + text if isinstance(value, str) and key not in _KEPT else value
