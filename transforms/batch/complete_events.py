"""Events that lack their process, and starts of processes -> what the detector needs of the completed events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput

from uncommon_im.transforms.batch.block_files import contents
from uncommon_im.transforms.rules.activities.scan import Scan, ScanSettings, recogniser_of
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.tables import plain
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.instances.completing import complete
from uncommon_im.transforms.rules.instances.event_rows import EVENT_ROW_SCHEMA, EventRows
from uncommon_im.transforms.rules.instances.starts import KEY_COLUMNS, Starts
from uncommon_im.transforms.rules.recognition.communications import Recogniser

INPUTS: Final = ("unfinished", "starts")
OUTPUTS: Final = ("activities", "own_sightings", "sightings", "questions", "tallies")
_EVENTS_AT_ONCE: Final = 1 << 17


@dataclass
class CompleteEvents(beam.PTransform):
    """`INPUTS` by shard of hosts -> `OUTPUTS`, of `ScanEvents`.

    Each event is completed once, and counts for what it is then. Order, splitting and repetition of blocks of starts
    change nothing. Memory grows with a shard's unfinished events, not with its starts.
    """

    settings: ScanSettings

    def expand(self, inputs: Mapping[str, beam.PCollection[tuple[int, bytes]]]) -> Any:
        """Brings the blocks of a shard of hosts together."""
        complete_shard = beam.ParDo(_Complete(self.settings))
        return inputs | "JoinByHosts" >> beam.CoGroupByKey() | "Complete" >> complete_shard.with_outputs(*OUTPUTS)


class _Complete(beam.DoFn):
    def __init__(self, settings: ScanSettings) -> None:
        self._settings = settings
        self._recogniser: Recogniser | None = None

    def process(self, joined: tuple[int, Mapping[str, Iterable[bytes]]]) -> Iterator[TaggedOutput]:
        _, named = joined
        events = blocks.decode(contents(named["unfinished"]), EVENT_ROW_SCHEMA)
        if not events.num_rows:
            return
        self._recogniser = self._recogniser or recogniser_of(self._settings)
        scan = Scan(self._settings, self._recogniser)
        whole = complete(events, _starts(named["starts"]), self._settings.process_lookback)
        for first in range(0, whole.num_rows, _EVENTS_AT_ONCE):
            scan.add_completed(EventRows(whole.slice(first, _EVENTS_AT_ONCE)).events(self._settings.tenant))
            for kind, shard, block in scan.blocks():
                yield TaggedOutput(kind, (shard, block))
        yield TaggedOutput("tallies", scan.tally)


def _starts(kept: Iterable[bytes]) -> Iterator[Starts]:
    for block in contents(kept):
        for number, keys in enumerate(blocks.parts(block, EVENT_ROW_SCHEMA, KEY_COLUMNS)):
            yield Starts(keys, partial(_rows, block, number))


def _rows(block: bytes | pa.Buffer, number: int, rows: Longs) -> pa.Table:
    part = next(islice(blocks.parts(block, EVENT_ROW_SCHEMA), number, None))
    return plain(part.take(pa.array(rows)))
