"""Columns of many events at a time: text as codes into few values, so that each distinct value is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.transforms.rules.columns.arrow_text import matches, needs_cleaning
from uncommon_im.transforms.rules.columns.text import clean_text

Codes = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Result = TypeVar("Result")


_SAMPLE: Final = 1 << 12
"""Rows of a column that are looked at to see whether most have a value of their own."""


@dataclass(frozen=True, eq=False)
class Text:
    """A text column: `dictionary[codes[row]]` is the row's value, code -1 a missing one.

    Rows of one value have one code, unless the column is `loose`: then its dictionary may repeat itself.
    """

    codes: Codes
    dictionary: pa.StringArray
    loose: bool = False

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def values(self) -> list[str]:
        """The distinct values, in the order of their codes."""
        values: list[str] = self.dictionary.to_pylist()
        return values

    @cached_property
    def present(self) -> Mask:
        """Rows that have a value."""
        return self.codes >= 0

    def take(self, rows: Longs) -> Text:
        """The column at the given rows, and the values that occur there, each once."""
        taken = Text(self.codes[rows], self.dictionary).compact()
        return taken.unite() if self.loose else taken

    def compact(self) -> Text:
        """The column without values that do not occur, where leaving them out is worth it."""
        if len(self.dictionary) <= len(self.codes):
            return self
        used = np.zeros(len(self.dictionary) + 1, np.bool_)
        used[self.codes] = True
        used[-1] = False
        dense = np.cumsum(used, dtype=np.int32) - np.int32(1)
        dense[-1] = -1
        return Text(dense[self.codes], self.dictionary.filter(pa.array(used[:-1])))

    def only(self, kept: Mask) -> Text:
        """The column without the dictionary's other values."""
        if kept.all():
            return self
        table = np.append(np.where(kept, np.arange(len(kept), dtype=np.int32), np.int32(-1)), np.int32(-1))
        return replace(self, codes=table[self.codes])

    def translate(self, function: Callable[[str], str | None]) -> Text:
        """Every value replaced by `function(value)`; `None` makes it missing, equal results share a code."""
        results = list(map(function, self.values))
        if results == self.values and len(set(results)) == len(results):
            return self
        known: dict[str, int] = {}
        codes = [-1 if result is None else known.setdefault(result, len(known)) for result in results]
        return Text(np.array([*codes, -1], np.int32)[self.codes], pa.array(known, pa.string()))

    def amend(self, doubtful: Mask, function: Callable[[str], str | None]) -> Text:
        """As `translate(function)` where `function` changes none but the doubtful ones of the dictionary's values.

        Only these become Python objects.
        """
        codes = np.flatnonzero(doubtful)
        values = self.dictionary.take(pa.array(codes)).to_pylist()
        results = list(map(function, values))
        amended = {code: new for code, old, new in zip(codes.tolist(), values, results, strict=True) if new != old}
        if not amended:
            return self
        fresh = pa.array({new: None for new in amended.values() if new is not None}, pa.string())
        known = pc.index_in(fresh, self.dictionary).to_pylist() if len(fresh) else []
        added = len(self.dictionary)
        places: dict[str | None, int] = {None: -1}
        for value, place in zip(fresh.to_pylist(), known, strict=True):
            if place is None or place in amended:  # not there, or only until it is amended itself
                place, added = added, added + 1
            places[value] = place
        table = np.arange(len(self.dictionary) + 1, dtype=np.int32)
        table[-1] = -1
        table[list(amended)] = [places[new] for new in amended.values()]
        news = [value for value, place in places.items() if place >= len(self.dictionary)]
        return Text(table[self.codes], pa.concat_arrays([self.dictionary, pa.array(news, pa.string())]), self.loose)

    def clean(self) -> Text:
        """As `translate(clean_text)`, and without a look at every value where few need it."""
        return self.amend(needs_cleaning(self.dictionary), clean_text)

    def unite(self) -> Text:
        """The column with each value once in its dictionary."""
        encoded = self.dictionary.dictionary_encode()
        if len(encoded.dictionary) == len(self.dictionary):
            return replace(self, loose=False)
        return Text(np.append(encoded.indices.to_numpy(), np.int32(-1))[self.codes], encoded.dictionary)

    def lookup(self, function: Callable[[str], Result], missing: Result, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """`function(value)` of each row as an array of `dtype`; `missing` where there is no value."""
        table = np.array([*map(function, self.values), missing], dtype=dtype)
        return table[self.codes]

    def lookup_some(
        self,
        some: Callable[[pa.StringArray], Mask],
        function: Callable[[str], Result],
        otherwise: Result,
        dtype: npt.DTypeLike,
    ) -> npt.NDArray[Any]:
        """As `lookup`, asked only of `some(dictionary)`; `otherwise` for other values, and where there is none."""
        table = np.full(len(self.dictionary) + 1, otherwise, dtype)
        asked = np.flatnonzero(some(self.dictionary))
        if len(asked):
            table[asked] = list(map(function, self.dictionary.take(pa.array(asked)).to_pylist()))
        return table[self.codes]

    def among(self, pattern: str, function: Callable[[str], bool]) -> Mask:
        """Rows whose value `function` holds for, asked only of values that match an RE2 pattern."""
        return self.lookup_some(partial(matches, pattern=pattern), function, False, np.bool_)

    def fill(self, value: str) -> Text:
        """The column with `value` where it is missing."""
        if bool(self.present.all()):
            return self
        filled = np.where(self.present, self.codes, np.int32(len(self.dictionary)))
        return Text(filled, pa.concat_arrays([self.dictionary, pa.array([value])])).unite()

    def at(self, row: int) -> str | None:
        """The value of one row."""
        return self.at_rows([row])[0]

    def at_rows(self, rows: Sequence[int] | Longs) -> list[str | None]:
        """The values of some rows."""
        values = [*self.values, None]
        return [values[code] for code in self.codes[rows].tolist()]

    def arrow(self) -> pa.Array:
        """The column as an Arrow dictionary array."""
        indices = pa.array(self.codes, mask=None if bool(self.present.all()) else ~self.present)
        return pa.DictionaryArray.from_arrays(indices, self.dictionary)


@dataclass(frozen=True)
class Numbers:
    """An integer column; `values` is 0 where `present` is false."""

    values: Longs
    present: Mask

    def take(self, rows: Longs) -> Numbers:
        """The column at the given rows."""
        return Numbers(self.values[rows], self.present[rows])

    def arrow(self) -> pa.Array:
        """The column as an Arrow int64 array."""
        return pa.array(self.values, mask=~self.present)


def constant(value: str | None, rows: int) -> Text:
    """A text column of one value, or of none."""
    codes = np.full(rows, -1 if value is None else 0, dtype=np.int32)
    return Text(codes, pa.array([] if value is None else [value], pa.string()))


def text_of(array: pa.Array | pa.ChunkedArray) -> Text:
    """An Arrow string or dictionary column."""
    if isinstance(array, pa.ChunkedArray):
        array = one_chunk(array)
    if not pa.types.is_dictionary(array.type):
        array = pc.dictionary_encode(array.cast(pa.string()))
    codes = _integers(array.indices, missing=-1).astype(np.int32, copy=False)
    dictionary = array.dictionary.cast(pa.string())
    if dictionary.null_count:
        return Text(codes, dictionary.fill_null("")).translate(lambda value: value or None)
    return Text(codes, dictionary)


def loose_text_of(array: pa.Array) -> Text:
    """As `text_of`; where most rows have a value of their own, each keeps it: to sort them out would take longer than
    to look at each."""
    if pa.types.is_dictionary(array.type):
        return text_of(array)
    values = array.cast(pa.string())
    if pc.count_distinct(values[:_SAMPLE]).as_py() <= _SAMPLE // 2:
        return text_of(values)
    codes = np.arange(len(values), dtype=np.int32)
    if values.null_count:
        codes[values.is_null().to_numpy(zero_copy_only=False)] = -1
    return Text(codes, values.fill_null(""), loose=True)


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece, its dictionaries made one."""
    return column.chunk(0) if column.num_chunks == 1 else column.unify_dictionaries().combine_chunks()


def numbers_of(array: pa.Array | pa.ChunkedArray) -> Numbers:
    """An Arrow integer column."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    present = array.is_valid().to_numpy(zero_copy_only=False)
    return Numbers(_integers(array, missing=0).astype(np.int64, copy=False), present)


def _integers(array: pa.Array, missing: int) -> npt.NDArray[Any]:
    """An integer array without Arrow's slow way around nulls."""
    if not array.null_count:
        return array.to_numpy()
    width = np.dtype(str(array.type))
    values = np.frombuffer(array.buffers()[1], width)[array.offset : array.offset + len(array)].copy()
    np.copyto(values, missing, where=array.is_null().to_numpy(zero_copy_only=False))
    return values


def group_rows(columns: Iterable[npt.NDArray[np.integer[Any]]]) -> tuple[Longs, Longs]:
    """Rows that agree in every column form a group.

    Returns:
        (group of each row, first row of each group); groups are numbered in the order of the columns' values.
    """
    keys: Longs | None = None
    size = 1
    for column in columns:
        low = int(column.min(initial=0))
        span = int(column.max(initial=0)) - low + 1
        shifted = column.astype(np.int64) - low
        if keys is None:
            keys, size = shifted, span
            continue
        if size * span >= 2**62:
            distinct, keys = np.unique(keys, return_inverse=True)
            size = len(distinct)
        keys = keys * span + shifted
        size *= span
    if keys is None:
        raise ValueError("group_rows needs at least one column")
    _, first, groups = np.unique(keys, return_index=True, return_inverse=True)
    return groups.astype(np.int64, copy=False), first.astype(np.int64, copy=False)


def run_starts(ordered: npt.NDArray[Any]) -> Longs:
    """Where each run of equal values of a sorted array begins."""
    changes = np.ones(len(ordered), np.bool_)
    changes[1:] = ordered[1:] != ordered[:-1]
    return np.flatnonzero(changes)


def column_codes(table: pa.Table, names: Sequence[str]) -> list[npt.NDArray[np.integer[Any]]]:
    """The named columns of a table as integers that are equal where the values are; nulls equal each other."""
    columns: list[npt.NDArray[np.integer[Any]]] = []
    for name in names:
        column = table.column(name)
        if pa.types.is_integer(column.type):
            columns.append(column.to_numpy())
        elif pa.types.is_boolean(column.type):
            columns.append(column.cast(pa.int8()).to_numpy())
        else:
            columns.append(text_of(column).codes)
    return columns
