"""The demo: a small labelled organisation, the backfill over it, and what it found."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from uncommon_im.pipeline.cli.closing import command
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.cli.terminal import say_next
from uncommon_im.pipeline.runs.read_rows import read_lines

HOSTS, DAYS, SEED = 50, 45, 7


def demo(directory: str) -> int:
    """Simulates, runs the backfill, shows both; returns the exit status."""
    console = Console()
    console.print(f"[bold]1. Telemetry[/] of {HOSTS} hosts over {DAYS} days, with planted malware")
    status = main(["simulate", "--output", directory, "--hosts", str(HOSTS), "--days", str(DAYS), "--seed", str(SEED)])
    if status:
        return status
    console.print("\n[bold]2. Backfill[/], in this process")
    run = f"{directory}/run"
    status = main(["backfill", "--input", f"{directory}/events/*.parquet", "--output", run, "--verdicts"])
    if status:
        return status
    alerts = [json.loads(line) for _, line in read_lines(run, "alerts")]
    console.print("\n[bold]3. What was planted, and what was found[/]")
    console.print(found_table(_rows(Path(directory, "labels.jsonl")), alerts))
    worst = min(alerts, key=lambda alert: (alert["severity"] != "Low", alert["timestamp"]))
    console.print("\n[bold]4. What an alert says[/]")
    console.print(worst["description"], soft_wrap=True)
    console.print(f"\nAlerts: {run}/alerts/*.jsonl\nVerdicts: {run}/verdicts/*.jsonl\nLabels: {directory}/labels.jsonl")
    say_next(
        f"{command('cases', run)} lists what to open first, {command('report', run)} makes a page of it",
        "docs/tutorial/your-own-data.md runs it on your own telemetry",
    )
    return 0


def found_table(labels: list[dict[str, Any]], alerts: list[dict[str, Any]]) -> Table:
    """One row per planted campaign, with what was expected and what was found, and one row for everything else."""
    table = Table("planted", "expected", "alerts")
    unexplained = {alert["alert_id"]: alert for alert in alerts}
    for label in labels:
        events = set(label["event_ids"])
        mine = [alert for alert in alerts if alert["event_id"] in events]
        for alert in mine:
            unexplained.pop(alert["alert_id"], None)
        as_expected = {alert["variation"] for alert in mine} == {label["expected_variation"]} - {"none"}
        table.add_row(
            f"{label['title']}{'' if label['malicious'] else ' (benign)'}",
            label["expected_variation"],
            str(len(mine)) if as_expected else _counts(mine),
            style="" if as_expected else "bold red",
        )
    table.add_section()
    table.add_row("ordinary activity, nothing planted", "few", _counts(list(unexplained.values())))
    return table


def _counts(alerts: list[dict[str, Any]]) -> str:
    variations = Counter(alert["variation"] for alert in alerts)
    return ", ".join(f"{count} {name}" for name, count in variations.items()) or "none"


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # between the commands there is nothing to tidy up
    sys.exit(demo(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
