"""Columns of many events at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import quick
from uncommon_im.transforms.rules.columns.column import (
    Text,
    column_codes,
    constant,
    group_rows,
    loose_text_of,
    numbers_of,
    run_starts,
    text_of,
)
from uncommon_im.transforms.rules.columns.text import clean_text

Values = list[str | None]

FEW = st.lists(st.none() | st.sampled_from(["a", "B", "b", "long enough", ""]), max_size=8)
ANY = st.lists(
    st.none()
    | st.text(max_size=12)
    | st.sampled_from(["null", " unknown ", "N/A", "-", "\u2003eight signs", "eight signs\x1f", "\x7f eight signs"])
)


def of(text: Text) -> Values:
    listed: Values = text.arrow().to_pylist()
    return listed


def rows(*numbers: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["a", None, "b", "a"]),
        pa.array(["a", None, "b", "a"], pa.large_string()),
        pa.array(["a", None, "b", "a"], pa.string_view()),
        pa.array(["a", None, "b", "a"]).dictionary_encode(),
        pa.array(["x", "a", None, "b", "a", "y"]).dictionary_encode().slice(1, 4),
        pa.array(["x", "a", None, "b", "a", "y"]).slice(1, 4),
        pa.DictionaryArray.from_arrays(pa.array([2, None, 1, 2], pa.int8()), pa.array(["unused", "b", "a"])),
        pa.DictionaryArray.from_arrays(pa.array([2, 1, 0, 2], pa.uint16()), pa.array(["b", None, "a"])),
        pa.chunked_array([["a", None], ["b", "a"]]),
        pa.chunked_array([pa.array(["a", None]).dictionary_encode(), pa.array(["b", "a"]).dictionary_encode()]),
    ],
)
def test_every_arrow_form_of_text_reads_the_same(array: pa.Array) -> None:
    text = text_of(array)
    assert of(text) == ["a", None, "b", "a"]
    assert text.present.tolist() == [True, False, True, True]
    assert [text.at(row) for row in range(len(text))] == ["a", None, "b", "a"]


@quick
@given(FEW)
def test_translate_gives_each_row_the_function_of_its_value(values: Values) -> None:
    def function(value: str) -> str | None:
        return value.lower() or None

    text = text_of(pa.array(values, pa.string())).translate(function)
    assert of(text) == [None if value is None else function(value) for value in values]
    assert len(set(text.values)) == len(text.values)


def test_translate_gives_equal_results_one_code() -> None:
    text = text_of(pa.array(["A", "a", "B"])).translate(str.lower)
    assert text.codes.tolist() == [0, 0, 1]


def test_translate_that_changes_nothing_gives_the_column_itself() -> None:
    text = text_of(pa.array(["a", None]))
    assert text.translate(str) is text
    assert text.translate(str.upper) is not text


@quick
@given(ANY, st.integers(0, 3))
def test_cleaned_cleans_every_value_also_of_a_slice(values: Values, cut: int) -> None:
    for array in (pa.array(values, pa.string()), pa.array(values, pa.string()).dictionary_encode()):
        assert of(text_of(array.slice(cut)).clean()) == [clean_text(value) for value in values[cut:]]


def test_cleaned_reads_a_dictionary_that_is_a_slice() -> None:
    dictionary = pa.array(["first of all", " padded text ", "unknown", "last of all"]).slice(1, 2)
    assert of(Text(np.array([0, 1, -1], np.int32), dictionary).clean()) == ["padded text", None, None]


@quick
@given(FEW, st.data())
def test_take_gives_the_values_at_the_rows(values: Values, data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=8)) if values else []
    taken = text_of(pa.array(values, pa.string())).take(rows(*wanted))
    assert of(taken) == [values[row] for row in wanted]
    assert len(taken) == len(wanted)


def test_compacted_drops_values_that_do_not_occur() -> None:
    text = Text(np.array([3, -1, 1], np.int32), pa.array(["a", "b", "c", "d"]))
    assert text.compact().values == ["b", "d"]
    assert of(text.compact()) == ["d", None, "b"]


def test_compacted_leaves_a_small_dictionary_alone() -> None:
    text = Text(np.array([1, -1], np.int32), pa.array(["a", "b"]))
    assert text.compact() is text


@pytest.mark.parametrize("value", ["a", "new"])
@pytest.mark.parametrize("values", [["a", None, "b"], [None, None], ["a", "b"], []])
def test_fill_puts_the_value_where_none_is(values: Values, value: str) -> None:
    filled = text_of(pa.array(values, pa.string())).fill(value)
    assert of(filled) == [value if v is None else v for v in values]
    assert len(set(filled.values)) == len(filled.values)


def test_lookup_computes_a_value_once_and_has_one_for_missing_rows() -> None:
    asked: list[str] = []

    def length(value: str) -> int:
        asked.append(value)
        return len(value)

    text = text_of(pa.array(["ab", None, "ab", "c"]))
    assert text.lookup(length, -7, np.int64).tolist() == [2, -7, 2, 1]
    assert asked == ["ab", "c"]


def test_lookup_of_some_asks_only_these() -> None:
    text = text_of(pa.array(["ab", None, "ab", "c"]))
    found = text.lookup_some(lambda values: np.array([value == "c" for value in values.to_pylist()]), ord, -7, np.int64)
    assert found.tolist() == [-7, -7, -7, ord("c")]


MANY = [None if n % 7 == 0 else f"value {n}" for n in range(5000)]


@pytest.mark.parametrize("stored", [pa.string(), pa.large_string(), pa.string_view()])
def test_rows_that_differ_keep_a_value_each_until_some_are_taken(stored: pa.DataType) -> None:
    text = loose_text_of(pa.array([*MANY, *MANY], stored))
    assert text.loose
    assert of(text) == [*MANY, *MANY]
    assert text.among("9$", lambda value: value.endswith("99")).sum() == 2 * sum(str(v).endswith("99") for v in MANY)
    taken = text.take(rows(1, 5001, 0, 2))
    assert (of(taken), taken.loose) == (["value 1", "value 1", None, "value 2"], False)
    assert taken.codes[0] == taken.codes[1]


@pytest.mark.parametrize(
    "array", [pa.array(["a", None] * 3000), pa.array(MANY).dictionary_encode(), pa.array(["x", "y"])]
)
def test_other_columns_are_sorted_out_at_once(array: pa.Array) -> None:
    text = loose_text_of(array)
    assert not text.loose
    assert of(text) == array.to_pylist()


@quick
@given(ANY, st.sets(st.integers(0, 20)))
def test_only_some_values_stay(values: Values, kept: set[int]) -> None:
    text = text_of(pa.array(values, pa.string()))
    stay = {value for code, value in enumerate(text.values) if code in kept}
    mask = np.array([value in stay for value in text.values], np.bool_)
    assert of(text.only(mask)) == [value if value in stay else None for value in values]


@pytest.mark.parametrize("value", ["a", None])
@pytest.mark.parametrize("count", [0, 2])
def test_a_constant_column_has_one_value_or_none(value: str | None, count: int) -> None:
    assert of(constant(value, count)) == [value] * count
    assert of(constant(value, count).clean()) == [value] * count


@pytest.mark.parametrize("stored", [pa.int8(), pa.uint8(), pa.int32(), pa.uint32(), pa.int64()])
def test_numbers_are_zero_where_missing_and_slices_keep_their_place(stored: pa.DataType) -> None:
    numbers = numbers_of(pa.array([9, 5, None, 7, 9], stored).slice(1, 3))
    assert numbers.values.tolist() == [5, 0, 7]
    assert numbers.present.tolist() == [True, False, True]
    assert numbers.arrow().to_pylist() == [5, None, 7]
    assert numbers.take(rows(2, 1)).arrow().to_pylist() == [7, None]


def test_numbers_of_chunks_are_joined() -> None:
    assert numbers_of(pa.chunked_array([[1, None], [3]])).arrow().to_pylist() == [1, None, 3]


KEYS = st.lists(
    st.tuples(*(st.integers(-2, 2) | st.integers(-(2**40), 2**40) for _ in range(4))), min_size=1, max_size=12
)


@quick
@given(KEYS)
def test_rows_share_a_group_if_and_only_if_all_columns_agree(keys: list[tuple[int, ...]]) -> None:
    """Four columns of 2**41 values overflow any mixed radix of 64 bits."""
    groups, first = group_rows(np.array(column, np.int64) for column in zip(*keys, strict=True))
    assert [keys[row] for row in first[groups]] == keys
    assert [keys[row] for row in first] == sorted(set(keys))
    assert first.tolist() == [keys.index(key) for key in sorted(set(keys))]


def test_grouping_overflows_nowhere_with_wide_columns() -> None:
    wide = np.array([0, 2**40, 0, 2**40, 2**40 - 1], np.int64)
    groups, first = group_rows([wide, -wide, wide, -wide])
    assert groups.tolist() == [0, 2, 0, 2, 1]
    assert first.tolist() == [0, 4, 1]


def test_grouping_no_rows_gives_no_groups_and_no_columns_are_an_error() -> None:
    groups, first = group_rows([np.zeros(0, np.int32), np.zeros(0, np.int64)])
    assert (len(groups), len(first)) == (0, 0)
    with pytest.raises(ValueError, match="at least one column"):
        group_rows([])


@pytest.mark.parametrize(("values", "starts"), [([], []), ([4], [0]), ([1, 1, 2, 5, 5], [0, 2, 3])])
def test_runs_start_where_a_sorted_array_changes(values: list[int], starts: list[int]) -> None:
    assert run_starts(np.array(values)).tolist() == starts


@pytest.mark.parametrize(
    "column",
    [["a", None, "a", None, "b"], [1, 2, 1, 2, 3], [True, False, True, False, None]],
)
def test_codes_are_equal_where_values_are_and_nulls_equal_each_other(column: list[Any]) -> None:
    table = pa.table({"x": column}) if None not in column[4:] else pa.table({"x": column[:4]})
    (codes,) = column_codes(table, ["x"])
    listed = table.column("x").to_pylist()
    equal = [[a == b for a in listed] for b in listed]
    assert [[a == b for a in codes] for b in codes] == equal
