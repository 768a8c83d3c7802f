"""Globs: what they are made of, and which of two matches more."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncommon_im.transforms.rules.recognition.globs import covers, is_wild, pattern_of, plain_parts, tokens


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("", []),
        ("a*?", ["a", "*", "?"]),
        ("[ab]c", ["[ab]", "c"]),
        ("[!a]", ["[!a]"]),
        ("[]a]", ["[]a]"]),
        ("[!]a]", ["[!]a]"]),
        ("[]", ["[", "]"]),
        ("[!]", ["[", "!", "]"]),
        ("[a", ["[", "a"]),
    ],
)
def test_tokens_are_those_that_fnmatch_sees(glob: str, expected: list[str]) -> None:
    assert tokens(glob) == expected


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("*", ""),
        ("*", "a"),
        ("**", "*"),
        ("?*", "?*"),
        ("a*", "abc"),
        ("a*", "a?[bc]*"),
        ("*c", "a*c"),
        ("a*c*", "abc"),
        ("?", "[ab]"),
        ("[ab]", "a"),
        ("[ab]", "[ab]"),
        ("[[]x", "[x"),
        ("[!b]", "a"),
    ],
)
def test_a_glob_that_matches_more_covers_the_other(wide: str, narrow: str) -> None:
    assert covers(wide, narrow)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("", "*"),
        ("a", "*"),
        ("?", "*"),
        ("?*", "*"),
        ("a", "?"),
        ("a", "b"),
        ("[ab]", "?"),
        ("[ab]", "c"),
        ("[!b]", "?"),
        ("a*", "*a"),
        ("ab", "a"),
        ("a", "ab"),
        ("[*]", "*"),
    ],
)
def test_a_glob_that_misses_something_does_not_cover_the_other(wide: str, narrow: str) -> None:
    assert not covers(wide, narrow)


TEXTS = ["".join(letters) for length in range(4) for letters in product("ab[", repeat=length)]
GLOBS = st.text("ab*?[]!", max_size=6)


@given(GLOBS, GLOBS)
def test_what_is_covered_is_matched(wide: str, narrow: str) -> None:
    if covers(wide, narrow):
        assert [text for text in TEXTS if fnmatchcase(text, narrow) and not fnmatchcase(text, wide)] == []


@given(GLOBS, st.text("ab[]!", max_size=4))
def test_tokens_tell_which_globs_match_their_own_text_only(glob: str, text: str) -> None:
    if not any(map(is_wild, tokens(glob))):
        assert (pattern_of(glob).match(text) is not None) == (glob == text)


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("", [""]),
        ("abc", ["abc"]),
        ("a*b?c", ["a", "b", "c"]),
        ("*", ["", ""]),
        ("[*]a[[]", ["*a["]),
        ("[]]", ["]"]),
        ("[!a]b", ["", "b"]),
        ("[ab[c]d]", ["", "d]"]),
        ("[!]", ["[!]"]),
        ("[a", ["[a"]),
    ],
)
def test_plain_parts_are_what_a_glob_has_between_its_wild_pieces(glob: str, expected: list[str]) -> None:
    assert plain_parts(glob) == expected


@settings(deadline=None)
@given(st.text("ab*?[]!-\\", max_size=8), st.text("ab*?[]!-\\", max_size=8))
def test_one_plain_part_is_all_that_a_glob_matches_and_every_match_has_all_parts(glob: str, text: str) -> None:
    parts = plain_parts(glob)
    if len(parts) == 1:
        assert fnmatchcase(parts[0], glob)
        assert fnmatchcase(text, glob) == (text == parts[0])
    elif fnmatchcase(text, glob):
        assert text.startswith(parts[0])
        assert text.endswith(parts[-1])
        assert all(part in text for part in parts)
