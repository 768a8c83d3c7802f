"""What a container holds becomes blocks of lines, as a file of lines gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np

from uncommon_im.pipeline.sources.files.decompressing import DAMAGE
from uncommon_im.pipeline.sources.files.lines import BLOCK_BYTES, BLOCK_LINES, MAX_LINE_BYTES, RAW_BYTES, LineBlock
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy
from uncommon_im.transforms.rules.columns.text_lines import TextBlock
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter

_UNREADABLE: Final[tuple[type[Exception], ...]] = (*DAMAGE, ValueError)


@dataclass(frozen=True, slots=True)
class Broken:
    """What is no record.

    Args:
        detail: why.
        raw: its text, or the beginning of it.
    """

    detail: str
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Damage:
    """A part of a file that cannot be read, while others can."""

    problem: str


Item: TypeAlias = bytes | Broken | Damage
"""One record of a container: a JSON value in one line of UTF-8, or what stands for it."""


@dataclass
class _Gathered:
    """Records that become a block."""

    numbers: list[int] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    lost: list[DeadLetter] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return self.size >= BLOCK_BYTES or len(self.lines) + len(self.lost) >= BLOCK_LINES

    def block(self) -> LineBlock:
        return LineBlock(np.array(self.numbers, np.int64), TextBlock.of_lines(self.lines), self.lost)


def blocks_of_items(
    items: Callable[[], Iterable[Item]], source: str, policy: BadFilePolicy, first: int = 1
) -> Iterator[LineBlock]:
    """The records of a container in blocks.

    Args:
        items: gives the records; what it raises counts like damage of the file.
        source: what dead letters call it.
        policy: what to do if it cannot be read to its end.
        first: the number of the first record.

    Raises:
        UnreadableInput: it cannot, and the policy is to fail.
    """
    gathered, number = _Gathered(), first - 1
    try:
        for number, item in enumerate(items(), first):
            _add(gathered, item, number, source, policy)
            if gathered.full:
                yield gathered.block()
                gathered = _Gathered()
    except _UNREADABLE as error:
        problem = str(error) or type(error).__name__
        gathered.lost.append(policy.lost(source, number + 1, problem))
    if gathered.lines or gathered.lost:
        yield gathered.block()


def _add(gathered: _Gathered, item: Item, number: int, source: str, policy: BadFilePolicy) -> None:
    if isinstance(item, Damage):
        gathered.lost.append(policy.lost(source, number, item.problem))
    elif isinstance(item, Broken):
        gathered.lost.append(DeadLetter("malformed", item.detail, source, number, item.raw))
        gathered.size += len(item.raw)
    elif len(item) > MAX_LINE_BYTES:
        raw = item[:RAW_BYTES].decode("utf-8", "replace")
        detail = f"record is longer than {MAX_LINE_BYTES:,} bytes: raw holds its beginning"
        gathered.lost.append(DeadLetter("malformed", detail, source, number, raw))
        gathered.size += len(raw)
    else:
        gathered.numbers.append(number)
        gathered.lines.append(item)
        gathered.size += len(item)
