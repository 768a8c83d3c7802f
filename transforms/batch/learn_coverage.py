"""Which tenants delivered telemetry on which days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import apache_beam as beam

from uncommon_im.transforms.rules.baseline.sightings import Coverage


class LearnCoverage(beam.CombineFn):
    """`Coverage` of parts of the events -> of all. Order changes nothing; repetition changes numbers of events only."""

    def create_accumulator(self) -> Counter[tuple[str, int]]:
        return Counter()

    def add_input(self, accumulator: Counter[tuple[str, int]], element: Coverage) -> Counter[tuple[str, int]]:
        accumulator.update(element)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Counter[tuple[str, int]]]) -> Counter[tuple[str, int]]:
        total: Counter[tuple[str, int]] = Counter()
        for accumulator in accumulators:
            total.update(accumulator)
        return total

    def extract_output(self, accumulator: Counter[tuple[str, int]]) -> Coverage:
        return dict(accumulator)
