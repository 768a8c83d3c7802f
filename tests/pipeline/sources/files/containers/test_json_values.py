"""JSON values on any lines: each is read once, and a broken one costs itself."""

from __future__ import annotations

import io
import json
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncommon_im.pipeline.sources.files.containers import json_values, text_window
from uncommon_im.pipeline.sources.files.containers.gathering import Broken, Item
from uncommon_im.pipeline.sources.files.containers.json_values import json_items

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
RECORDS = st.lists(
    st.dictionaries(st.text(max_size=9), SCALARS | st.lists(SCALARS) | st.dictionaries(st.text(), SCALARS))
)
LAYOUTS = {
    "an array": json.dumps,
    "a pretty-printed array": lambda records: json.dumps(records, indent=3, ensure_ascii=False),
    "objects": lambda records: "".join(map(json.dumps, records)),
    "pretty-printed objects": lambda records: "\r\n".join(json.dumps(record, indent=1) for record in records),
    "arrays": lambda records: "\n".join(json.dumps([record]) for record in records),
    "a record a line": lambda records: "[\n" + ",\n".join(map(json.dumps, records)) + "\n]",
}


def items(text: str | bytes, window: int = 1 << 18) -> list[Item]:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with mock.patch.multiple(text_window, WINDOW_CHARACTERS=window, PIECE_BYTES=max(1, window // 2)):
        return list(json_items(io.BufferedReader(io.BytesIO(data))))  # type: ignore[arg-type]


def records(found: list[Item]) -> list[object]:
    return [json.loads(item) for item in found if isinstance(item, bytes)]


def broken(found: list[Item]) -> list[Broken]:
    return [item for item in found if isinstance(item, Broken)]


@given(RECORDS, st.sampled_from(sorted(LAYOUTS)), st.integers(1, 80))
def test_values_of_any_layout_are_read_through_windows_of_any_size(
    made: list[object], layout: str, window: int
) -> None:
    found = items(LAYOUTS[layout](made), window)
    assert records(found) == made
    assert all(b"\n" not in item and b"\r" not in item for item in found if isinstance(item, bytes))
    assert not broken(found)


@pytest.mark.parametrize("window", [1, 7, 1 << 18])
@pytest.mark.parametrize(
    ("text", "kept", "raws"),
    [
        ('[{"a": 1},\n{"b": ,\n{"c": 3}]', [{"a": 1}, {"c": 3}], ['{"b":']),
        ('[{"a": 1}, {"b": }, {"c": 3}]', [{"a": 1}, {"c": 3}], ['{"b": }']),
        ('[\n  {\n    "a": [\n      {"x": 1},\n      oh\n    ]\n  },\n  {\n    "c": 3\n  }\n]', [{"c": 3}], ["{\n"]),
        ('{"a": 1}\n{"b": "cut\n{"c": 3}', [{"a": 1}, {"c": 3}], ['{"b": "cut']),
        ('{"a": 1}\nhello\nworld\n{"c": 3}', [{"a": 1}, {"c": 3}], ["hello"]),
        ('[{"a": 1}, {"b": 2', [{"a": 1}], ['{"b": 2']),
        ('[{"a": 1}, {"b": "' + "x" * 50, [{"a": 1}], ['{"b": "x']),
        ('{"a": tru}\n{"c": 3}', [{"c": 3}], ['{"a": tru}']),
        ('[1, [2, 3], null, "x", NaN, 10' + "0" * 5000 + "]", None, []),
    ],
)
def test_a_broken_value_costs_itself(text: str, kept: list[object] | None, raws: list[str], window: int) -> None:
    found = items(text, window)
    if kept is not None:
        assert records(found) == kept
    lost = broken(found)
    assert len(lost) == len(raws)
    assert all(one.raw.startswith(raw) for one, raw in zip(lost, raws, strict=True))
    assert all("\n" not in one.detail for one in lost)


def test_values_that_are_no_objects_are_left_to_what_reads_lines() -> None:
    assert items('[1, [2, 3], "x", null]') == [b"1", b"[2, 3]", b'"x"', b"null"]


def test_bytes_that_are_no_text_stay_what_they_are() -> None:
    assert items(b'[{"a": "\xff"}, {"b": "\xc3\xa4"}]') == [b'{"a": "\xff"}', b'{"b": "\xc3\xa4"}']


def test_nesting_that_is_too_deep_costs_its_record() -> None:
    deep = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
    found = items(f'{{"a": 1}}\n{deep}\n{{"c": 3}}\n')
    assert records(found) == [{"a": 1}, {"c": 3}]
    assert [one.detail for one in broken(found)] == ["invalid JSON: nested too deeply"]


def test_a_value_that_is_too_long_is_given_up_in_bounded_memory() -> None:
    with mock.patch.multiple(json_values, MAX_LINE_BYTES=1000), mock.patch.object(text_window, "MAX_LINE_BYTES", 1000):
        found = items('{"a": 1}\n{"b": "' + "x" * 100_000 + '"}\n{"c": 3}', 100)
    assert records(found) == [{"a": 1}, {"c": 3}]
    assert [one.detail for one in broken(found)] == ["record is longer than 1,000 characters: raw holds its beginning"]


@pytest.mark.parametrize("line", ["x\n", '{"a":[\n', "{\n", '{"a": "\n', "[[\n", "}\n", '"\n', ", ]\n", '{"a":1,,}\n'])
def test_many_broken_values_take_time_in_proportion(line: str) -> None:
    text = line * 20_000
    assert len(items(text)) <= 20_001
