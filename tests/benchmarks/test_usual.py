"""The slow contender finds what the backfill finds: a comparison with wrong alerts would measure nothing."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import usual
from tests.benchmarks.compare import differences, read_alerts
from tests.benchmarks.generate import Settings, write
from tests.oracle import Options
from tests.running import configuration_of, run_backfill, write_lines


def test_one_element_an_event_finds_what_the_backfill_finds(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write(Settings(events=20_000, hosts=100, days=50, files=2, seed=3), data)
    usual.run(f"{data}/*.parquet", tmp_path / "usual.jsonl")
    found = run_backfill([f"{data}/*.parquet"], configuration_of(Options()))
    write_lines(tmp_path / "backfill.jsonl", found.alerts)
    alerts = read_alerts(tmp_path, "usual.jsonl")
    assert not differences(read_alerts(tmp_path, "backfill.jsonl"), alerts)
    variations = {alert[0] for alert in alerts.values()}
    assert variations == {"base", "suspicious_process", "uncommon_scripting_engine"}
