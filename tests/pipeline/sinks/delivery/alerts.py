"""Alerts to send: made by the detector, in process (`FnApiRunner`), once."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.oracle import Options
from tests.running import configuration_of, run_records

EVENT = {
    "event_id": "e1",
    "event_time": "2026-03-01T10:00:00.123456Z",
    "host_id": "h1",
    "host_name": "h1.corp.example",
    "os": "windows",
    "user_name": "CORP\\al",
    "process_name": "courier.exe",
    "process_path": "C:\\Tools\\courier.exe",
    "process_command_line": 'courier.exe --to="<x> & y"',
    "remote_host": "api.telegram.org",
    "remote_ip": "149.154.167.220",
    "remote_port": 443,
}


@cache
def _alert() -> dict[str, Any]:
    (alert,) = run_records([EVENT], configuration_of(Options(activation_days=0))).alerts
    return alert


def alert(number: int = 0) -> dict[str, Any]:
    """The alert, under another id."""
    return _alert() | {"alert_id": f"{number:032x}"}


def ids(*numbers: int) -> set[str]:
    """The ids of alerts by their numbers."""
    return {f"{number:032x}" for number in numbers}
