"""Candidates of one group -> alerts, up to the limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from uncommon_im.transforms.rules.alerts.steps import with_steps
from uncommon_im.transforms.rules.events import tally
from uncommon_im.transforms.rules.events.tally import Tally
from uncommon_im.transforms.rules.verdicts.flood_control import control_flood
from uncommon_im.transforms.rules.verdicts.judgement import Candidate


@dataclass
class LimitFloods(beam.PTransform):  # type: ignore[misc]
    """((group id, variation), candidate) -> "alerts", "verdicts", "tallies".

    Which candidates become alerts depends on their times and ids, not on the order in which they arrive.

    Args:
        limit: alerts of a group and variation; 0: no limit.
        with_rows: also emit a row for each verdict.
    """

    limit: int
    with_rows: bool

    def expand(self, candidates: beam.PCollection[tuple[tuple[str, str], Candidate]]) -> Any:
        """Brings a group together and lets the first ones through."""
        limited = beam.FlatMap(_limit, self.limit, self.with_rows)
        return (
            candidates
            | "Typed" >> beam.Map(lambda pair: pair).with_output_types(tuple[tuple[str, str], Any])
            | "JoinByGroup" >> beam.GroupByKey()
            | "Limit" >> limited.with_outputs("alerts", "verdicts", "tallies")
        )


def _limit(group: tuple[tuple[str, str], Iterable[Candidate]], limit: int, with_rows: bool) -> Iterator[TaggedOutput]:
    _, candidates = group
    counts = Tally()
    for alert, row in control_flood(candidates, limit):
        counts[tally.verdict(row["verdict"])] += 1
        if alert is not None:
            counts[tally.alert(alert["variation"])] += 1
            yield TaggedOutput("alerts", with_steps(alert))
        if with_rows:
            yield TaggedOutput("verdicts", row)
    yield TaggedOutput("tallies", counts)
