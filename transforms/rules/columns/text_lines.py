"""Lines as they lie in a text: a line becomes an object of its own only when somebody asks for it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from uncommon_im.transforms.rules.columns.column import Longs, Mask, run_starts

_NEWLINE, _OPENING, _CLOSING = b"\n{}"
_IS_SPACE = np.isin(np.arange(256), np.frombuffer(b" \t\n\r\x0b\x0c", np.uint8))
"""What `bytes.isspace` takes for white space."""


@dataclass(frozen=True, eq=False)
class TextBlock(Sequence[bytes]):
    """Some lines of a file, without the end of the last one.

    Args:
        text: the lines, separated by newlines.
        ends: the place after each line.
    """

    text: bytes
    ends: Longs

    @classmethod
    def of(cls, text: bytes) -> TextBlock:
        """The lines of a text; an empty one is one empty line."""
        return cls(text, np.append(_places(np.frombuffer(text, np.uint8) == _NEWLINE), len(text)))

    @classmethod
    def of_lines(cls, lines: Iterable[bytes]) -> TextBlock:
        """Lines that were cut before; none of them holds a newline."""
        pieces = list(lines)
        return cls.of(b"\n".join(pieces)) if pieces else cls(b"", np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: Any) -> Any:
        """The line of an index."""
        start = 0 if index == 0 else int(self.ends[index - 1]) + 1
        return self.text[start : int(self.ends[index])]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.text.split(b"\n") if len(self) else ())

    @property
    def lengths(self) -> Longs:
        """Bytes of each line."""
        return np.diff(self.ends, prepend=-1) - 1

    def take(self, indexes: Longs) -> list[bytes]:
        """The lines of some indexes, in their order: cheaper than one by one."""
        starts = np.where(indexes == 0, 0, self.ends[indexes - 1] + 1)
        return [self.text[start:end] for start, end in zip(starts.tolist(), self.ends[indexes].tolist(), strict=True)]

    @property
    def filled(self) -> Mask:
        """Lines that hold more than white space; where they all do, which is usual, their first bytes tell."""
        if not self.text:
            return np.zeros(len(self), np.bool_)
        data = np.frombuffer(self.text, np.uint8)
        starts = np.minimum(np.append(0, self.ends[:-1] + 1), len(data) - 1)  # an empty line shows its newline
        first = ~_IS_SPACE[data[starts]]
        return first if first.all() else np.logical_or.reduceat(~_IS_SPACE[data], starts)

    def filter(self, wanted: Mask) -> TextBlock:
        """The wanted lines."""
        if wanted.all():
            return self
        lengths = self.lengths
        ends = np.cumsum(lengths[wanted] + 1) - 1
        kept = np.frombuffer(self.text, np.uint8)[np.repeat(wanted, lengths + 1)[: len(self.text)]]
        return TextBlock(kept.tobytes()[: ends[-1] if len(ends) else 0], ends)

    def part(self, first: int, last: int) -> TextBlock:
        """The lines of the indexes from the first to before the last."""
        if first == 0 and last >= len(self):
            return self
        start = 0 if first == 0 else int(self.ends[first - 1]) + 1
        ends = self.ends[first:last]
        return TextBlock(self.text[start : ends[-1] if len(ends) else start], ends - start)

    @cached_property
    def may_be_objects(self) -> bool:
        """True if every line begins and ends with a brace: no JSON value goes on from one such line to the next."""
        if not self.text.startswith(b"{") or not self.text.endswith(b"}"):
            return False
        data, newlines = np.frombuffer(self.text, np.uint8), self.ends[:-1]
        return bool((data[newlines - 1] == _CLOSING).all() and (data[newlines + 1] == _OPENING).all())


class TextLines(Sequence[bytes]):
    """The lines of several blocks."""

    def __init__(self, blocks: Iterable[TextBlock] = ()) -> None:
        """The lines of some blocks; `add` adds others."""
        self.blocks: list[TextBlock] = []
        self._firsts: list[int] = []
        self._size = 0
        for block in blocks:
            self.add(block)

    def add(self, block: TextBlock) -> None:
        """Adds the lines that follow."""
        self.blocks.append(block)
        self._firsts.append(self._size)
        self._size += len(block)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: Any) -> Any:
        """The line of an index."""
        number = bisect_right(self._firsts, index) - 1
        return self.blocks[number][index - self._firsts[number]]

    def __iter__(self) -> Iterator[bytes]:
        return chain.from_iterable(self.blocks)

    def take(self, indexes: Longs) -> TextBlock:
        """The lines of some indexes, in their order."""
        numbers = np.searchsorted(self._firsts, indexes, side="right") - 1
        lines: list[bytes] = []
        for part in np.split(np.arange(len(indexes)), run_starts(numbers)[1:]) if len(indexes) else ():
            number = int(numbers[part[0]])
            lines += self.blocks[number].take(indexes[part] - self._firsts[number])
        return TextBlock(b"\n".join(lines), np.cumsum([len(line) + 1 for line in lines], dtype=np.int64) - 1)


def _places(found: Mask) -> Longs:
    """Where a mask is true. It rarely is: words of eight are looked at first."""
    whole = len(found) & ~7
    words = np.flatnonzero(found[:whole].view(np.uint64) != 0)
    places = np.flatnonzero(found[:whole].reshape(-1, 8)[words])
    return np.concatenate([words[places >> 3] * 8 + (places & 7), whole + np.flatnonzero(found[whole:])])
