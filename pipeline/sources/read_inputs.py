"""Reading all inputs of a run: files on any file system, tables of BigQuery."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam

from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.inputs import AnyReading, Input, plan_input, read_input
from uncommon_im.transforms.rules.events.raw_batch import RawBatch

log = logging.getLogger(__name__)


@dataclass
class PlanReadings(beam.PTransform):
    """Files and tables -> readings; every record of each is in exactly one.

    Args:
        inputs: files and tables.
        options: how files are read.
        spread: over workers.
    """

    inputs: Sequence[Input]
    options: JsonOptions
    spread: bool = True

    def expand(self, start: beam.pvalue.PBegin) -> beam.PCollection[AnyReading]:
        """Looks what each file is, and opens a read session for each table."""
        listed = start | "ListInputs" >> beam.Create(self.inputs, reshuffle=False)
        planned = listed | "Plan" >> beam.FlatMap(plan_input, self.options)
        return planned | "SpreadReadings" >> beam.Reshuffle() if self.spread else planned


@dataclass
class ReadInputs(beam.PTransform):
    """Files and tables -> batches of records.

    Every record of each is in exactly one batch; batches come in no particular order. A batch of a Parquet file is a
    reference whose columns are read when the next step asks for them. A step that is retried reads the same rows of a
    table again.
    """

    inputs: Sequence[Input]
    options: JsonOptions

    def expand(self, start: beam.pvalue.PBegin) -> beam.PCollection[RawBatch]:
        """Reads what was planned."""
        return (
            start
            | "PlanReadings" >> PlanReadings(self.inputs, self.options)
            | "ReadBatches" >> beam.FlatMap(_read, self.options)
        )


def _read(reading: AnyReading, options: JsonOptions) -> Iterator[RawBatch]:
    log.info("reading %s", reading.name)
    yield from read_input(reading, options)
