"""An object of a bucket as blocks of arrivals: read as the backfill reads files, whatever it holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from uncommon_im.pipeline.sources.files.json_lines import ANY_FORMAT, JsonOptions
from uncommon_im.pipeline.sources.files.parquet import RowGroups
from uncommon_im.pipeline.sources.files.readings import InputFile, Reading, plan_readings, source_name
from uncommon_im.pipeline.sources.queues.arrivals import (
    ARRIVAL,
    NUMBER,
    SOURCE,
    block_of_lost,
    block_of_places,
    compact,
    write_block,
)
from uncommon_im.pipeline.sources.queues.messages import BLOCK_RECORDS, SKIP
from uncommon_im.pipeline.storage.temporary import temporary_folder
from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter, LostBatch

_COPIED_BYTES: Final = 1 << 20


class MissingObject(Exception):
    """There is no such object (any more)."""


@dataclass(frozen=True)
class ReadObject:
    """One object.

    Args:
        path: on any file system that Beam knows.
        source: what dead letters call it.
        arrival: of all of its records (µs since 1970).
        options: how it is read; what cannot be read is skipped, whatever they say.
    """

    path: str
    source: str
    arrival: int
    options: JsonOptions = ANY_FORMAT

    def blocks(self) -> Iterator[bytes]:
        """Its records, each once, and the dead letters of what cannot be read of it.

        It is copied to the local disk first. So it is read from beginning to end in one go, even if it is overwritten
        meanwhile, and trouble of the network never looks like damage of its content.

        Raises:
            MissingObject: there is none.
            Exception: it is there, but cannot be copied now; another try may help.
        """
        with temporary_folder() as folder:
            copy = Path(folder) / "object"
            self._copy_to(copy)
            for reading in plan_readings(InputFile(str(copy), copy.stat().st_size, ""), self._options):
                if reading.lost is None and reading.native_groups is not None:
                    for number in reading.native_groups:
                        for part in RowGroups.one(str(copy), number, SKIP).parts():
                            yield from self._rows(part)
                else:
                    yield from self._lines(reading)

    @property
    def _options(self) -> JsonOptions:
        return replace(self.options, policy=SKIP)

    def _copy_to(self, copy: Path) -> None:
        try:
            with (
                FileSystems.open(self.path, compression_type=CompressionTypes.UNCOMPRESSED) as stream,
                copy.open("wb") as target,
            ):
                shutil.copyfileobj(stream, target, _COPIED_BYTES)
        except Exception as error:  # file systems have no error in common that says that there is no such file
            if FileSystems.exists(self.path):
                raise
            raise MissingObject(self.path) from error

    def _lines(self, reading: Reading) -> Iterator[bytes]:
        source = source_name(self.source, reading.member)
        for block in reading.blocks(SKIP):
            size = len(block.lines)
            if size:
                places = [self.arrival] * size, [source] * size, block.numbers
                yield block_of_places(list(block.lines), *places)
            if block.lost:
                yield self._lost(block.lost, source)

    def _rows(self, group: RowGroups) -> Iterator[bytes]:
        try:
            columns = {name: column for name in EVENT_COLUMNS if (column := group.column(name)) is not None}
        except LostBatch as lost:
            yield self._lost([lost.letter], self.source)
            return
        size, first = group.num_rows, group.first_record
        place = {
            ARRIVAL: pa.array(np.full(size, self.arrival)),
            SOURCE: pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), [self.source]),
            NUMBER: pa.array(np.arange(first, first + size, dtype=np.int64)),
        }
        table = pa.table(place | columns)
        for start in range(0, size, BLOCK_RECORDS):
            yield write_block(compact(table.slice(start, BLOCK_RECORDS)))

    def _lost(self, letters: list[DeadLetter], source: str) -> bytes:
        return block_of_lost([replace(letter, source=source) for letter in letters], self.arrival)
