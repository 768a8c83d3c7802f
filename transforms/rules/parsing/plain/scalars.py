"""Fields of many loose records: each value as a code into the few distinct ones, so that each is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.transforms.rules.columns.arrow_text import needs_cleaning
from uncommon_im.transforms.rules.columns.coerce import Scalar
from uncommon_im.transforms.rules.columns.column import Codes, Longs, Mask
from uncommon_im.transforms.rules.columns.text import is_marker
from uncommon_im.transforms.rules.parsing.converters import FORESEEN, Converter
from uncommon_im.transforms.rules.parsing.lookups import is_value

Finish = Callable[[Scalar], str | int | None]


class Scalars:
    """One field of some records: texts and whole numbers, `None` where a record has no value."""

    def __init__(self) -> None:
        """A field of no records; `add` adds them."""
        self._chunks: list[Any] = []
        self._types: set[pa.DataType | None] = set()
        self._expected: pa.DataType = pa.string()

    def add(self, values: Sequence[Scalar]) -> None:
        """The values of further records; best some hundred at a time, while a processor's cache holds them."""
        chunk: Any = values
        kind: pa.DataType | None = None
        if not values or (values[0] is None and values.count(None) == len(values)):
            chunk, kind = pa.nulls(len(values)), pa.null()
        else:
            for kind in (self._expected, pa.string(), pa.int64()):
                try:
                    chunk = pa.array(values, kind)
                    break
                except (pa.ArrowException, TypeError, OverflowError):
                    kind = None  # numbers and texts, or a number that 64 bits do not hold
            self._expected = kind or self._expected
        self._chunks.append(chunk)
        self._types.add(kind)

    @cached_property
    def empty(self) -> bool:
        """True if no record has a value."""
        return self._types <= {pa.null()}

    @cached_property
    def integers(self) -> pa.Array | None:
        """The values as an int64 array if all that are there are whole numbers that it holds."""
        if pa.int64() not in self._types or not self._types <= {pa.int64(), pa.null()}:
            return None
        return pa.concat_arrays([chunk.cast(pa.int64()) for chunk in self._chunks])

    @property
    def codes(self) -> Codes:
        """Each record's value as its place among `values`, -1 for none."""
        return self._encoded[0]

    @property
    def texts(self) -> pa.StringArray | None:
        """The distinct values if all are texts."""
        return self._encoded[1]

    @cached_property
    def values(self) -> list[Scalar]:
        """The distinct values."""
        _, texts, values = self._encoded
        return values if texts is None else texts.to_pylist()

    @property
    def size(self) -> int:
        """How many distinct values there are."""
        return len(self.values if self.texts is None else self.texts)

    @cached_property
    def present(self) -> Mask:
        """Records that have a value."""
        return self.codes >= 0

    @cached_property
    def informative(self) -> Mask:
        """Records whose value is more than a marker of a missing one."""
        return self.lookup(is_value, False, np.bool_)

    def lookup(self, function: Callable[[Scalar], Any], missing: Any, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """`function(value)` of each record as an array of `dtype`; `missing` where there is no value."""
        return np.array([*map(function, self.values), missing], dtype)[self.codes]

    @cached_property
    def _encoded(self) -> tuple[Codes, pa.StringArray | None, list[Scalar]]:
        if self._types <= {pa.string(), pa.null()}:
            chunks = [chunk.cast(pa.string()) for chunk in self._chunks]
            encoded = pa.concat_arrays(chunks).dictionary_encode()
            return encoded.indices.fill_null(-1).to_numpy(), encoded.dictionary, []
        known: dict[Scalar, int] = {}
        codes: list[int] = []
        for chunk in self._chunks:
            values = chunk.to_pylist() if isinstance(chunk, pa.Array) else chunk
            codes += [-1 if value is None else known.setdefault(value, len(known)) for value in values]
        return np.array(codes, np.int32), None, list(known)


class UnreadField(LookupError):
    """A field is needed that was not read."""


class Fields:
    """Fields of some records by their keys. Not all need to be read: which ones are looked at is known afterwards.

    Attributes:
        looked_at: keys of fields that were needed.
    """

    def __init__(self, read: Iterable[str], all: Iterable[str]) -> None:
        """No records yet; `read` are the keys of those of all fields whose values will be added."""
        self._read = {key: Scalars() for key in read}
        self._all = frozenset(all)
        self.looked_at: set[str] = set()

    def add(self, columns: Iterable[Sequence[Scalar]]) -> None:
        """The values of further records, a column per field that is read."""
        for scalars, column in zip(self._read.values(), columns, strict=True):
            scalars.add(column)

    def __contains__(self, key: str) -> bool:
        """True for a field that may be asked for."""
        return key in self._all

    def __getitem__(self, key: str) -> Scalars:
        """A field.

        Raises:
            UnreadField: it was not read.
        """
        self.looked_at.add(key)
        if key not in self._read:
            raise UnreadField(key)
        return self._read[key]


class Coalesced:
    """A column that takes the first of several fields that has a value, a group of rows at a time."""

    def __init__(self, size: int, finish: Finish, type: pa.DataType) -> None:
        """A column of `size` rows without values; `finish` makes a converted value one of `type`."""
        self._codes = np.full(size, -1, np.int32)
        self._values: list[pa.Array] = []
        self._length = 0
        self._finish = finish
        self._type = type
        self._is_text = bool(pa.types.is_string(type))

    def fill(
        self, rows: Longs, fields: Fields, choices: Sequence[tuple[str, Converter | None]], constant: Scalar
    ) -> None:
        """Gives rows their value, and looks at no more fields than that takes.

        Where all fields hold but markers of missing values, the first marker counts; a single field is taken as it is.

        Args:
            rows: rows that have none yet.
            fields: fields of all rows.
            choices: keys of fields, and what makes their values those of the column: `None` as result is no value.
            constant: the value of rows that have none then.
        """
        found = np.full(len(rows), -1, np.int32)
        markers = found
        for key, convert in choices:
            field = fields[key]
            if field.empty:
                continue
            values, marks = self._outcomes(field, convert, with_markers=len(choices) > 1)
            codes = field.codes[rows]
            found = np.where(found < 0, values[codes], found)
            if marks is not None:
                markers = np.where(markers < 0, marks[codes], markers)
            if (found >= 0).all():
                break
        found = np.where(found < 0, markers, found)
        if constant is not None and (found < 0).any():
            found[found < 0] = self._add_scalars([constant])[0]
        self._codes[rows] = found

    def array(self) -> pa.Array | None:
        """The column: texts as a dictionary; `None` if no row has a value."""
        if not self._values:
            return None
        values = pc.dictionary_encode(pa.concat_arrays(self._values))
        places = np.append(values.indices.fill_null(-1).to_numpy(), np.int32(-1))[self._codes]
        indices = pa.array(places, mask=places < 0)
        column = pa.DictionaryArray.from_arrays(indices, values.dictionary)
        return column if self._is_text else column.dictionary_decode()

    def _add(self, values: pa.Array) -> int:
        """Takes further values in; returns the code of the first."""
        first = self._length
        self._values.append(values)
        self._length += len(values)
        return first

    def _outcomes(self, field: Scalars, convert: Converter | None, with_markers: bool) -> tuple[Codes, Codes | None]:
        """(code of what each value becomes, code of each value that is a marker), -1 for none and at the end."""
        codes = np.full(field.size + 1, -1, np.int32)
        looked_at = np.ones(field.size, np.bool_)
        if self._is_text and field.texts is not None and convert in FORESEEN:
            kept, looked_at = _foreseen(field.texts, convert)
            codes[:-1][kept] = self._add(field.texts) + np.flatnonzero(kept)
        marked = _marked(field) if with_markers else []
        looked_at[marked] = False
        codes[marked] = -1
        rest = np.flatnonzero(looked_at)
        if len(rest):
            known = field.values
            converted = [known[place] if convert is None else convert(known[place]) for place in rest.tolist()]
            codes[rest] = self._add_scalars(converted)
        if not marked:
            return codes, None
        marks = np.full(field.size + 1, -1, np.int32)
        marks[marked] = self._add_scalars([field.values[place] for place in marked])
        return codes, marks

    def _add_scalars(self, values: Sequence[Scalar]) -> Codes:
        """Takes values in and returns their codes, -1 for `None`."""
        finished = pa.array([None if value is None else self._finish(value) for value in values], self._type)
        codes = np.arange(len(values), dtype=np.int32) + self._add(finished)
        return np.where(np.array([value is None for value in values]), np.int32(-1), codes)


def _foreseen(texts: pa.StringArray, convert: Converter | None) -> tuple[Mask, Mask]:
    """(texts that a converter leaves as they are, texts that it has to look at)."""
    pattern, kept = FORESEEN[convert]
    if pattern is None:
        return np.ones(len(texts), np.bool_), np.zeros(len(texts), np.bool_)
    matched = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return matched & kept, ~matched


def _marked(field: Scalars) -> list[int]:
    """Places of values that are markers of missing values."""
    if field.texts is None:
        return [place for place, value in enumerate(field.values) if type(value) is str and is_marker(value)]
    places = np.flatnonzero(needs_cleaning(field.texts)).tolist()
    return [place for place in places if is_marker(field.texts[place].as_py())]
