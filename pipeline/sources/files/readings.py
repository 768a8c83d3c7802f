"""What workers read: some row groups of a Parquet file, or a file of lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from uncommon_im.pipeline.sources.files.json_lines import JsonOptions, batch_of_lost, read_lines
from uncommon_im.pipeline.sources.files.parquet import RowGroup, row_groups
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.raw_batch import RawBatch

PARQUET_SUFFIX: Final = ".parquet"
JSON_SUFFIXES: Final = tuple(
    f"{suffix}{compression}" for suffix in (".jsonl", ".json", ".ndjson") for compression in ("", ".gz", ".zst")
)
KNOWN_SUFFIXES: Final = (PARQUET_SUFFIX, *JSON_SUFFIXES)
_ROW_GROUPS_A_READING: Final = 8
"""Row groups that one worker reads in a row: a file opened once, and still spread over workers."""


@dataclass(frozen=True)
class InputFile:
    """One file, its size in bytes, and its place among all, for messages."""

    path: str
    size: int
    place: str


@dataclass(frozen=True)
class Reading:
    """What one worker reads in a row.

    Args:
        file: the file.
        row_groups: which of them; `None`: it is a file of lines.
        lost: stands for a file that cannot be read at all.
    """

    file: InputFile
    row_groups: tuple[int, ...] | None = None
    lost: DeadLetter | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.file.place} {self.file.path}"

    @property
    def order(self) -> tuple[str, tuple[int, ...]]:
        """Neighbours are next to each other in this order."""
        return self.file.path, self.row_groups or ()


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
    except (pa.ArrowException, OSError, ValueError) as error:
        yield Reading(file, lost=policy.lost(file.path, 1, str(error)))
        return
    for first in range(0, count, _ROW_GROUPS_A_READING):
        yield Reading(file, tuple(range(first, min(first + _ROW_GROUPS_A_READING, count))))


def read_batches(reading: Reading, options: JsonOptions) -> Iterator[RawBatch]:
    """The batches of a reading."""
    path = reading.file.path
    if reading.lost is not None:
        yield batch_of_lost([reading.lost])
    elif reading.row_groups is not None:
        for number in reading.row_groups:
            yield from RowGroup(path, number, options.policy).parts()
    else:
        yield from read_lines(path, options)
