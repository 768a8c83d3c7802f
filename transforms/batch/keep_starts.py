"""Starts of processes -> the part of a snapshot that tells whose process an event's is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.transforms.batch.block_files import contents
from uncommon_im.transforms.rules.alerts.secrets import SecretText
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.tables import plain
from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.instances.event_rows import EVENT_ROW_SCHEMA
from uncommon_im.transforms.rules.instances.keeping import Keeper, recent_starts
from uncommon_im.transforms.rules.recognition.command_line import Engines


@dataclass
class KeepStarts(beam.PTransform):
    """Blocks of starts by shard of hosts -> one block of `INSTANCE_SCHEMA` per shard.

    Of each process instance the last start is kept. Order, splitting and repetition of starts change nothing.

    Args:
        catalogue: how executions and secrets are recognised.
        as_of: day number at which the snapshot is taken.
        process_lookback: how old a start may be then, in days.
        shards: of hosts.
    """

    catalogue: Catalogue
    as_of: int
    process_lookback: int
    shards: int

    def expand(self, starts: beam.PCollection[tuple[int, bytes]]) -> beam.PCollection[tuple[int, bytes]]:
        """Brings the blocks of a shard of hosts together."""
        keep = beam.ParDo(_Keep(self.catalogue, self.as_of * DAY_US, self.process_lookback * DAY_US, self.shards))
        return starts | "JoinByHosts" >> beam.GroupByKey() | "Keep" >> keep.with_output_types(tuple[int, bytes])


def keeper_of(catalogue: Catalogue) -> Keeper:
    """What gives starts the form in which they are kept, by a catalogue's engines and patterns of secrets."""
    return Keeper(Engines(catalogue), SecretText(catalogue).masked)


class _Keep(beam.DoFn):
    def __init__(self, catalogue: Catalogue, as_of: int, lookback: int, shards: int) -> None:
        self._catalogue, self._as_of, self._lookback, self._shards = catalogue, as_of, lookback, shards

    def setup(self) -> None:
        self._keeper = keeper_of(self._catalogue)

    def process(self, joined: tuple[int, Iterable[bytes]]) -> Iterator[tuple[int, bytes]]:
        shard, kept = joined
        starts = recent_starts(self._own(shard, kept), self._as_of, self._lookback)
        yield shard, blocks.encode(self._keeper.kept(starts))

    def _own(self, shard: int, kept: Iterable[bytes]) -> Iterator[pa.Table]:
        """The starts of the shard's hosts; a block may hold others."""
        for block in contents(kept):
            for part in blocks.parts(block, EVENT_ROW_SCHEMA):
                yield plain(part.filter(pa.array(blocks.host_shards(part, self._shards) == shard)))
