"""Batches of records -> what the detector needs of them, as blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from uncommon_im.transforms.rules.activities.scan import Scan, ScanSettings, recogniser_of
from uncommon_im.transforms.rules.events.raw_batch import RawBatch
from uncommon_im.transforms.rules.recognition.communications import Recogniser

OUTPUTS: Final = (
    *("activities", "own_sightings", "sightings", "questions", "unfinished", "starts"),
    *("coverage", "dead_letters", "tallies"),
)


@dataclass
class ScanEvents(beam.PTransform):
    """Batches of records -> activities, sightings, questions, coverage, dead letters, tallies.

    Every record is counted once, as valid or as a dead letter. Events that lack anything of their process are
    "unfinished", and nothing else is made of them; "starts" are those of processes. Blocks may repeat an activity or a
    sighting that another block holds too: they are to be merged. Order, size and number of batches change nothing that
    merging does not undo.
    """

    settings: ScanSettings

    def expand(self, batches: beam.PCollection[RawBatch]) -> Any:
        """One pass over the batches."""
        return batches | "Scan" >> beam.ParDo(_Scan(self.settings)).with_outputs(*OUTPUTS)


class _Scan(beam.DoFn):
    def __init__(self, settings: ScanSettings) -> None:
        self._settings = settings
        self._recogniser: Recogniser | None = None
        self._scan: Scan | None = None

    def setup(self) -> None:
        self._recogniser = recogniser_of(self._settings)

    def start_bundle(self) -> None:
        self._scan = Scan(self._settings, self._recogniser)

    def process(self, batch: RawBatch) -> Iterator[TaggedOutput]:
        assert self._scan is not None, "start_bundle() comes first"
        for letter in self._scan.add(batch):
            yield TaggedOutput("dead_letters", letter.row())
        if self._scan.full:
            for kind, shard, block in self._scan.blocks():
                yield TaggedOutput(kind, (shard, block))

    def finish_bundle(self) -> Iterator[Any]:
        assert self._scan is not None, "start_bundle() comes first"
        for kind, shard, block in self._scan.blocks():
            yield at_end(kind, (shard, block))
        for tag, value in self._scan.totals():
            yield at_end(tag, value)
        self._scan = None


def at_end(tag: str, value: Any) -> TaggedOutput:
    """An output of `finish_bundle`, which belongs to no element."""
    window = GlobalWindow()
    return TaggedOutput(tag, WindowedValue(value, window.max_timestamp(), [window]))
