"""Files of lines as blocks of lines: decompressed piece by piece, in bounded memory, whatever they hold."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final, cast

import pyarrow as pa
from isal import igzip, igzip_lib

from uncommon_im.pipeline.storage.bad_files import BadFilePolicy
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.transforms.rules.columns.text_lines import TextBlock
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter

BLOCK_BYTES: Final = 1 << 20
"""Decompressed text that is read, split and decoded at a time: what a processor's cache holds."""
MAX_LINE_BYTES: Final = 1 << 24
"""A longer line is no record: it becomes a dead letter with its beginning, and costs no more memory than this."""
_PIECE_BYTES: Final = 1 << 16
"""A decompressor that meets damage hands out nothing of the piece that it was asked for."""
_RAW_BYTES: Final = 4096
_UNREADABLE: Final[tuple[type[Exception], ...]] = (
    OSError,
    EOFError,
    zlib.error,
    cast("type[Exception]", igzip_lib.IsalError),
    pa.ArrowException,
)


@dataclass
class LineBlock:
    """Some lines of a file.

    Args:
        first_line: the number of the first of them, from 1.
        lines: without their line ends.
        lost: lines between or after them that were given up: too long, or unreadable.
    """

    first_line: int
    lines: TextBlock = field(default_factory=lambda: TextBlock.of_lines(()))
    lost: list[DeadLetter] = field(default_factory=list)

    @property
    def next_line(self) -> int:
        """The number of the line that follows."""
        return self.first_line + len(self.lines)


def read_blocks(path: str, policy: BadFilePolicy) -> Iterator[LineBlock]:
    """The lines of a file on any file system, `.gz` and `.zst` decompressed.

    Raises:
        UnreadableInput: the file cannot be read to its end, and the policy is to fail.
    """
    return blocks_of(lambda: _open(path), path, policy)


def blocks_of(open_stream: Callable[[], io.BufferedReader], source: str, policy: BadFilePolicy) -> Iterator[LineBlock]:
    """The lines of a stream of text.

    Args:
        open_stream: gives the stream; what it raises counts like damage of the text.
        source: what dead letters call it.
        policy: what to do if it cannot be read to its end.

    Raises:
        UnreadableInput: it cannot, and the policy is to fail.
    """
    splitter = _Splitter(source)
    try:
        with open_stream() as stream:
            for pieces in _pieces(stream):
                yield splitter.add(pieces)
    except _UNREADABLE as error:
        problem = str(error) or type(error).__name__
        raw = splitter.rest[:_RAW_BYTES].decode("utf-8", "replace")
        yield LineBlock(splitter.line, lost=[policy.lost(source, splitter.line, problem, raw)])
        return
    yield splitter.end()


class _Splitter:
    """Cuts blocks of bytes into lines; what is left of the last one waits for the next block."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.line = 1
        self.rest = b""
        self._skipping = False

    def add(self, pieces: list[bytes]) -> LineBlock:
        """Takes the next pieces of the file; most have a newline, and then the text is copied once."""
        if self._skipping:
            pieces = self._skip(b"".join(pieces))
        *pieces, last = [self.rest, *pieces]
        if b"\n" not in last:
            pieces, last = [], b"".join([*pieces, last])
        last, newline, self.rest = last.rpartition(b"\n")
        text = b"".join([*pieces, last])
        block = LineBlock(self.line)
        if newline:
            block.lines = TextBlock.of(text)
        self.line = block.next_line
        if len(text) > MAX_LINE_BYTES:
            self._give_up_long_ones(block)
        if len(self.rest) > MAX_LINE_BYTES:
            block.lost.append(self._too_long(self.line, self.rest))
            self.line, self.rest, self._skipping = self.line + 1, b"", True
        return block

    def _skip(self, data: bytes) -> list[bytes]:
        """What follows the line that is too long; nothing if it goes on."""
        _, newline, data = data.partition(b"\n")
        self._skipping = not newline
        return [data] if newline else []

    def end(self) -> LineBlock:
        return LineBlock(self.line, TextBlock.of_lines([self.rest] if self.rest else ()))

    def _give_up_long_ones(self, block: LineBlock) -> None:
        pieces = list(block.lines)
        for number, piece in enumerate(pieces):
            if len(piece) > MAX_LINE_BYTES:
                block.lost.append(self._too_long(block.first_line + number, piece))
                pieces[number] = b""
        block.lines = TextBlock.of_lines(pieces)

    def _too_long(self, number: int, line: bytes) -> DeadLetter:
        detail = f"line is longer than {MAX_LINE_BYTES:,} bytes: raw holds its beginning"
        return DeadLetter("malformed", detail, self.path, number, line[:_RAW_BYTES].decode("utf-8", "replace"))


def _pieces(stream: io.BufferedReader) -> Iterator[list[bytes]]:
    """The content in blocks of pieces; what precedes damage comes before its error."""
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := stream.read1(_PIECE_BYTES):
            pieces.append(piece)
            size += len(piece)
            if size >= BLOCK_BYTES:
                yield pieces
                pieces, size = [], 0
    except _UNREADABLE:
        if pieces:
            yield pieces
        raise
    if pieces:
        yield pieces


def gunzipped(stream: BinaryIO) -> io.BufferedReader:
    """The decompressed content of a gzip stream, no more at a time than what is asked for."""
    return cast(io.BufferedReader, igzip.IGzipFile(fileobj=stream))


def _open(path: str) -> io.BufferedReader:
    """The decompressed content; decompressors hand out no more than what is asked for at a time."""
    stream = open_binary(path)
    if path.lower().endswith(".gz"):
        return gunzipped(stream)
    if path.lower().endswith(".zst"):
        # It refuses frames that ask for a window of more than 128 MiB, and says when the last one is cut. Its own
        # `read` never frees what it was to return when the data is damaged.
        raw = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
        return io.BufferedReader(cast(io.RawIOBase, raw), _PIECE_BYTES)
    return stream
