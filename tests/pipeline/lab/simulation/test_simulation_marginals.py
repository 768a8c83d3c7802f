"""Marginals of telemetry: right on a hand-made day, and near the published figures on a simulated organisation."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.lab.simulation.marginals import marginals_of

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_shares_are_those_of_a_hand_made_day(tmp_path: Path) -> None:
    made = [
        ("1", "h1", "chrome", "www.a.example", 0, None),
        ("1", "h1", "chrome", "www.a.example", 0, None),
        ("2", "h2", "chrome", "www.a.example", 1200, None),
        ("3", "h1", "slack", "slack.com", 90_000, 0),
        ("4", "h2", "tool", "gone.example", 0, 9003),
    ]
    rows = [
        {
            "event_id": event,
            "host_id": host,
            "process_name": process,
            "remote_host": remote,
            "remote_ip": None,
            "event_time": NOON,
            "arrival_time": NOON + timedelta(seconds=seconds),
            "event_type": "network" if status is None else "dns",
            "direction": "outbound",
            "dns_status": status,
        }
        for event, host, process, remote, seconds, status in made
    ]
    text = dict.fromkeys(("event_id", "host_id", "process_name", "remote_host", "remote_ip", "event_type"), pa.string())
    time = dict.fromkeys(("event_time", "arrival_time"), pa.timestamp("us", tz="UTC"))
    kinds = pa.schema([*(text | time).items(), ("direction", pa.string()), ("dns_status", pa.int64())])
    name = str(tmp_path / "day.parquet")
    pq.write_table(pa.Table.from_pylist(rows, schema=kinds), name)
    found = marginals_of([name])
    assert found["events_per_host_day_median"] == 2.5
    assert found["messaging_share"] == pytest.approx(1 / 5)
    assert found["failed_lookup_share"] == pytest.approx(1 / 2)
    assert (found["late_share"], found["day_late_share"]) == (pytest.approx(2 / 5), pytest.approx(1 / 5))
    assert found["twice_share"] == pytest.approx(1 / 5)
    assert found["pairs_once_share"] == pytest.approx(2 / 3)
    assert found["process_names_on_one_host_share"] == pytest.approx(2 / 3)


def test_the_command_writes_marginals_near_the_published_figures(tmp_path: Path) -> None:
    assert main(["simulate", "--output", str(tmp_path), "--hosts", "40", "--days", "10", "--marginals"]) == 0
    found = json.loads((tmp_path / "marginals.json").read_text(encoding="utf-8"))
    assert 1.1 < found["process_zipf"] < 1.9
    assert 1.1 < found["domain_zipf"] < 1.6
    assert 0.4 < found["process_names_on_one_host_share"] < 0.8
    assert 0.3 < found["pairs_once_share"] < 0.7
    assert 0.003 < found["messaging_share"] < 0.02
    assert 0.1 < found["failed_lookup_share"] < 0.25


def test_impossible_arguments_end_with_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--output", str(tmp_path), "--days", "30", "--gap-days", "21"]) == 2
    assert "days must be at least 43" in capsys.readouterr().err
