"""Parquet files of native events: what their footers say, and their columns in the form that costs least."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from uncommon_im.pipeline.storage.opening import is_remote, open_binary
from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.transforms.rules.columns.coerce import is_text

MAX_COLUMN_BYTES: Final = 1 << 30
"""What one column of a row group may become when it is decompressed; files that claim more are refused."""
MAX_ROWS: Final = 1 << 23
"""Records that a row group may have: it is read at once, about 100 bytes a record, however few the file takes."""
_SAMPLE: Final = 1 << 12
"""Records of a row group that are looked at to see whether most of their texts differ."""


def row_groups(path: str) -> list[int]:
    """The records of each row group of a Parquet file.

    Raises:
        ValueError: it is none, a row group would not fit into memory, or a column is there twice.
        OSError: it cannot be read.
    """
    for name, times in Counter(open_parquet(path).schema.names).items():
        if times > 1 and name in EVENT_COLUMNS:
            raise ValueError(f"it has {times} columns {name}: which of them counts?")
    metadata, sizes = open_parquet(path).metadata, []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        sizes.append(int(group.num_rows))
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
    return sizes


def column_names(path: str) -> list[str]:
    """The columns at the top of a Parquet file; raises what `row_groups` raises."""
    return list(open_parquet(path).schema.names)


def _largest_column(group: Any) -> int:
    """Bytes that the largest column of a row group would take, or at least as many.

    Columns are looked at only if their sum is too large: damage in what the footer says of a column makes Arrow end
    the process there, not so where it reads the column.
    """
    total = int(group.total_byte_size)
    if 0 <= total <= MAX_COLUMN_BYTES:
        return total
    return max((group.column(i).total_uncompressed_size for i in range(group.num_columns)), default=0)


class Forms:
    """In which form text columns are read: as dictionaries, unless nearly all rows of the row group before differed.

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
                if len(column) > _SAMPLE and 5 * len(column.dictionary) > 4 * len(column):
                    self._plain.add(name)
            elif name in self._plain and 4 * pc.count_distinct(column[:_SAMPLE]).as_py() < min(len(column), _SAMPLE):
                self._plain.remove(name)


FORMS: Final = Forms()
"""Of this process: files of one lake are alike."""


@dataclass(frozen=True)
class ParquetFile:
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

    def read(self, numbers: range, names: Iterable[str]) -> Iterator[dict[str, pa.ChunkedArray]]:
        """Columns of some row groups by their names, in one or two parts."""
        for file, wanted in zip((self.coded, self.plain), FORMS.of(names, self.dictionaries), strict=True):
            if wanted:
                table = file.read_row_groups(list(numbers), columns=wanted, use_threads=False)
                yield {name: table.column(name) for name in wanted}


@functools.lru_cache(4)
def open_parquet(path: str) -> ParquetFile:
    """A Parquet file. The last few stay open."""
    # Arrow takes `a:b` for an address, and `~` for a home; mapped, all of it would count as this process's memory
    sources = [open_binary(path) if is_remote(path) else Path(path).absolute() for _ in range(2)]
    plain = pq.ParquetFile(sources[0], pre_buffer=is_remote(path))
    names = [f.name for f in plain.schema_arrow if EVENT_COLUMNS.get(f.name) == "text" and is_text(f.type)]
    coded = pq.ParquetFile(sources[1], metadata=plain.metadata, read_dictionary=names, pre_buffer=is_remote(path))
    return ParquetFile(plain, coded, frozenset(names))


@functools.lru_cache(4)
def rows_before(path: str) -> list[int]:
    """Rows of a Parquet file before each of its row groups, and of all."""
    return _before(path, lambda group: int(group.num_rows))


@functools.lru_cache(4)
def bytes_before(path: str) -> list[int]:
    """What the row groups of a Parquet file before each of them take, and all, when they are decompressed."""
    return _before(path, lambda group: max(0, int(group.total_byte_size)))


def _before(path: str, size: Callable[[Any], int]) -> list[int]:
    metadata = open_parquet(path).metadata
    return [0, *accumulate(size(metadata.row_group(number)) for number in range(metadata.num_row_groups))]
