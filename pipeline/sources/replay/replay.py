"""History as a stream: spooled blocks of arrivals, read in the order of arrival with a watermark that follows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.runners.sdf_utils import RestrictionTrackerView
from apache_beam.transforms.core import RestrictionProvider, WatermarkEstimatorProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP, Duration, Timestamp

from uncommon_im.pipeline.sources.replay.spool import BlockPlace, index_of, read_block

STEP_US: Final = 86_400_000_000
"""Arrival time that passes between two checkpoints, and so between two steps of the watermark, at most."""
BREATH_SECONDS: Final = 0.01
"""Until the source goes on: resumed at once, on Flink it leaves no gap in which a checkpoint of the job could begin."""


@dataclass
class ReadArrivals(beam.PTransform):
    """A folder of spooled blocks -> blocks, as an unbounded collection that comes to an end.

    Each block is read once, stamped with the arrival of its first record, in the order of arrival. The watermark is the
    arrival of the next block. The source checkpoints itself at every step: whatever runs it can resume it there.

    Args:
        folder: where `spool` has put the blocks; every worker must see it.
        rate: records per second; `None`: as fast as it can.
        step: µs of arrival time between checkpoints.
        early_end: the last checkpoint says the end of time already, and what comes after it reads nothing. Prism (2.77)
            needs it: if the source ends before it looked, it takes the watermark of the last checkpoint for that of the
            end, and calls the job stuck. Flink (2.56) must not have it: at the end of time it forgets what is deferred.
    """

    folder: str
    rate: int | None = None
    step: int = STEP_US
    early_end: bool = False

    def expand(self, start: beam.pvalue.PBegin) -> beam.PCollection[bytes]:
        """One splittable step."""
        read = beam.ParDo(_Read(self.rate, self.step, self.early_end)).with_output_types(bytes)
        return start | "Folder" >> beam.Create([self.folder], reshuffle=False) | "Read" >> read


class _Blocks(RestrictionProvider):
    """The restriction: numbers of blocks, and one more: the end."""

    def initial_restriction(self, folder: str) -> OffsetRange:
        return OffsetRange(0, len(index_of(folder)) + 1)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, folder: str, restriction: OffsetRange) -> int:
        return int(restriction.size())


class _FollowsArrival(WatermarkEstimatorProvider):
    """The watermark: set by hand."""

    def initial_estimator_state(self, folder: str, restriction: OffsetRange) -> Timestamp:
        return _stamp(index_of(folder), restriction.start)

    def create_watermark_estimator(self, state: Timestamp) -> ManualWatermarkEstimator:
        return ManualWatermarkEstimator(state)


class _Read(beam.DoFn):
    def __init__(self, rate: int | None, step: int, early_end: bool) -> None:
        self._rate, self._step, self._early_end = rate, step, early_end

    @beam.DoFn.unbounded_per_element()  # type: ignore[untyped-decorator]
    def process(
        self,
        folder: str,
        tracker: RestrictionTrackerView = beam.DoFn.RestrictionParam(_Blocks()),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(_FollowsArrival()),
    ) -> Iterator[TimestampedValue]:
        index = index_of(folder)
        number = tracker.current_restriction().start
        begun = index[number].arrival if number < len(index) else 0
        while tracker.try_claim(number) and number < len(index):
            place = index[number]
            yield TimestampedValue(read_block(folder, place), _stamp(index, number))
            number += 1
            watermark.set_watermark(_stamp(index, number))
            if self._pauses(index, number, begun):
                tracker.defer_remainder(Duration(place.records / self._rate if self._rate else BREATH_SECONDS))
                return

    def _pauses(self, index: list[BlockPlace], following: int, begun: int) -> bool:
        """Whether the source checkpoints itself before a block, or before the end."""
        if following == len(index):
            return self._early_end
        return self._rate is not None or index[following].arrival - begun >= self._step


def _stamp(index: list[BlockPlace], number: int) -> Timestamp:
    """The arrival of a block, cut to the ms that engines carry; after the last one the end of time."""
    if number >= len(index):
        return MAX_TIMESTAMP
    return max(MIN_TIMESTAMP, Timestamp(micros=index[number].arrival // 1000 * 1000))
