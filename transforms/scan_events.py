"""Batches of records -> what the detector needs of them, as blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from schemas.catalogue import Catalogue
from schemas.exceptions import ExceptionEntry
from transforms.rules.communications import Recogniser
from transforms.rules.destination import Destinations
from transforms.rules.exceptions import Exceptions
from transforms.rules.identity import Identities
from transforms.rules.normalise import RawBatch
from transforms.rules.scan import Scan, ScanRange

OUTPUTS: Final = ("activities", "own_sightings", "sightings", "questions", "coverage", "dead_letters", "tallies")


@dataclass(frozen=True)
class ScanSettings:
    """What a scan looks for.

    Args:
        catalogue: services, processes, engines.
        operator_ranges: match ranges that carry the owner's other products too.
        exceptions: the user's.
        tenant: of records that name none.
        range: the days that count.
        shards: into how many shards of hosts and of subjects the work is cut.
        hosts_kept: hosts kept a (subject, day).
    """

    catalogue: Catalogue
    operator_ranges: bool
    exceptions: tuple[ExceptionEntry, ...]
    tenant: str
    range: ScanRange
    shards: int
    hosts_kept: int


@dataclass
class ScanEvents(beam.PTransform):  # type: ignore[misc]
    """Batches of records -> activities, sightings, questions, coverage, dead letters, tallies.

    Every record is counted once, as valid or as a dead letter. Blocks may repeat an activity or a sighting that
    another block holds too: they are to be merged. Order, size and number of batches change nothing that merging
    does not undo.
    """

    settings: ScanSettings

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, batches: beam.PCollection[RawBatch]) -> Any:
        """One pass over the batches."""
        return batches | "Scan" >> beam.ParDo(_Scan(self.settings)).with_outputs(*OUTPUTS)


class _Scan(beam.DoFn):  # type: ignore[misc]
    def __init__(self, settings: ScanSettings) -> None:
        self._settings = settings
        self._recogniser: Recogniser | None = None
        self._scan: Scan | None = None

    def setup(self) -> None:
        settings = self._settings
        destinations = Destinations(settings.catalogue, settings.operator_ranges)
        self._recogniser = Recogniser(destinations, Identities(settings.catalogue), Exceptions(settings.exceptions))

    def start_bundle(self) -> None:
        assert self._recogniser is not None, "setup() comes first"
        settings = self._settings
        self._scan = Scan(self._recogniser, settings.tenant, settings.range, settings.shards, settings.hosts_kept)

    def process(self, batch: RawBatch) -> Iterator[TaggedOutput]:
        assert self._scan is not None, "start_bundle() comes first"
        for letter in self._scan.add(batch):
            yield TaggedOutput("dead_letters", letter.row())
        if self._scan.full:
            for kind, shard, block in self._scan.blocks():
                yield TaggedOutput(kind, (shard, block))

    def finish_bundle(self) -> Iterator[Any]:
        assert self._scan is not None, "start_bundle() comes first"
        window = beam.transforms.window.GlobalWindow()
        end = window.max_timestamp()
        outputs: list[tuple[str, Any]] = [(kind, (shard, block)) for kind, shard, block in self._scan.blocks()]
        outputs += [("coverage", self._scan.coverage), ("tallies", self._scan.tally)]
        for tag, value in outputs:
            yield TaggedOutput(tag, beam.utils.windowed_value.WindowedValue(value, end, [window]))
        self._scan = None
