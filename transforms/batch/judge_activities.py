"""Activities and what is known of their subjects -> verdicts and candidates for alerts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import AsSingleton, TaggedOutput

from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.snapshot import SAID_SCHEMA
from uncommon_im.transforms.batch.block_files import contents
from uncommon_im.transforms.rules.activities.store import ActivityStore
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.history import pack, within
from uncommon_im.transforms.rules.baseline.sightings import Coverage
from uncommon_im.transforms.rules.baseline.tables import ANSWER_SCHEMA, SIGHTING_SCHEMA
from uncommon_im.transforms.rules.columns.days import DAY_US, HOUR_US
from uncommon_im.transforms.rules.events import tally
from uncommon_im.transforms.rules.events.tally import Tally
from uncommon_im.transforms.rules.verdicts.judgement import Judge, JudgeSettings

INPUTS: Final = ("activities", "own_sightings", "answers", "said")
OUTPUTS: Final = ("candidates", "verdicts", "tallies", "evidence", "host_sightings", "said")


@dataclass
class JudgeActivities(beam.PTransform):
    """`INPUTS` by shard of hosts -> `OUTPUTS`.

    Every activity is judged once. A rare one that repeats nothing is a candidate, the others have their verdict. Order,
    splitting and repetition of blocks change nothing but the numbers of events and bytes. Evidence, if the run wants
    it, is one block per shard. For a snapshot, what the shard's hosts showed and their alerts leave as blocks.

    Args:
        settings: how.
        coverage: one `Coverage`.
    """

    settings: JudgeSettings
    coverage: beam.PCollection[Coverage]

    def expand(self, inputs: Mapping[str, beam.PCollection[tuple[int, bytes]]]) -> Any:
        """Brings the blocks of a shard of hosts together and judges its activities."""
        judged = beam.FlatMap(_judge, AsSingleton(self.coverage), self.settings)
        return inputs | "JoinByHosts" >> beam.CoGroupByKey() | "Judge" >> judged.with_outputs(*OUTPUTS)


def _judge(
    joined: tuple[int, Mapping[str, Iterable[bytes]]], coverage: Coverage, settings: JudgeSettings
) -> Iterator[TaggedOutput]:
    shard, named = joined
    inputs = {name: list(contents(kept)) for name, kept in named.items()}
    stored = ActivityStore(inputs["activities"])
    own = blocks.decode(inputs["own_sightings"], SIGHTING_SCHEMA)
    answers = blocks.decode(inputs["answers"], ANSWER_SCHEMA)
    before = blocks.decode(inputs["said"], SAID_SCHEMA)
    judgement = Judge(settings, coverage).judge(stored.merged, own, answers, before, stored.complete)
    counts = Tally({tally.verdict(name): count for name, count in judgement.counts.items()})
    counts[tally.ACTIVITIES] = stored.merged.num_rows
    yield TaggedOutput("tallies", counts)
    for row in judgement.rows:
        yield TaggedOutput("verdicts", row)
    for candidate in judgement.candidates:
        yield TaggedOutput("candidates", (candidate.group, candidate))
    if judgement.evidence is not None:
        yield TaggedOutput("evidence", (shard, blocks.encode(judgement.evidence)))
    if settings.as_of is not None:
        alerts = pa.concat_tables([before, judgement.as_earlier])
        yield from leave_history(shard, own, alerts, settings.as_of, settings.limits)


def leave_history(shard: int, own: pa.Table, alerts: pa.Table, as_of: int, limits: Limits) -> Iterator[TaggedOutput]:
    """What a shard of hosts leaves for a snapshot at a day number: what they showed, and their alerts."""
    history = pack(within(own, as_of, limits.training_days), as_of)
    yield TaggedOutput("host_sightings", (shard, blocks.encode(history)))
    recent = as_of * DAY_US - limits.deduplication_hours * HOUR_US
    yield TaggedOutput("said", (shard, blocks.encode(alerts.filter(pc.greater(alerts.column("time"), recent)))))
