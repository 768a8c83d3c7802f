"""Lines within a text are the lines that splitting it gives. Without an engine."""

from __future__ import annotations

import pickle
from itertools import compress

import numpy as np
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


SPACES = st.lists(
    st.sampled_from([b"", b" ", b"\r", b"\t\x0b\x0c", b" a", b"a ", b"\0", b"\xa0", b"\x1c", b"0"]), max_size=9
)


@given(SPACES)
def test_filled_lines_are_those_that_hold_more_than_white_space(lines: list[bytes]) -> None:
    block = TextBlock.of_lines(lines)
    assert block.filled.tolist() == [bool(line) and not line.isspace() for line in lines]
    assert block.lengths.tolist() == list(map(len, lines))


@given(SPACES, st.data())
def test_wanted_lines_and_parts_are_blocks_of_these_lines(lines: list[bytes], data: st.DataObject) -> None:
    block = TextBlock.of_lines(lines)
    wanted = np.array([data.draw(st.booleans()) for _ in lines], np.bool_)
    kept = block.filter(wanted)
    assert list(kept) == [kept[index] for index in range(len(kept))] == list(compress(lines, wanted))
    first, last = data.draw(st.integers(0, len(lines))), data.draw(st.integers(0, len(lines) + 2))
    part = block.part(first, last)
    assert list(part) == [part[index] for index in range(len(part))] == lines[first:last]


@given(st.lists(LINES, max_size=4), st.data())
def test_lines_of_some_indexes_are_a_block_in_their_order(blocks: list[list[bytes]], data: st.DataObject) -> None:
    lines = TextLines(map(TextBlock.of_lines, blocks))
    indexes = data.draw(st.lists(st.sampled_from(range(len(lines))), max_size=9)) if len(lines) else []
    taken = lines.take(np.array(indexes, np.int64))
    assert list(taken) == [taken[index] for index in range(len(taken))] == [lines[index] for index in indexes]
