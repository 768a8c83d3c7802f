"""Coverage -> a warning in the log for each day that looks incomplete."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import apache_beam as beam

from uncommon_im.transforms.rules.baseline.completeness import thin_days
from uncommon_im.transforms.rules.baseline.sightings import Coverage
from uncommon_im.transforms.rules.columns.days import day_of

log = logging.getLogger(__name__)


@dataclass
class WarnOfThinDays(beam.PTransform):
    """One `Coverage` -> nothing but log lines; it changes no verdict.

    Args:
        first, end: day numbers of the days that are judged, end exclusive.
    """

    first: int
    end: int

    def expand(self, coverage: beam.PCollection[Coverage]) -> beam.PCollection[None]:
        """Looks at every judged day."""
        return coverage | "Warn" >> beam.Map(_warn, self.first, self.end)


def _warn(coverage: Coverage, first: int, end: int) -> None:
    for thin in thin_days(coverage, first, end):
        log.warning(
            "tenant %s: %s has %s events, under a fifth of the usual %s: is the day complete?",
            thin.tenant,
            day_of(thin.day),
            f"{thin.events:,}",
            f"{thin.usual:,.0f}",
        )
