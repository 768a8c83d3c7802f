"""What hosts showed, and their alerts -> the part of a snapshot that goes by hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.snapshot import SAID_SCHEMA
from uncommon_im.transforms.batch.judge_activities import leave_history
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.tables import SIGHTING_SCHEMA


@dataclass
class PackHistory(beam.PTransform):
    """{"own_sightings", "said"} by shard of hosts -> "host_sightings", "said", one block per shard.

    Order, splitting and repetition of sightings and of alerts change nothing.

    Args:
        as_of: day number at which the snapshot is taken.
        limits: how far back it goes.
    """

    as_of: int
    limits: Limits

    def expand(self, inputs: Mapping[str, beam.PCollection[tuple[int, bytes]]]) -> Any:
        """Brings the blocks of a shard of hosts together."""
        packed = beam.FlatMap(_pack, self.as_of, self.limits)
        return inputs | "JoinByHosts" >> beam.CoGroupByKey() | "Pack" >> packed.with_outputs("host_sightings", "said")


def _pack(joined: tuple[int, Mapping[str, Iterable[bytes]]], as_of: int, limits: Limits) -> Iterator[TaggedOutput]:
    shard, named = joined
    own = blocks.decode(named["own_sightings"], SIGHTING_SCHEMA)
    said = blocks.decode(named["said"], SAID_SCHEMA).group_by(SAID_SCHEMA.names).aggregate([])
    yield from leave_history(shard, own, said, as_of, limits)
