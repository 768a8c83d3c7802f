"""JSON lines of any format, in blocks of lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipeline.sources.errors import FAIL, BadFilePolicy
from pipeline.sources.lines import read_blocks
from schemas.event import EVENT_COLUMNS, FAILED
from schemas.mapping import load_mappings
from transforms.rules.coerce import coerce_values
from transforms.rules.dead_letter import DeadLetter
from transforms.rules.decode import Decoded, decode_lines
from transforms.rules.normalise import Rejection


@dataclass(frozen=True)
class JsonOptions:
    """How lines are read: the format, whether host ids that are computer names keep their domain, bad files."""

    format: str = "auto"
    keep_domain: bool = False
    policy: BadFilePolicy = FAIL


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
    """The records of a file, a batch a block of lines.

    Raises:
        UnreadableInput: the file cannot be read to its end, and the policy is to fail.
    """
    mappings = load_mappings()
    for block in read_blocks(path, options.policy):
        decoded = decode_lines(block.lines, options.format, mappings, options.keep_domain)
        yield batch_of(decoded, path, block.first_line, block.lost)


def batch_of(decoded: Decoded, source: str, first_line: int, lost: Iterable[DeadLetter] = ()) -> LineBatch:
    """Decoded lines as a batch.

    Args:
        source: where the lines came from.
        first_line: the number of the first of them there, from 1.
        lost: lines that could not be read.
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
    dead = [_dead_letter(line.reason, line.detail, source, first_line, line.line_index, lines) for line in decoded.dead]
    return LineBatch(columns, tuple(decoded.rows_line), wrong, (*lost, *dead), lines, source, first_line)


def _dead_letter(
    reason: str, detail: str, source: str, first_line: int, index: int, lines: tuple[bytes, ...]
) -> DeadLetter:
    raw = lines[index].rstrip(b"\r").decode("utf-8", "replace")
    return DeadLetter(reason, detail, source, first_line + index, raw)
