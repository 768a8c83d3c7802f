"""Candidates of one group -> alerts, up to the limit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import apache_beam as beam

from uncommon_im.transforms.rules.stream.flood import Flood
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.stream.keyed_step import Row, Tallied, keyed_step

LimitGroupsFn = keyed_step("flood", __name__, "LimitGroupsFn")


@dataclass
class LimitGroups(beam.PTransform):
    """Candidates by group and variation -> "alerts", "verdicts"; rows.

    The order of the instants at which candidates were due decides which become alerts, not the order in which they
    come. The group's day being over, nothing is kept of it.

    Args:
        lateness: of the stream.
        limit: alerts of a group and variation; 0: no limit.
    """

    lateness: Lateness
    limit: int

    def expand(self, messages: beam.PCollection[tuple[str, bytes]]) -> Any:
        """One stateful step."""
        step = beam.ParDo(LimitGroupsFn(partial(Flood, self.lateness, self.limit)))
        types = {"alerts": Row, "verdicts": Row, "tallies": Tallied}
        return messages | "Flood" >> step.with_output_types(None, **types).with_outputs(*types)
