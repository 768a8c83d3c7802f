"""The benchmark's opponent finds what the oracle finds: a comparison with wrong alerts would measure nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.benchmarks.columns import LEFT_OUT
from tests.benchmarks.duckdb_alerts import run
from tests.benchmarks.generate import Settings, write
from tests.oracle import detect

FIGURES = ("other_hosts", "host_days", "active_days", "coverage_days")


def records(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.parquet")):
        for record in pq.read_table(path).to_pylist():
            time = record["event_time"]
            yield {**record, "event_time": time and time.isoformat(timespec="microseconds")}


def essence(alert: dict[str, Any]) -> tuple[Any, ...]:
    figures = (alert["baseline"][name] for name in FIGURES)
    return (alert["alert_id"], alert["variation"], alert["timestamp"], alert["event_id"], *figures)


@pytest.mark.parametrize(("event_ids", "processes"), [(False, ""), (True, ""), (False, "whole"), (True, "bare")])
def test_the_sql_finds_what_the_oracle_finds(tmp_path: Path, event_ids: bool, processes: str) -> None:
    settings = Settings(12_000, hosts=100, days=50, files=2, seed=7, event_ids=event_ids, processes=processes)
    write(settings, tmp_path)
    expected = detect(records(tmp_path))
    found = run(f"{tmp_path}/*.parquet", tmp_path / "alerts.jsonl", threads=2)
    alerts = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {essence(alert) for alert in alerts} == {essence(alert) for alert in expected.alerts}
    assert found["verdicts"] == dict(expected.verdicts)
    assert found["events"]["dead_letter"] == dict(expected.dead_letters)
    assert (found["events"]["read"], found["events"]["valid"]) == (expected.read, expected.valid)
    assert set(found["alerts"]) == {"base", "suspicious_process", "uncommon_scripting_engine"}
    assert "rolled_up" in found["verdicts"]


def test_a_bare_lake_is_the_whole_one_without_what_connections_leave_out(tmp_path: Path) -> None:
    whole, bare = tmp_path / "whole", tmp_path / "bare"
    for folder in (whole, bare):
        write(Settings(12_000, hosts=100, days=50, files=2, seed=7, event_ids=True, processes=folder.name), folder)
    pairs = [pair for pair in zip(records(whole), records(bare), strict=True) if pair[0]["event_type"] != "flow"]
    for one, other in pairs:
        left_out = LEFT_OUT if one["event_type"] in ("network", "dns") else ()
        assert other == one | dict.fromkeys(left_out)
    starts = [one for one, _ in pairs if one["event_type"] == "process"]
    assert 0.05 < len(starts) / len(pairs) < 0.15
