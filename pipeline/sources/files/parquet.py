"""Native events in Parquet: row group by row group, column by column, only what is asked for."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.pipeline.sources.files.native_rows import NativeBatch
from uncommon_im.pipeline.sources.files.parquet_file import FORMS, bytes_before, open_parquet, rows_before
from uncommon_im.pipeline.storage.bad_files import FAIL, BadFilePolicy
from uncommon_im.schemas.event import ALWAYS_NEEDED, EVENT_COLUMNS
from uncommon_im.transforms.rules.columns.coerce import is_text
from uncommon_im.transforms.rules.columns.column import Longs, one_chunk
from uncommon_im.transforms.rules.events.raw_batch import DividedBatch

MERGED_RECORDS: Final = 1 << 17
"""Records of row groups that are read together: a batch costs some milliseconds, however few records it has."""
_MERGED_BYTES: Final = 1 << 26
"""What they may take when they are decompressed."""
BATCH_RECORDS: Final = 1 << 20
"""Records of a batch at most: what is made of a record takes more than the record, and the more if it is no event."""


def native_batches(path: str, numbers: range, policy: BadFilePolicy) -> Iterator[RowGroups]:
    """Row groups of a file as batches: small ones together, large ones in parts."""
    rows, size, first = rows_before(path), bytes_before(path), numbers.start
    for number in numbers:
        fits = rows[number + 1] - rows[first] <= MERGED_RECORDS and size[number + 1] - size[first] <= _MERGED_BYTES
        if number > first and not fits:
            yield from RowGroups(path, range(first, number), policy).parts()
            first = number
    if first < numbers.stop:
        yield from RowGroups(path, range(first, numbers.stop), policy).parts()


@dataclass
class RowGroups(NativeBatch):
    """Records of neighbouring row groups as a batch. Columns are read when they are asked for; pickled, it is a
    reference.

    If one of several row groups cannot be read, each is to be read alone: that is a `DividedBatch`.

    Args:
        path: the file.
        numbers: which row groups, from 0.
        policy: what to do when it cannot be read.
        part: which of its rows; `None`: all.
    """

    path: str
    numbers: range
    policy: BadFilePolicy = FAIL
    part: range | None = None

    @classmethod
    def one(cls, path: str, number: int, policy: BadFilePolicy = FAIL) -> RowGroups:
        """The records of one row group."""
        return cls(path, range(number, number + 1), policy)

    def __reduce__(self) -> tuple[type[RowGroups], tuple[str, range, BadFilePolicy, range | None]]:
        return RowGroups, (self.path, self.numbers, self.policy, self.part)

    def parts(self) -> Iterator[RowGroups]:
        """All of its records, `BATCH_RECORDS` at most at a time; each column is read once for all of them."""
        size = self._size
        if size <= BATCH_RECORDS:
            yield self
            return
        for first in range(0, size, BATCH_RECORDS):
            part = RowGroups(self.path, self.numbers, self.policy, range(first, min(first + BATCH_RECORDS, size)))
            part._read = self._read
            yield part

    @property
    def num_rows(self) -> int:
        """Records of the batch."""
        return self._size if self.part is None else len(self.part)

    def column(self, name: str) -> pa.Array | None:
        """A column as the file holds it; `None` if the file has none of that name."""
        if name not in self._names:
            return None
        if name not in self._read:
            wanted = [n for n in ALWAYS_NEEDED if n in self._names] if name in ALWAYS_NEEDED else [name]
            try:
                for columns in open_parquet(self.path).read(self.numbers, wanted):
                    self._read |= {n: _sound(column, self._size) for n, column in columns.items()}
            except (pa.ArrowException, OSError, ValueError) as error:
                self._give_up(error)
            FORMS.learn({n: self._read[n] for n in wanted})
        return self._of_part(self._read[name])

    def column_at(self, name: str, rows: Longs) -> pa.Array | None:
        """A column at some rows; the whole is read."""
        column = self.column(name)
        if column is not None and pa.types.is_nested(column.type):  # it may not be cut into rows, and has no value
            return pa.nulls(len(rows))
        return super().column_at(name, rows)

    @property
    def schema(self) -> pa.Schema:
        """Columns of the file."""
        return open_parquet(self.path).schema

    def place(self, row: int) -> tuple[str, int]:
        """(file, number there from 1) of a row."""
        return self.path, self.first_record + row

    def other(self, name: str) -> pa.ChunkedArray:
        """A column that is none of an event's.

        Raises:
            KeyError: the file has none of that name.
        """
        if name not in self.schema.names:
            raise KeyError(name)
        table = open_parquet(self.path).plain.read_row_groups(list(self.numbers), columns=[name])
        return self._of_part(table.column(0))

    @functools.cached_property
    def first_record(self) -> int:
        """The number of the first row in its file, from 1."""
        before = rows_before(self.path)[self.numbers.start]
        return 1 + before + (0 if self.part is None else self.part.start)

    def _give_up(self, error: Exception) -> NoReturn:
        if len(self.numbers) > 1:
            raise DividedBatch([RowGroups.one(self.path, number, self.policy) for number in self.numbers])
        self.policy.lose(self.path, self.first_record, str(error))

    @functools.cached_property
    def _size(self) -> int:
        before = rows_before(self.path)
        return before[self.numbers.stop] - before[self.numbers.start]

    def _of_part(self, column: Any) -> Any:
        return column if self.part is None else column.slice(self.part.start, len(self.part))

    @functools.cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.schema.names) & frozenset(EVENT_COLUMNS)

    @functools.cached_property
    def _read(self) -> dict[str, pa.Array]:
        return {}


def _sound(column: pa.ChunkedArray, rows: int) -> pa.Array:
    """A column in one piece that every reader can rely on; bytes of text that are no UTF-8 are U+FFFD.

    Arrow takes lengths, dictionary codes and text as the file has them.

    Raises:
        pa.ArrowException: the file is damaged here.
        ValueError: it is.
    """
    array = one_chunk(column)
    if len(array) != rows:
        raise ValueError(f"a column has {len(array):,} values where {rows:,} records are announced")
    try:
        _validate(array)
    except pa.ArrowInvalid:
        if not is_text(array.type):
            raise
        array = _replaced(array)
        _validate(array)
    if pa.types.is_string_view(array.type):  # Arrow cannot take rows of views
        return array.cast(pa.string())
    return array.cast(pa.binary()) if pa.types.is_binary_view(array.type) else array


def _validate(array: pa.Array) -> None:
    """As `array.validate(full=True)`, which takes ten times as long to look at the codes of a dictionary.

    Raises:
        pa.ArrowInvalid: the array is damaged.
    """
    if not pa.types.is_dictionary(array.type):
        array.validate(full=True)
        return
    array.validate()
    array.dictionary.validate(full=True)
    lowest, highest = pc.min_max(array.indices).as_py().values()
    if lowest is not None and not 0 <= lowest <= highest < len(array.dictionary):
        raise pa.ArrowInvalid(f"a dictionary of {len(array.dictionary):,} values has none with the code {highest:,}")


def _replaced(array: pa.Array) -> pa.Array:
    """A text column with U+FFFD for bytes that are no UTF-8."""
    if pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(array.indices, _replaced(array.dictionary))
    values = array.cast(pa.large_binary()).to_pylist()
    return pa.array([value and value.decode("utf-8", "replace") for value in values], pa.string())
