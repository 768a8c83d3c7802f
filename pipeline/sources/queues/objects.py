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

from uncommon_im.pipeline.sources.files.lines import read_blocks
from uncommon_im.pipeline.sources.files.parquet import RowGroup
from uncommon_im.pipeline.sources.files.readings import PARQUET_SUFFIX, InputFile, plan_readings
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

_KINDS: Final = (PARQUET_SUFFIX, ".gz", ".zst")
"""Ends of names that say how an object is read; all others hold lines."""
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
    """

    path: str
    source: str
    arrival: int

    def blocks(self) -> Iterator[bytes]:
        """Its records, each once, and the dead letters of what cannot be read of it.

        It is copied to the local disk first. So it is read from beginning to end in one go, even if it is overwritten
        meanwhile, and trouble of the network never looks like damage of its content.

        Raises:
            MissingObject: there is none.
            Exception: it is there, but cannot be copied now; another try may help.
        """
        with temporary_folder() as folder:
            kind = next((suffix for suffix in _KINDS if self.path.lower().endswith(suffix)), "")
            copy = Path(folder) / f"object{kind}"
            self._copy_to(copy)
            for reading in plan_readings(InputFile(str(copy), copy.stat().st_size, ""), SKIP):
                if reading.lost is not None:
                    yield self._lost([reading.lost])
                elif reading.row_groups is not None:
                    for number in reading.row_groups:
                        for part in RowGroup(str(copy), number, SKIP).parts():
                            yield from self._rows(part)
                else:
                    yield from self._lines(str(copy))

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

    def _lines(self, copy: str) -> Iterator[bytes]:
        for block in read_blocks(copy, SKIP):
            size = len(block.lines)
            if size:
                places = [self.arrival] * size, [self.source] * size, block.numbers
                yield block_of_places(list(block.lines), *places)
            if block.lost:
                yield self._lost(block.lost)

    def _rows(self, group: RowGroup) -> Iterator[bytes]:
        try:
            columns = {name: column for name in EVENT_COLUMNS if (column := group.column(name)) is not None}
        except LostBatch as lost:
            yield self._lost([lost.letter])
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

    def _lost(self, letters: list[DeadLetter]) -> bytes:
        return block_of_lost([replace(letter, source=self.source) for letter in letters], self.arrival)
