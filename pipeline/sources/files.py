"""Files as a source: globs on any of Beam's file systems, Parquet and JSON lines."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import apache_beam as beam
import pyarrow as pa
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from pipeline.sources.errors import BadFilePolicy
from pipeline.sources.json_lines import JsonOptions, batch_of, read_lines
from pipeline.sources.parquet import RowGroup, row_groups
from schemas.documents import ConfigurationError, require
from transforms.rules.dead_letter import DeadLetter
from transforms.rules.decode import decode_lines
from transforms.rules.normalise import RawBatch

log = logging.getLogger(__name__)

PARQUET_SUFFIX: Final = ".parquet"
JSON_SUFFIXES: Final = tuple(
    f"{suffix}{compression}" for suffix in (".jsonl", ".json", ".ndjson") for compression in ("", ".gz", ".zst")
)
KNOWN_SUFFIXES: Final = (PARQUET_SUFFIX, *JSON_SUFFIXES)
_ROW_GROUPS_A_READ: Final = 8
"""Row groups that one worker reads in a row: a file opened once, and still spread over workers."""


@dataclass(frozen=True)
class InputFile:
    """One file, its size in bytes, and its place among all, for messages."""

    path: str
    size: int
    place: str


@dataclass(frozen=True)
class Reading:
    """What one worker reads in a row: some row groups of a Parquet file, or a whole file of lines.

    Args:
        file: the file.
        row_groups: which of them; `None`: it is a file of lines.
        lost: stands for a file that cannot be read at all.
    """

    file: InputFile
    row_groups: tuple[int, ...] | None = None
    lost: DeadLetter | None = None


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
        """Plans what each worker reads, spreads it, reads it."""
        return (
            start
            | "ListFiles" >> beam.Create(self.files, reshuffle=False)
            | "PlanReadings" >> beam.FlatMap(plan_readings, self.options.policy)
            | "SpreadReadings" >> beam.Reshuffle()
            | "ReadBatches" >> beam.FlatMap(read_batches, self.options)
        )


def plan_readings(file: InputFile, policy: BadFilePolicy) -> Iterator[Reading]:
    """What workers read of a file.

    Raises:
        UnreadableInput: it is no Parquet file although its name says so, and the policy is to fail.
    """
    if not file.path.lower().endswith(PARQUET_SUFFIX):
        yield Reading(file)
        return
    try:
        count = row_groups(file.path)
    except (pa.ArrowException, OSError, ValueError, BeamIOError) as error:
        yield Reading(file, lost=policy.lost(file.path, 1, str(error)))
        return
    for first in range(0, count, _ROW_GROUPS_A_READ):
        yield Reading(file, tuple(range(first, min(first + _ROW_GROUPS_A_READ, count))))


def read_batches(reading: Reading, options: JsonOptions) -> Iterator[RawBatch]:
    """The batches of a reading."""
    path = reading.file.path
    log.info("reading %s %s", reading.file.place, path)
    if reading.lost is not None:
        yield batch_of(decode_lines([]), path, 1, [reading.lost])
    elif reading.row_groups is not None:
        yield from (RowGroup(path, number, options.policy) for number in reading.row_groups)
    else:
        yield from read_lines(path, options)
