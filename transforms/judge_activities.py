"""Activities and what is known of their subjects -> verdicts and candidates for alerts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsSingleton, TaggedOutput

from transforms.learn_coverage import Coverage
from transforms.rules import blocks, tally
from transforms.rules.activities import merge_activities
from transforms.rules.alert import AlertWriter
from transforms.rules.judgement import Judge
from transforms.rules.tables import ACTIVITY_SCHEMA, ANSWER_SCHEMA, SIGHTING_SCHEMA
from transforms.rules.tally import Tally
from transforms.rules.verdicts import Activation


@dataclass
class JudgeActivities(beam.PTransform):  # type: ignore[misc]
    """{"activities", "own_sightings", "answers"} by shard of hosts -> "candidates", "verdicts", "tallies".

    Every activity is judged once; what deduplication lets through is a candidate, the others have their verdict.
    Order, splitting and repetition of blocks change nothing but the numbers of events and bytes.

    Args:
        writer: writes the alerts.
        coverage: one `Coverage`.
        start: µs since 1970; earlier activities only train. `None`: none does.
        with_rows: also emit a row for each verdict.
    """

    writer: AlertWriter
    coverage: beam.PCollection[Coverage]
    start: int | None
    with_rows: bool

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, inputs: Mapping[str, beam.PCollection[tuple[int, bytes]]]) -> Any:
        """Brings the blocks of a shard of hosts together and judges its activities."""
        judged = beam.FlatMap(_judge, AsSingleton(self.coverage), self.writer, self.start, self.with_rows)
        return (
            inputs
            | "JoinByHosts" >> beam.CoGroupByKey()
            | "Judge" >> judged.with_outputs("candidates", "verdicts", "tallies")
        )


def _judge(
    shard: tuple[int, Mapping[str, Iterable[bytes]]],
    coverage: Coverage,
    writer: AlertWriter,
    start: int | None,
    with_rows: bool,
) -> Iterator[TaggedOutput]:
    _, joined = shard
    activities = merge_activities(blocks.decode(joined["activities"], ACTIVITY_SCHEMA))
    if not activities.num_rows:
        return
    own = blocks.decode(joined["own_sightings"], SIGHTING_SCHEMA)
    answers = blocks.decode(joined["answers"], ANSWER_SCHEMA)
    judge = Judge(writer, Activation(coverage, writer.detector.limits), start, with_rows)
    judgement = judge.judge(activities, own, answers)
    counts = Tally({tally.verdict(name): count for name, count in judgement.counts.items()})
    counts[tally.ACTIVITIES] = activities.num_rows
    yield TaggedOutput("tallies", counts)
    for row in judgement.rows:
        yield TaggedOutput("verdicts", row)
    for candidate in judgement.candidates:
        yield TaggedOutput("candidates", (candidate.group, candidate))
