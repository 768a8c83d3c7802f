"""Text as blocks of lines: read piece by piece, in bounded memory, whatever it holds."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Final

import numpy as np

from uncommon_im.pipeline.sources.files.decompressing import DAMAGE, PIECE_BYTES
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.columns.text_lines import TextBlock
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter

BLOCK_BYTES: Final = 1 << 20
"""Decompressed text that is read, split and decoded at a time: what a processor's cache holds."""
BLOCK_LINES: Final = 10_000
"""Lines of a block at most. A block of ordinary records has fewer; each line costs memory, however short it is."""
MAX_LINE_BYTES: Final = 1 << 24
"""A longer line is no record: it becomes a dead letter with its beginning, and costs no more memory than this."""
RAW_BYTES: Final = 4096
"""What a dead letter shows of a text that is no record, or too long for one."""


@dataclass
class LineBlock:
    """Some lines of a file, `BLOCK_LINES` at most, none of them blank.

    Args:
        numbers: of each in the file, from 1; blank lines count.
        lines: without their line ends.
        lost: lines before, between or after them that were given up: too long, or unreadable.
    """

    numbers: Longs = field(default_factory=lambda: np.zeros(0, np.int64))
    lines: TextBlock = field(default_factory=lambda: TextBlock.of_lines(()))
    lost: list[DeadLetter] = field(default_factory=list)


def blocks_of(
    open_stream: Callable[[], io.BufferedReader], source: str, policy: BadFilePolicy, most: float = inf
) -> Iterator[LineBlock]:
    """The lines of a stream of text. Blank ones are counted and left out, at little more than it takes to read them.

    Args:
        open_stream: gives the stream; what it raises counts like damage of the text.
        source: what dead letters call it.
        policy: what to do if it cannot be read to its end.
        most: bytes that are read; more count like damage.

    Raises:
        UnreadableInput: it cannot, and the policy is to fail.
    """
    splitter = _Splitter(source)
    try:
        with open_stream() as stream:
            for pieces in _pieces(stream, most):
                yield from splitter.add(pieces)
    except DAMAGE as error:
        problem = str(error) or type(error).__name__
        raw = splitter.rest[:RAW_BYTES].decode("utf-8", "replace")
        yield LineBlock(lost=[policy.lost(source, splitter.line, problem, raw)])
        return
    yield from splitter.end()


class _Splitter:
    """Cuts blocks of bytes into lines; what is left of the last one waits for the next block."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.line = 1
        self.rest = b""
        self._skipping = False

    def add(self, pieces: list[bytes]) -> Iterator[LineBlock]:
        """Takes the next pieces of the file; most have a newline, and then the text is copied once."""
        if self._skipping:
            pieces = self._skip(b"".join(pieces))
        *pieces, last = [self.rest, *pieces]
        if b"\n" not in last:
            pieces, last = [], b"".join([*pieces, last])
        last, newline, self.rest = last.rpartition(b"\n")
        if newline:
            yield from self._lines(b"".join([*pieces, last]))
        if len(self.rest) > MAX_LINE_BYTES:
            yield LineBlock(lost=[self._too_long(self.line, self.rest)])
            self.line, self.rest, self._skipping = self.line + 1, b"", True

    def _skip(self, data: bytes) -> list[bytes]:
        """What follows the line that is too long; nothing if it goes on."""
        _, newline, data = data.partition(b"\n")
        self._skipping = not newline
        return [data] if newline else []

    def end(self) -> Iterator[LineBlock]:
        """What follows the last newline."""
        if self.rest:
            yield from self._lines(self.rest)

    def _lines(self, text: bytes) -> Iterator[LineBlock]:
        """Whole lines, separated by newlines."""
        first, may_be_long = self.line, len(text) > MAX_LINE_BYTES
        if not may_be_long and (not text or text.isspace()):  # most blank lines are among others of their kind
            self.line += text.count(b"\n") + 1
            return
        lines = TextBlock.of(text)
        self.line += len(lines)
        wanted = lines.filled
        if may_be_long:
            too_long = lines.lengths > MAX_LINE_BYTES
            wanted &= ~too_long
            for index in np.flatnonzero(too_long).tolist():
                yield LineBlock(lost=[self._too_long(first + index, lines[index])])
        lines, numbers = lines.filter(wanted), first + np.flatnonzero(wanted)
        for start in range(0, len(lines), BLOCK_LINES):
            yield LineBlock(numbers[start : start + BLOCK_LINES], lines.part(start, start + BLOCK_LINES))

    def _too_long(self, number: int, line: bytes) -> DeadLetter:
        detail = f"line is longer than {MAX_LINE_BYTES:,} bytes: raw holds its beginning"
        return DeadLetter("malformed", detail, self.path, number, line[:RAW_BYTES].decode("utf-8", "replace"))


def _pieces(stream: io.BufferedReader, most: float) -> Iterator[list[bytes]]:
    """The content in blocks of pieces; what precedes damage comes before its error."""
    pieces: list[bytes] = []
    size, total = 0, 0
    try:
        while piece := stream.read1(PIECE_BYTES):
            total += len(piece)
            if total > most:
                raise OSError(f"it is more than {most:,} bytes of text")
            pieces.append(piece)
            size += len(piece)
            if size >= BLOCK_BYTES:
                yield pieces
                pieces, size = [], 0
    except DAMAGE:
        if pieces:
            yield pieces
        raise
    if pieces:
        yield pieces
