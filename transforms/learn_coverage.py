"""Which tenants delivered telemetry on which days."""

from __future__ import annotations

from collections.abc import Iterable

import apache_beam as beam
import numpy as np
import numpy.typing as npt

Coverage = dict[str, npt.NDArray[np.int64]]
"""Tenant -> sorted day numbers."""


class LearnCoverage(beam.CombineFn):  # type: ignore[misc]
    """Sets of (tenant, day) -> `Coverage`. A union of sets: order and repetition change nothing."""

    def create_accumulator(self) -> set[tuple[str, int]]:
        return set()

    def add_input(self, accumulator: set[tuple[str, int]], element: set[tuple[str, int]]) -> set[tuple[str, int]]:
        return accumulator | element

    def merge_accumulators(self, accumulators: Iterable[set[tuple[str, int]]]) -> set[tuple[str, int]]:
        return set().union(*accumulators)

    def extract_output(self, accumulator: set[tuple[str, int]]) -> Coverage:
        days: dict[str, list[int]] = {}
        for tenant, day in sorted(accumulator):
            days.setdefault(tenant, []).append(day)
        return {tenant: np.array(listed, np.int64) for tenant, listed in days.items()}
