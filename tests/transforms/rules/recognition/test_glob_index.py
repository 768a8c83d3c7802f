"""Globs by their plain text: what the index finds is what a look at every glob finds."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncommon_im.transforms.rules.recognition import glob_index
from uncommon_im.transforms.rules.recognition.glob_index import UNKNOWN, EntryIndex, GlobIndex, Known
from uncommon_im.transforms.rules.recognition.globs import covers, pattern_of

GLOBS = st.text("ab*?[]!", max_size=10) | st.text("abc*", max_size=12) | st.text("ab", max_size=3)


@settings(deadline=None)
@given(st.lists(GLOBS, max_size=20), st.text("abc[*", max_size=12))
def test_the_globs_that_match_a_value_are_found(globs: list[str], value: str) -> None:
    index = GlobIndex(globs)
    found = index.matching(value)
    assert index.matching_any([value]) == {glob for glob in globs if fnmatchcase(value, glob)}
    assert found.wild == {glob for glob in globs if glob not in index.plain and fnmatchcase(value, glob)}
    assert found.plain == (value if value in index.plain.values() else None)


@settings(deadline=None)
@given(st.lists(GLOBS, max_size=20), GLOBS)
def test_no_glob_that_covers_another_is_missed(globs: list[str], narrow: str) -> None:
    index = GlobIndex(globs)
    found = index.covering(narrow)
    assert found.wild == {glob for glob in globs if glob not in index.plain and covers(glob, narrow)}
    covered_by_plain = [glob for glob in globs if glob in index.plain and covers(glob, narrow)]
    assert all(index.plain[glob] == found.plain for glob in covered_by_plain)


def test_a_value_meets_only_globs_that_share_a_piece_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    monkeypatch.setattr(glob_index, "pattern_of", lambda glob: (tried.append(glob), pattern_of(glob))[1])
    index = GlobIndex([*(f"c:\\apps\\tool{number:04}*.exe" for number in range(5000)), "*", "plain"])
    assert index.matching("c:\\apps\\tool1234-x64.exe").wild == {"c:\\apps\\tool1234*.exe", "*"}
    assert len(tried) < 50
    tried.clear()
    assert index.matching("d:\\other\\program.exe") == Known(None, frozenset("*"))
    assert tried == ["*"]


def test_of_entries_with_the_same_plain_values_those_are_looked_at_whose_rarest_glob_matches() -> None:
    entries = [(("service", "telegram"), ("path", f"*tool{number}*"), ("user", "*a*")) for number in range(100)]
    index = EntryIndex(entries)
    values = {"service": "telegram", "path": "x-tool7-y", "user": "bar"}
    known = {name: index.matching(name, value) for name, value in values.items()}
    assert [list(places) for places in index.find(known)] == [[7]]
    assert [list(places) for places in index.find(known | {"user": UNKNOWN})] == [[]]
    assert list(index.find(known | {"service": UNKNOWN})) == []


def test_entries_of_one_key_come_in_their_order_and_no_sooner_than_wanted() -> None:
    index = EntryIndex([(("host", "a"),)] * 1000)
    (places,) = index.find({"host": index.matching("host", "a")})
    assert next(places) == 0
    assert list(places) == list(range(1, 1000))


def test_an_entry_that_asks_twice_of_a_field_is_held_to_both() -> None:
    index = EntryIndex([(("host", "a"), ("host", "b")), (("host", "a"), ("host", "a*"))])
    assert [list(places) for places in index.find({"host": index.matching("host", "a")})] == [[1]]


def test_fields_are_those_that_entries_ask_for() -> None:
    index = EntryIndex([(("host", "a"), ("user", "*")), (("host", "b"),)])
    assert index.fields == ("host", "user")
    assert index.covering("path", "x") == UNKNOWN
