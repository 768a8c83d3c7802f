"""Whatever a backfill reads: files and tables, planned as readings that workers share among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.readings import InputFile, Reading, plan_readings, read_batches
from uncommon_im.transforms.rules.events.raw_batch import RawBatch

if TYPE_CHECKING:  # clients of BigQuery take longer to import than many a file to read
    from uncommon_im.pipeline.sources.bigquery.streams import TableStream
    from uncommon_im.pipeline.sources.bigquery.tables import InputTable

Input: TypeAlias = "InputFile | InputTable"


@dataclass(frozen=True)
class TableReading:
    """What one worker reads of a table in a row: a stream."""

    table: InputTable
    stream: TableStream

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.table.place} {self.table.path}#{self.stream.number}"

    @property
    def order(self) -> tuple[str, tuple[int, ...]]:
        """Neighbours are next to each other in this order."""
        return self.table.path, (self.stream.number,)


AnyReading: TypeAlias = Reading | TableReading


def plan_input(source: Input, options: JsonOptions) -> Iterator[AnyReading]:
    """What workers read of a file or a table.

    Raises:
        UnreadableInput: it cannot be read; of a file only if the policy is to fail.
    """
    if isinstance(source, InputFile):
        yield from plan_readings(source, options)
        return
    from uncommon_im.pipeline.sources.bigquery.streams import plan_streams

    for stream in plan_streams(source):
        yield TableReading(source, stream)


def read_input(reading: AnyReading, options: JsonOptions) -> Iterator[RawBatch]:
    """The batches of a reading.

    Raises:
        UnreadableInput: it cannot be read; of a file only if the policy is to fail.
    """
    if isinstance(reading, Reading):
        yield from read_batches(reading, options)
        return
    from uncommon_im.pipeline.sources.bigquery.streams import read_stream

    yield from read_stream(reading.table, reading.stream)
