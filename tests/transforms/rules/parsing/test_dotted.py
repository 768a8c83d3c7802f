"""Keys with dots stand for objects in objects."""

from __future__ import annotations

import copy

import pytest

from uncommon_im.transforms.rules.parsing.dotted import dotted_keys, unfold
from uncommon_im.transforms.rules.parsing.lookups import Row

KEYS = dotted_keys([("a",), ("a", "b"), ("a", "b", "c"), ("a", "d"), ("e", "f")])


def test_only_paths_of_two_steps_and_more_have_keys_and_shorter_ones_come_first() -> None:
    assert list(KEYS) == ["a.b", "a.d", "e.f", "a.b.c"]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"a.b": 1, "x": 2}, {"a": {"b": 1}, "x": 2}),
        ({"a.b.c": 1, "a.d": 2}, {"a": {"b": {"c": 1}, "d": 2}}),
        ({"a": {"d": 3}, "a.b": 1}, {"a": {"d": 3, "b": 1}}),
        ({"a": {"b": 3}, "a.b": 1}, {"a": {"b": 3}}),
        ({"a": {"b": None}, "a.b": 1}, {"a": {"b": 1}}),
        ({"a": "text", "a.b": 1}, {"a": {"b": 1}}),
        ({"a.b": "text", "a.b.c": 1}, {"a": {"b": {"c": 1}}}),
        ({"e.f": None}, {"e": {"f": None}}),
    ],
)
def test_a_known_key_with_dots_is_put_where_its_path_leads(record: Row, expected: Row) -> None:
    before = copy.deepcopy(record)
    assert unfold(record, KEYS) == expected
    assert record == before


@pytest.mark.parametrize("record", [{}, {"a": {"b": 1}}, {"a.x": 1, "a.": 2, ".": 3, "a.b.c.d": 4, "e.f ": 5}])
def test_a_record_without_a_known_key_with_dots_is_itself(record: Row) -> None:
    assert unfold(record, KEYS) is record


def test_a_mapping_without_paths_of_two_steps_changes_nothing() -> None:
    record: Row = {"a.b": 1}
    assert unfold(record, dotted_keys([("a",)])) is record
