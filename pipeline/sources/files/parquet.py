"""Native events in Parquet: row group by row group, column by column, only what is asked for."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from uncommon_im.pipeline.sources.files.native_rows import NativeBatch
from uncommon_im.pipeline.storage.bad_files import FAIL, BadFilePolicy
from uncommon_im.pipeline.storage.opening import is_remote, open_binary
from uncommon_im.schemas.event import ALWAYS_NEEDED, EVENT_COLUMNS
from uncommon_im.transforms.rules.columns.coerce import is_text
from uncommon_im.transforms.rules.columns.column import Longs, one_chunk

MAX_COLUMN_BYTES: Final = 1 << 30
"""What one column of a row group may become when it is decompressed; files that claim more are refused."""
MAX_ROWS: Final = 1 << 23
"""Records that a row group may have: it is read at once, about 100 bytes a record, however few the file takes."""
_SAMPLE: Final = 1 << 12
"""Records of a row group that are looked at to see whether most of their texts differ."""
BATCH_RECORDS: Final = 1 << 20
"""Records of a batch at most: what is made of a record takes more than the record, and the more if it is no event."""


def row_groups(path: str) -> int:
    """Row groups of a Parquet file.

    Raises:
        ValueError: it is none, a row group would not fit into memory, or a column is there twice.
        OSError: it cannot be read.
    """
    for name, times in Counter(_open(path).schema.names).items():
        if times > 1 and name in EVENT_COLUMNS:
            raise ValueError(f"it has {times} columns {name}: which of them counts?")
    metadata = _open(path).metadata
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        if not 0 <= group.num_rows <= MAX_ROWS:
            raise ValueError(
                f"row group {number} claims {group.num_rows:,} records, more than {MAX_ROWS:,}: "
                "write it with smaller row groups"
            )
        size = _largest_column(group)
        if size > MAX_COLUMN_BYTES:
            raise ValueError(
                f"a column of row group {number} would take {size:,} bytes, more than {MAX_COLUMN_BYTES:,}: "
                "write it with smaller row groups"
            )
    return int(metadata.num_row_groups)


def column_names(path: str) -> list[str]:
    """The columns at the top of a Parquet file; raises what `row_groups` raises."""
    return list(_open(path).schema.names)


def _largest_column(group: Any) -> int:
    """Bytes that the largest column of a row group would take, or at least as many.

    Columns are looked at only if their sum is too large: damage in what the footer says of a column makes Arrow end
    the process there, not so where it reads the column.
    """
    total = int(group.total_byte_size)
    if 0 <= total <= MAX_COLUMN_BYTES:
        return total
    return max((group.column(i).total_uncompressed_size for i in range(group.num_columns)), default=0)


@dataclass
class RowGroup(NativeBatch):
    """Records of one row group as a batch. Columns are read when they are asked for; pickled, it is a reference.

    Args:
        path: the file.
        number: which row group, from 0.
        policy: what to do when it cannot be read.
        part: which of its rows; `None`: all.
    """

    path: str
    number: int
    policy: BadFilePolicy = FAIL
    part: range | None = None

    def __reduce__(self) -> tuple[type[RowGroup], tuple[str, int, BadFilePolicy, range | None]]:
        return RowGroup, (self.path, self.number, self.policy, self.part)

    def parts(self) -> Iterator[RowGroup]:
        """All of its records, `BATCH_RECORDS` at most at a time; each column is read once for all of them."""
        size = self._group_size
        if size <= BATCH_RECORDS:
            yield self
            return
        for first in range(0, size, BATCH_RECORDS):
            part = RowGroup(self.path, self.number, self.policy, range(first, min(first + BATCH_RECORDS, size)))
            part._read = self._read
            yield part

    @property
    def num_rows(self) -> int:
        """Records of the batch."""
        return self._group_size if self.part is None else len(self.part)

    def column(self, name: str) -> pa.Array | None:
        """A column as the file holds it; `None` if the file has none of that name."""
        if name not in self._names:
            return None
        if name not in self._read:
            wanted = [n for n in ALWAYS_NEEDED if n in self._names] if name in ALWAYS_NEEDED else [name]
            try:
                for columns in _open(self.path).read(self.number, wanted):
                    self._read |= {n: _sound(column, self._group_size) for n, column in columns.items()}
            except (pa.ArrowException, OSError, ValueError) as error:
                self.policy.lose(self.path, self.first_record, str(error))
            _FORMS.learn({n: self._read[n] for n in wanted})
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
        return _open(self.path).schema

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
        return self._of_part(_open(self.path).plain.read_row_group(self.number, columns=[name]).column(0))

    @functools.cached_property
    def first_record(self) -> int:
        """The number of the first row in its file, from 1."""
        before = rows_before(self.path)[self.number]
        return 1 + before + (0 if self.part is None else self.part.start)

    @functools.cached_property
    def _group_size(self) -> int:
        return int(_open(self.path).metadata.row_group(self.number).num_rows)

    def _of_part(self, column: Any) -> Any:
        return column if self.part is None else column.slice(self.part.start, len(self.part))

    @functools.cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.schema.names) & frozenset(EVENT_COLUMNS)

    @functools.cached_property
    def _read(self) -> dict[str, pa.Array]:
        return {}


class _Forms:
    """In which form text columns are read: as dictionaries, unless most rows of the row group before differed.

    It costs six times as much to read unique text as a dictionary. Footers do not tell where a writer fell back to
    plain text, and to ask pyarrow of a column in a damaged one ends the process.
    """

    def __init__(self) -> None:
        self._plain = {"event_id"}

    def of(self, names: Iterable[str], coded: frozenset[str]) -> tuple[list[str], list[str]]:
        """(names to be read as dictionaries, others); `coded` are those that can be."""
        dictionaries = [name for name in names if name in coded and name not in self._plain]
        return dictionaries, [name for name in names if name not in dictionaries]

    def learn(self, columns: dict[str, pa.Array]) -> None:
        """Takes note of what was read of a row group."""
        for name, column in columns.items():
            if not is_text(column.type):
                continue
            if pa.types.is_dictionary(column.type):
                if len(column) > _SAMPLE and 2 * len(column.dictionary) > len(column):
                    self._plain.add(name)
            elif name in self._plain and 4 * pc.count_distinct(column[:_SAMPLE]).as_py() < min(len(column), _SAMPLE):
                self._plain.remove(name)


_FORMS: Final = _Forms()
"""Of this process: files of one lake are alike."""


@dataclass(frozen=True)
class _File:
    """A Parquet file, open in both forms."""

    plain: pq.ParquetFile
    coded: pq.ParquetFile
    dictionaries: frozenset[str]

    @property
    def metadata(self) -> pq.FileMetaData:
        return self.plain.metadata

    @property
    def schema(self) -> pa.Schema:
        return self.plain.schema_arrow

    def read(self, number: int, names: Iterable[str]) -> Iterator[dict[str, pa.ChunkedArray]]:
        """Columns of a row group by their names, in one or two parts."""
        for file, wanted in zip((self.coded, self.plain), _FORMS.of(names, self.dictionaries), strict=True):
            if wanted:
                table = file.read_row_group(number, columns=wanted, use_threads=False)
                yield {name: table.column(name) for name in wanted}


@functools.lru_cache(4)
def _open(path: str) -> _File:
    """A Parquet file. The last few stay open."""
    # Arrow takes `a:b` for an address, and `~` for a home; mapped, all of it would count as this process's memory
    sources = [open_binary(path) if is_remote(path) else Path(path).absolute() for _ in range(2)]
    plain = pq.ParquetFile(sources[0], pre_buffer=is_remote(path))
    names = [f.name for f in plain.schema_arrow if EVENT_COLUMNS.get(f.name) == "text" and is_text(f.type)]
    coded = pq.ParquetFile(sources[1], metadata=plain.metadata, read_dictionary=names, pre_buffer=is_remote(path))
    return _File(plain, coded, frozenset(names))


@functools.lru_cache(4)
def rows_before(path: str) -> list[int]:
    """Rows of a Parquet file before each of its row groups."""
    metadata = _open(path).metadata
    sizes = (int(metadata.row_group(number).num_rows) for number in range(metadata.num_row_groups))
    return [0, *accumulate(sizes)]


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
