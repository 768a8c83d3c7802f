"""History as an unbounded source: it ends at the end of time, whatever the engine saw of it before. No engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.runners.sdf_utils import RestrictionTrackerView, ThreadsafeRestrictionTracker
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP, Timestamp

from tests.running import write_lines
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.pipeline.sources.replay.replay import STEP_US, _Blocks, _Read
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes, spool
from uncommon_im.transforms.rules.columns.days import DAY_US, rfc3339

FIRST = 1_772_366_400_000_000


def spooled(folder: Path, days: int) -> str:
    """A record a day."""
    talk = {"host_id": "h", "process_name": "curl", "remote_host": "api.telegram.org"}
    write_lines(folder / "e.jsonl", [talk | {"event_time": rfc3339(FIRST + day * DAY_US)} for day in range(days)])
    (folder / "spool").mkdir()
    spool(match_files([str(folder / "e.jsonl")]), JsonOptions(), ArrivalTimes(), folder / "spool")
    return str(folder / "spool")


@pytest.mark.parametrize("days", [0, 1, 4])
@pytest.mark.parametrize("rate", [None, 1000])
def test_with_an_early_end_the_last_checkpoint_says_the_end_of_time_and_what_comes_after_it_reads_nothing(
    days: int, rate: int | None, tmp_path: Path
) -> None:
    steps = steps_of(spooled(tmp_path, days), rate, early_end=True)
    assert [blocks for blocks, _ in steps] == [1] * days + [0]
    assert [at == MAX_TIMESTAMP for _, at in steps[-2:-1]] == [True] * bool(days)
    assert all(FIRST < at.micros < FIRST + days * DAY_US for _, at in steps[:-2])


@pytest.mark.parametrize("days", [0, 1, 4])
@pytest.mark.parametrize("rate", [None, 1000])
def test_without_it_no_checkpoint_says_the_end_of_time_and_the_last_block_ends_the_source(
    days: int, rate: int | None, tmp_path: Path
) -> None:
    steps = steps_of(spooled(tmp_path, days), rate, early_end=False)
    assert [blocks for blocks, _ in steps] == ([1] * days or [0])
    assert all(FIRST < at.micros < FIRST + days * DAY_US for _, at in steps[:-1])
    assert steps[-1][1] == (MAX_TIMESTAMP if days else MIN_TIMESTAMP)


def steps_of(folder: str, rate: int | None, early_end: bool) -> list[tuple[int, Timestamp]]:
    """How many blocks each step of the source reads, and the watermark after it."""
    read, rest = _Read(rate, STEP_US, early_end), _Blocks().initial_restriction(folder)
    steps: list[tuple[int, Timestamp]] = []
    while True:
        tracker = ThreadsafeRestrictionTracker(OffsetRestrictionTracker(rest))
        watermark = ManualWatermarkEstimator(MIN_TIMESTAMP)
        blocks = list(read.process(folder, RestrictionTrackerView(tracker), watermark))
        steps.append((len(blocks), watermark.current_watermark()))
        deferred = tracker.deferred_status()
        tracker.check_done()
        if deferred is None:
            return steps
        rest = deferred[0]
        assert isinstance(rest, OffsetRange)
