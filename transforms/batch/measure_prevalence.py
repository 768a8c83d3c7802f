"""Sightings and questions -> answers: how common subjects were in the organisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.batch.block_files import contents
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.history import within
from uncommon_im.transforms.rules.baseline.prevalence import answer
from uncommon_im.transforms.rules.baseline.sightings import capped
from uncommon_im.transforms.rules.baseline.tables import QUESTION_SCHEMA, SIGHTING_SCHEMA, with_codes


@dataclass
class MeasurePrevalence(beam.PTransform):  # type: ignore[misc]
    """{"sightings", "questions"} by shard of subjects -> "answers" by the shard of hosts that asked, "sightings".

    Each question is answered once per shard that asked it. Order, splitting and repetition of blocks change nothing.
    For a snapshot, the shard's sightings leave merged.

    Args:
        limits: the window, its guard days, the hosts to keep.
        as_of: day number at which a snapshot is taken. `None`: none is.
    """

    limits: Limits
    as_of: int | None = None

    def expand(self, inputs: Mapping[str, beam.PCollection[tuple[int, bytes]]]) -> Any:
        """Brings the blocks of a shard of subjects together and answers its questions."""
        measured = beam.FlatMap(_measure, self.limits, self.as_of)
        return (
            inputs
            | "JoinBySubjects" >> beam.CoGroupByKey()
            | "Measure" >> measured.with_outputs("answers", "sightings")
        )


def _measure(
    joined: tuple[int, Mapping[str, Iterable[bytes]]], limits: Limits, as_of: int | None
) -> Iterator[TaggedOutput]:
    shard, named = joined
    inputs = {name: list(contents(kept)) for name, kept in named.items()}
    sightings = with_codes(blocks.decode(inputs["sightings"], SIGHTING_SCHEMA))
    questions = blocks.decode(inputs["questions"], QUESTION_SCHEMA)
    if questions.num_rows:
        answers = answer(sightings, questions, limits)
        asked = questions.group_by(["tenant", "subject", "day", "shard"]).aggregate([])
        routed = asked.join(answers, ["tenant", "subject", "day"], use_threads=False)
        shards = routed.column("shard").to_numpy()
        for number, block in blocks.cut(routed.select(answers.column_names).cast(answers.schema), shards):
            yield TaggedOutput("answers", (number, block))
    if as_of is not None:
        kept = capped(within(sightings, as_of, limits.training_days), limits.hosts_kept)
        yield TaggedOutput("sightings", (shard, blocks.encode(kept)))
