"""JSON lines of any format, in blocks of lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from uncommon_im.pipeline.sources.files.lines import read_blocks
from uncommon_im.pipeline.storage.bad_files import FAIL, BadFilePolicy
from uncommon_im.schemas.event import ALWAYS_NEEDED, EVENT_COLUMNS, FAILED
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.columns.coerce import coerce_values
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.columns.text_lines import TextBlock, TextLines
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.raw_batch import RawBatch
from uncommon_im.transforms.rules.parsing.decode import Decoded, decode_lines, plain_reader
from uncommon_im.transforms.rules.parsing.plain import PlainRecords, PlainTable
from uncommon_im.transforms.rules.parsing.plan import Record

BATCH_BYTES: Final = 1 << 26
"""Text that becomes one batch: the more, the less often each distinct value is looked at."""


@dataclass(frozen=True)
class JsonOptions:
    """How lines are read: the format, whether host ids that are computer names keep their domain, bad files."""

    format: str = "auto"
    keep_domain: bool = False
    policy: BadFilePolicy = FAIL


@dataclass(frozen=True, eq=False)
class Lines:
    """Some lines of a source.

    Args:
        lines: the lines.
        source: where they came from.
        first_line: the number of the first of them there, from 1.
    """

    lines: Sequence[bytes]
    source: str
    first_line: int

    def dead_letter(self, rejection: Rejection) -> DeadLetter:
        """The dead letter of one of the lines, or of one record of those that it holds."""
        line, record = rejection.row, rejection.record
        raw = self.lines[line].rstrip(b"\r") if record is None else msgspec.json.encode(record)
        return DeadLetter(
            rejection.reason, rejection.detail, self.source, self.first_line + line, raw.decode("utf-8", "replace")
        )


@dataclass(frozen=True, eq=False)
class LineBatch(RawBatch):
    """Decoded lines as a batch of records.

    Args:
        lines: the lines.
        rows: the index of each record's line.
        columns: native columns.
        problems: row -> what is wrong.
        letters: the dead letters of what is no record.
        own: row -> its own record, where others share its line.
    """

    lines: Lines
    rows: Sequence[int]
    columns: dict[str, pa.Array]
    problems: dict[int, str] = field(default_factory=dict)
    letters: tuple[DeadLetter, ...] = ()
    own: dict[int, Record] = field(default_factory=dict)

    @property
    def num_rows(self) -> int:
        """Records of the batch."""
        return len(self.rows)

    def column(self, name: str) -> pa.Array | None:
        """A column as the lines held it; `None` if no line had one of that name."""
        return self.columns.get(name)

    def malformed(self) -> dict[int, str]:
        """Rows with a value that its column cannot hold."""
        return self.problems

    def lost(self) -> list[DeadLetter]:
        """Lines that are no record, or no record of an endpoint."""
        return list(self.letters)

    def dead_letters(self, rejections: Sequence[Rejection]) -> list[DeadLetter]:
        """The dead letters of rows: their lines as they were read."""
        of_lines = (Rejection(r.reason, r.detail, self.rows[r.row], self.own.get(r.row)) for r in rejections)
        return [self.lines.dead_letter(rejection) for rejection in of_lines]


@dataclass(frozen=True, eq=False, kw_only=True)
class PlainBatch(LineBatch):
    """A batch of plain records: columns that not every event is asked for are made for the rows that are.

    Pickled, it is its lines.
    """

    records: PlainRecords
    options: JsonOptions

    def __reduce__(self) -> tuple[Callable[[Lines, JsonOptions], LineBatch], tuple[Lines, JsonOptions]]:
        return _line_batch, (self.lines, self.options)

    def column(self, name: str) -> pa.Array | None:
        """A column of the whole batch; `None` if no record has a value."""
        if name in ALWAYS_NEEDED:
            return self.columns.get(name)
        return self.column_at(name, np.arange(self.num_rows))

    def column_at(self, name: str, rows: Longs) -> pa.Array | None:
        """A column at some rows."""
        if name in ALWAYS_NEEDED:
            return super().column_at(name, rows)
        return _column(name, self.records.values(name, rows.tolist()))[0]


def read_lines(path: str, options: JsonOptions) -> Iterator[LineBatch]:
    """The records of a file, a batch or two for each `BATCH_BYTES` of it.

    Raises:
        UnreadableInput: the file cannot be read to its end, and the policy is to fail.
    """
    buffer: _LineBuffer | None = None
    for block in read_blocks(path, options.policy):
        if buffer is not None and (buffer.size >= BATCH_BYTES or buffer.next_line != block.first_line):
            yield from buffer.batches()
            buffer = None
        buffer = buffer or _LineBuffer(path, block.first_line, options)
        buffer.add(block.lines, block.lost)
    if buffer is not None:
        yield from buffer.batches()


def batches_of(lines: Lines, options: JsonOptions) -> Iterator[LineBatch]:
    """Lines, none of which holds a newline, as batches: one of plain records, one of all others."""
    buffer = _LineBuffer(lines.source, lines.first_line, options)
    buffer.add(TextBlock.of_lines(lines.lines))
    return buffer.batches()


class _LineBuffer:
    """Lines of a source that wait to become batches: one of plain records, one of all others."""

    def __init__(self, source: str, first_line: int, options: JsonOptions) -> None:
        self.size = 0
        self._text = TextLines()
        self._lines = Lines(self._text, source, first_line)
        self._lost: list[DeadLetter] = []
        self._options = options
        self._mappings = load_mappings()
        reader = plain_reader(options.format, self._mappings, options.keep_domain)
        self._plain = PlainTable(reader) if reader is not None else None

    @property
    def next_line(self) -> int:
        """The number of the line that follows."""
        return self._lines.first_line + len(self._text)

    def add(self, lines: TextBlock, lost: Iterable[DeadLetter] = ()) -> None:
        """Takes the lines that follow; decodes plain ones at once, while a processor's cache holds them."""
        if self._plain is not None:
            self._plain.add(lines)
        self._text.add(lines)
        self._lost.extend(lost)
        self.size += len(lines.text)

    def batches(self) -> Iterator[LineBatch]:
        """All that was added."""
        others: Sequence[int] | None = None
        if self._plain is not None:
            plain, others = self._plain.records(self._text)
            if len(plain.lines):
                yield PlainBatch(self._lines, plain.lines.tolist(), plain.columns, records=plain, options=self._options)
        options = self._options
        if others == [] and not self._lost:
            return
        decoded = decode_lines(self._text, options.format, self._mappings, options.keep_domain, others)
        yield batch_of(decoded, self._lines.source, self._lines.first_line, self._lost)


def batch_of(decoded: Decoded, source: str, first_line: int, lost: Iterable[DeadLetter] = ()) -> LineBatch:
    """Decoded lines as a batch.

    Args:
        source: where the lines came from.
        first_line: the number of the first of them there, from 1.
        lost: lines that could not be read.
    """
    lines = Lines(decoded.lines, source, first_line)
    columns: dict[str, pa.Array] = {}
    problems: dict[int, str] = {}
    for name in (*EVENT_COLUMNS, FAILED):
        column, found = _column(name, [row.get(name) for row in decoded.rows])
        if column is not None:
            columns[name] = column
        problems = found | problems  # what is wrong with the first such column counts
    letters = map(lines.dead_letter, decoded.rejections)
    return LineBatch(lines, decoded.rows_line, columns, problems, (*lost, *letters), decoded.records)


def _line_batch(lines: Lines, options: JsonOptions) -> LineBatch:
    """The batch of plain records that lines hold."""
    return next(batches_of(lines, options))


def _column(name: str, values: list[object]) -> tuple[pa.Array | None, dict[int, str]]:
    """(a column, or `None` if no row has a value; row -> what is wrong)."""
    if all(value is None for value in values):
        return None, {}
    if name == FAILED:
        return pa.array([value is True for value in values]), {}
    return coerce_values(name, values)
