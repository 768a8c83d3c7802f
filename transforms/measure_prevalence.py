"""Sightings and questions -> answers: how common subjects were in the organisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import apache_beam as beam

from schemas.detector import Limits
from transforms.rules import blocks
from transforms.rules.prevalence import answer
from transforms.rules.tables import QUESTION_SCHEMA, SIGHTING_SCHEMA


@dataclass
class MeasurePrevalence(beam.PTransform):  # type: ignore[misc]
    """{"sightings", "questions"} by shard of subjects -> answers by the shard of hosts that asked.

    Each question is answered once a shard that asked it. Order, splitting and repetition of blocks change nothing.
    """

    limits: Limits

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, inputs: Mapping[str, beam.PCollection[tuple[int, bytes]]]) -> beam.PCollection[tuple[int, bytes]]:
        """Brings the blocks of a shard of subjects together and answers its questions."""
        return (
            inputs
            | "JoinBySubjects" >> beam.CoGroupByKey()
            | "Answer" >> beam.FlatMap(_answers, self.limits).with_output_types(tuple[int, bytes])
        )


def _answers(shard: tuple[int, Mapping[str, Iterable[bytes]]], limits: Limits) -> Iterator[tuple[int, bytes]]:
    _, joined = shard
    questions = blocks.decode(joined["questions"], QUESTION_SCHEMA)
    if not questions.num_rows:
        return
    answers = answer(blocks.decode(joined["sightings"], SIGHTING_SCHEMA), questions, limits)
    asked = questions.group_by(["tenant", "subject", "day", "shard"]).aggregate([])
    routed = asked.join(answers, ["tenant", "subject", "day"], use_threads=False)
    numbers = routed.column("shard").to_numpy()
    yield from blocks.cut(routed.select(answers.column_names).cast(answers.schema), numbers)
