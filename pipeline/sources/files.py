"""Files as a source: globs on any of Beam's file systems, Parquet and JSON lines."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from pipeline.sources.json_lines import JsonOptions
from pipeline.sources.readings import KNOWN_SUFFIXES, InputFile, Reading, plan_readings, read_batches
from schemas.documents import ConfigurationError, require
from transforms.rules.normalise import RawBatch

log = logging.getLogger(__name__)


def match_files(patterns: list[str]) -> list[InputFile]:
    """The files that globs match, sorted, each once.

    Raises:
        ConfigurationError: a pattern matches nothing or cannot be looked up, or a file's suffix is unknown.
    """
    sizes: dict[str, int] = {}
    for pattern in patterns:
        try:
            matched = FileSystems.match([pattern])[0].metadata_list
        except (BeamIOError, ValueError, ImportError) as error:
            raise ConfigurationError(f"--input {pattern}: cannot be looked up: {error}") from None
        require(matched, f"--input {pattern}: matches no file: check the path, and quote globs")
        for metadata in matched:
            require(
                metadata.path.lower().endswith(KNOWN_SUFFIXES),
                f"--input {metadata.path}: unknown kind of file: known are {', '.join(KNOWN_SUFFIXES)}",
            )
            sizes[metadata.path] = metadata.size_in_bytes
    return [
        InputFile(path, size, f"{number}/{len(sizes)}") for number, (path, size) in enumerate(sorted(sizes.items()), 1)
    ]


@dataclass
class PlanReadings(beam.PTransform):  # type: ignore[misc]
    """Files -> readings, spread over workers; every record of every file is in exactly one."""

    files: list[InputFile]
    options: JsonOptions

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, start: beam.pvalue.PBegin) -> beam.PCollection[Reading]:
        """Looks into the files that have row groups."""
        return (
            start
            | "ListFiles" >> beam.Create(self.files, reshuffle=False)
            | "Plan" >> beam.FlatMap(plan_readings, self.options.policy)
            | "SpreadReadings" >> beam.Reshuffle()
        )


@dataclass
class ReadFiles(beam.PTransform):  # type: ignore[misc]
    """Files -> batches of records.

    Every record of every file is in exactly one batch; batches come in no particular order. A batch of a Parquet file
    is a reference whose columns are read when the next step asks for them.
    """

    files: list[InputFile]
    options: JsonOptions

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, start: beam.pvalue.PBegin) -> beam.PCollection[RawBatch]:
        """Reads what was planned."""
        return (
            start
            | "PlanReadings" >> PlanReadings(self.files, self.options)
            | "ReadBatches" >> beam.FlatMap(_read, self.options)
        )


def _read(reading: Reading, options: JsonOptions) -> Iterator[RawBatch]:
    log.info("reading %s %s", reading.file.place, reading.file.path)
    yield from read_batches(reading, options)
