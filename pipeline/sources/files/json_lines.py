"""JSON lines of any format, in blocks of lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Raw

from uncommon_im.pipeline.sources.files.content import RECOGNISED, ContentOptions
from uncommon_im.pipeline.sources.files.lines import LineBlock
from uncommon_im.pipeline.storage.bad_files import FAIL, BadFilePolicy
from uncommon_im.schemas.event import ALWAYS_NEEDED, EVENT_COLUMNS
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.columns.coerce import coerce_column
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.columns.text_lines import TextBlock, TextLines
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.raw_batch import RawBatch
from uncommon_im.transforms.rules.parsing.decode import Decoded, Decoder, plain_reader
from uncommon_im.transforms.rules.parsing.lookups import Record
from uncommon_im.transforms.rules.parsing.plain.records import PlainRecords, PlainTable

BATCH_BYTES: Final = 1 << 26
"""Text that becomes one batch: the more, the less often each distinct value is looked at."""
BATCH_RECORDS: Final = 1 << 17
"""Lines that become one batch, and records of a batch that share lines: each costs memory, however short it is."""


@dataclass(frozen=True)
class JsonOptions:
    """How records are read: the format, whether host ids that are computer names keep their domain, bad files, and what
    files are."""

    format: str = "auto"
    keep_domain: bool = False
    policy: BadFilePolicy = FAIL
    content: ContentOptions = RECOGNISED


ANY_FORMAT: Final = JsonOptions()
"""Nothing is given: whatever files and records are is found out."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Some lines of a source.

    Args:
        lines: the lines.
        source: where they came from.
        numbers: of each of them there, from 1.
    """

    lines: Sequence[bytes]
    source: str
    numbers: Longs

    def dead_letter(self, rejection: Rejection) -> DeadLetter:
        """The dead letter of one of the lines, or of one record of those that it holds."""
        line, record = rejection.row, rejection.record
        raw = self.lines[line].rstrip(b"\r") if record is None else msgspec.json.encode(record)
        text = raw.decode("utf-8", "replace")
        return DeadLetter(rejection.reason, rejection.detail, self.source, int(self.numbers[line]), text)


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
    own: dict[int, Record | Raw] = field(default_factory=dict)

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
        return self.records.column_at(name, rows)


def read_lines(blocks: Iterable[LineBlock], source: str, options: JsonOptions) -> Iterator[LineBatch]:
    """The records of a file, a batch or two for each `BATCH_BYTES` or `BATCH_RECORDS` of it.

    Args:
        blocks: its lines.
        source: what dead letters call it.
    """
    buffer = _LineBuffer(source, options)
    for block in blocks:
        if buffer.full:
            yield from buffer.batches()
            buffer = _LineBuffer(source, options)
        buffer.add(block)
    yield from buffer.batches()


def batches_of(lines: Lines, options: JsonOptions) -> Iterator[LineBatch]:
    """Lines, none of which holds a newline, as batches: one of plain records, others of all others."""
    buffer = _LineBuffer(lines.source, options)
    buffer.add(LineBlock(lines.numbers, TextBlock.of_lines(lines.lines)))
    return buffer.batches()


class _LineBuffer:
    """Lines of a source that wait to become batches: one of plain records, others of all others."""

    def __init__(self, source: str, options: JsonOptions) -> None:
        self._source = source
        self._size = 0
        self._text = TextLines()
        self._numbers: list[Longs] = []
        self._lost: list[DeadLetter] = []
        self._options = options
        self._mappings = load_mappings()
        reader = plain_reader(options.format, self._mappings, options.keep_domain)
        self._plain = PlainTable(reader) if reader is not None else None

    @property
    def full(self) -> bool:
        """True when it is time to make batches."""
        return self._size >= BATCH_BYTES or len(self._text) >= BATCH_RECORDS

    def add(self, block: LineBlock) -> None:
        """Takes the lines that follow; decodes plain ones at once, while a processor's cache holds them."""
        if self._plain is not None:
            self._plain.add(block.lines)
        self._text.add(block.lines)
        self._numbers.append(block.numbers)
        self._lost.extend(block.lost)
        self._size += len(block.lines.text) + sum(len(letter.raw) for letter in block.lost)

    def batches(self) -> Iterator[LineBatch]:
        """All that was added."""
        options, others = self._options, None
        lines = Lines(self._text, self._source, np.concatenate([np.zeros(0, np.int64), *self._numbers]))
        if self._plain is not None:
            plain, others = self._plain.records(self._text)
            if len(plain.lines):
                yield PlainBatch(lines, plain.lines.tolist(), plain.columns, records=plain, options=options)
        if self._lost:
            yield batch_of_lost(self._lost)
        decoder = Decoder(options.format, self._mappings, options.keep_domain)
        for decoded in decoder.parts(self._text, BATCH_RECORDS, others):
            yield batch_of(decoded, self._source, lines.numbers)


def batch_of(decoded: Decoded, source: str, numbers: Longs) -> LineBatch:
    """Decoded lines as a batch.

    Args:
        source: where the lines came from.
        numbers: of each of the lines there, from 1.
    """
    lines = Lines(decoded.lines, source, numbers)
    columns: dict[str, pa.Array] = {}
    problems: dict[int, str] = {}
    for name in EVENT_COLUMNS:
        column, found = coerce_column(name, [row.get(name) for row in decoded.rows])
        if column is not None:
            columns[name] = column
        problems = found | problems  # what is wrong with the first such column counts
    letters = tuple(map(lines.dead_letter, decoded.rejections))
    return LineBatch(lines, decoded.rows_line, columns, problems, letters, decoded.records)


def batch_of_lost(letters: Iterable[DeadLetter]) -> LineBatch:
    """A batch without records: what could not be read, or was no record."""
    return LineBatch(Lines([], "", np.zeros(0, np.int64)), [], {}, letters=tuple(letters))


def _line_batch(lines: Lines, options: JsonOptions) -> LineBatch:
    """The batch of plain records that lines hold."""
    return next(batches_of(lines, options))
