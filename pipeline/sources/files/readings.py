"""What workers read: some row groups of a Parquet file, or all of a file or of a member of a zip file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import pyarrow as pa

from uncommon_im.pipeline.sources.files import archives
from uncommon_im.pipeline.sources.files.containers.read import container_blocks
from uncommon_im.pipeline.sources.files.content import JSON_LINES, Content, UnknownContent
from uncommon_im.pipeline.sources.files.decompressing import DAMAGE
from uncommon_im.pipeline.sources.files.headers import is_known
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions, read_lines
from uncommon_im.pipeline.sources.files.lines import LineBlock
from uncommon_im.pipeline.sources.files.parquet import MERGED_RECORDS, native_batches
from uncommon_im.pipeline.sources.files.parquet_file import column_names, row_groups
from uncommon_im.pipeline.sources.files.recognising import recognise
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.raw_batch import RawBatch

_BATCHES_A_READING: Final = 8
"""Row groups that one worker reads in a row, if they are large: a file opened once, and still spread over workers."""
_NATIVE: Final = frozenset(("event_time", "host_id"))
"""Columns that make a Parquet file one of native columns, unless its format is given."""
_UNREADABLE: Final[tuple[type[Exception], ...]] = (*DAMAGE, ValueError)


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
        row_groups: which of them; `None`: it is no Parquet file, or one that is read as a whole.
        lost: stands for a file or a member that cannot be read at all.
        content: what the file or the member is.
        member: the name of the member of a zip file; empty: it is the file itself.
        native: whether row groups have native columns, which are read one by one.
    """

    file: InputFile
    row_groups: range | None = None
    lost: DeadLetter | None = None
    content: Content = JSON_LINES
    member: str = ""
    native: bool = True

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.file.place} {self.source}"

    @property
    def source(self) -> str:
        """What dead letters call it."""
        return source_name(self.file.path, self.member)

    @property
    def order(self) -> tuple[str, int]:
        """Neighbours are next to each other in this order."""
        return self.source, self.row_groups.start if self.row_groups else 0

    @property
    def native_groups(self) -> range | None:
        """The row groups whose columns are read as they are; `None`: it is read as lines."""
        return self.row_groups if self.native else None

    def blocks(self, policy: BadFilePolicy) -> Iterator[LineBlock]:
        """What is read as lines.

        Raises:
            UnreadableInput: it cannot be read to its end, and the policy is to fail.
        """
        if self.lost is not None:
            yield LineBlock(lost=[self.lost])
        else:
            yield from container_blocks(self.file.path, self.content, self.source, policy, self.row_groups)


def source_name(path: str, member: str) -> str:
    """What dead letters call a file, or a member of it."""
    return f"{path}!{member}" if member else path


def plan_readings(file: InputFile, options: JsonOptions) -> Iterator[Reading]:
    """What workers read of a file: its first bytes say what it is.

    Raises:
        UnreadableInput: it is of a kind that is not read, or damaged, and the policy is to fail.
    """
    try:
        content = recognise(partial(open_binary, file.path), options.content)
    except _UNREADABLE as error:
        yield Reading(file, lost=options.policy.lost(file.path, 1, str(error)))
        return
    if content.compression == "zip":
        yield from _plan_members(file, options)
    elif content.file_type == "parquet" and content.compression == "none":
        yield from _plan_row_groups(file, content, options)
    else:
        yield Reading(file, content=content)


def _plan_row_groups(file: InputFile, content: Content, options: JsonOptions) -> Iterator[Reading]:
    try:
        sizes = row_groups(file.path)
        native = options.format == "native" or (options.format == "auto" and set(column_names(file.path)) >= _NATIVE)
        for name, times in Counter(column_names(file.path)).items():
            if times > 1 and is_known(name):
                raise ValueError(f"it has {times} columns {name}: which of them counts?")
    except (pa.ArrowException, OSError, ValueError) as error:
        yield Reading(file, lost=options.policy.lost(file.path, 1, str(error)))
        return
    first, batches = 0, 0.0
    for number, size in enumerate(sizes, 1):
        batches += min(1, size / MERGED_RECORDS)
        if batches >= _BATCHES_A_READING or number == len(sizes):
            yield Reading(file, range(first, number), content=content, native=native)
            first, batches = number, 0.0


def _plan_members(file: InputFile, options: JsonOptions) -> Iterator[Reading]:
    """A reading for each member of a zip file; one that cannot be read costs itself."""
    try:
        for member in archives.members(file.path):
            try:
                if member.problem:
                    raise UnknownContent(member.problem)
                opened = partial(archives.open_member, file.path, member.number)
                content = recognise(opened, options.content, member.number)
            except _UNREADABLE as error:
                lost = options.policy.lost(source_name(file.path, member.name), 1, str(error))
                yield Reading(file, lost=lost, member=member.name)
            else:
                yield Reading(file, content=content, member=member.name)
    except _UNREADABLE as error:
        yield Reading(file, lost=options.policy.lost(file.path, 1, str(error)))


def read_batches(reading: Reading, options: JsonOptions) -> Iterator[RawBatch]:
    """The batches of a reading."""
    if reading.native_groups is not None:
        yield from native_batches(reading.file.path, reading.native_groups, options.policy)
    else:
        yield from read_lines(reading.blocks(options.policy), reading.source, options)
