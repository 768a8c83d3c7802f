"""Lines within a text are the lines that splitting it gives. Without an engine."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from uncommon_im.transforms.rules.columns.text_lines import TextBlock, TextLines

LINES = st.lists(st.sampled_from([b"", b"{}", b"{", b"}", b" {}", b"{}\r", b'{"a": 1}', b"\xff"]), max_size=6)


@given(LINES)
def test_a_block_of_lines_is_these_lines(lines: list[bytes]) -> None:
    block = TextBlock.of_lines(lines)
    assert list(block) == [block[index] for index in range(len(block))] == lines
    assert list(pickle.loads(pickle.dumps(block))) == lines


@given(st.lists(LINES, max_size=4))
def test_several_blocks_are_one_sequence(blocks: list[list[bytes]]) -> None:
    lines = TextLines(map(TextBlock.of_lines, blocks))
    flat = [line for block in blocks for line in block]
    assert list(lines) == [lines[index] for index in range(len(lines))] == flat


@given(LINES)
def test_lines_may_be_objects_if_each_is_between_braces(lines: list[bytes]) -> None:
    expected = bool(lines) and all(line[:1] == b"{" and line[-1:] == b"}" for line in lines)
    assert TextBlock.of_lines(lines).may_be_objects == expected
