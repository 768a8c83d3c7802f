"""JSON lines of any format, in blocks of lines."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import zstandard
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from pipeline.sources.errors import UnreadableInput
from schemas.event import EVENT_COLUMNS, FAILED
from schemas.mapping import load_mappings
from transforms.rules.coerce import coerce_values
from transforms.rules.dead_letter import DeadLetter
from transforms.rules.decode import Decoded, decode_lines
from transforms.rules.normalise import Rejection

BLOCK_BYTES: Final = 1 << 23
"""Text read, decoded and normalised at a time."""


@dataclass(frozen=True)
class JsonOptions:
    """How lines are read: the format, and whether host ids of vendors without agent ids keep their domain."""

    format: str = "auto"
    keep_domain: bool = False


@dataclass(frozen=True, eq=False)
class LineBatch:
    """A block of JSON lines as a batch of records."""

    columns: dict[str, pa.Array]
    rows: tuple[int, ...]
    wrong: dict[int, str]
    dead: tuple[DeadLetter, ...]
    lines: tuple[bytes, ...]
    source: str
    first_line: int

    @property
    def num_rows(self) -> int:
        """Records of the batch."""
        return len(self.rows)

    def column(self, name: str) -> pa.Array | None:
        """A column as the lines held it; `None` if no line had one of that name."""
        return self.columns.get(name)

    def doubtful(self) -> Iterable[str]:
        """None: every value was looked at when the lines were read."""
        return ()

    def unfit(self) -> dict[int, str]:
        """Rows with a value that its column cannot hold."""
        return self.wrong

    def lost(self) -> list[DeadLetter]:
        """Lines that are no record, or no record of an endpoint."""
        return list(self.dead)

    def dead_letters(self, rejections: Sequence[Rejection]) -> list[DeadLetter]:
        """The dead letters of rows: their lines as they were read."""
        return [
            _dead_letter(r.reason, r.detail, self.source, self.first_line, self.rows[r.row], self.lines)
            for r in rejections
        ]


def read_lines(path: str, options: JsonOptions) -> Iterator[LineBatch]:
    """The blocks of a file; `.gz` and `.zst` are decompressed."""
    mappings = load_mappings()
    first_line = 1
    for lines in _line_blocks(path):
        decoded = decode_lines(lines, options.format, mappings, options.keep_domain)
        yield batch_of(decoded, path, first_line)
        first_line += len(lines)


def batch_of(decoded: Decoded, source: str, first_line: int) -> LineBatch:
    """Decoded lines as a batch.

    Args:
        source: where the lines came from.
        first_line: the number of the first of them there, from 1.
    """
    lines = tuple(decoded.lines)
    columns: dict[str, pa.Array] = {}
    wrong: dict[int, str] = {}
    for name in EVENT_COLUMNS:
        values = [row.get(name) for row in decoded.rows]
        if any(value is not None for value in values):
            columns[name], unfit = coerce_values(name, values)
            for row, detail in unfit.items():
                wrong.setdefault(row, detail)
    if any(FAILED in row for row in decoded.rows):
        columns[FAILED] = pa.array([row.get(FAILED) is True for row in decoded.rows])
    dead = tuple(
        _dead_letter(line.reason, line.detail, source, first_line, line.line_index, lines) for line in decoded.dead
    )
    return LineBatch(columns, tuple(decoded.rows_line), wrong, dead, lines, source, first_line)


def _line_blocks(path: str) -> Iterator[list[bytes]]:
    rest = b""
    for block in _blocks(path):
        *lines, rest = (rest + block).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]


def _blocks(path: str) -> Iterator[bytes]:
    """The decompressed content of a file, in blocks.

    Raises:
        UnreadableInput: the file cannot be opened or decompressed; names it.
    """
    try:
        with FileSystems.open(path) as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block
    except (OSError, EOFError, BeamIOError, zlib.error, zstandard.ZstdError) as error:
        raise UnreadableInput(f"{path}: cannot be read: {' '.join(str(error).split())}") from error


def _dead_letter(
    reason: str, detail: str, source: str, first_line: int, index: int, lines: tuple[bytes, ...]
) -> DeadLetter:
    raw = lines[index].rstrip(b"\r").decode("utf-8", "replace")
    return DeadLetter(reason, detail, source, first_line + index, raw)
