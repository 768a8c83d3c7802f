"""`snapshot` of raw events (in-process engine)."""

from __future__ import annotations

from pathlib import Path

from tests.organisations import random_organisation
from tests.pipeline.baselines.test_snapshots import content_of
from tests.running import write_lines
from uncommon_im.pipeline.cli.main import main

AS_OF = "2026-03-20"


def test_a_snapshot_of_raw_events_holds_what_that_of_a_backfill_does(tmp_path: Path) -> None:
    write_lines(tmp_path / "events.jsonl", random_organisation(3).records)
    events = ["--input", str(tmp_path / "events.jsonl")]
    assert main(["snapshot", *events, "--as-of", AS_OF, "--baseline-out", str(tmp_path / "one")]) == 0
    other = ["--output", str(tmp_path / "run"), "--baseline-out", str(tmp_path / "other")]
    assert main(["backfill", *events, "--end", AS_OF, *other]) == 0
    assert content_of(tmp_path / "one") == content_of(tmp_path / "other")
    assert any(content_of(tmp_path / "one").values())
