"""Any text is cut into the lines that splitting it gives, in blocks that are bounded by bytes and by lines."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uncommon_im.pipeline.sources.files import json_lines
from uncommon_im.pipeline.sources.files import lines as module
from uncommon_im.pipeline.sources.files.content import ContentOptions
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions, LineBatch, read_lines
from uncommon_im.pipeline.sources.files.lines import BLOCK_LINES, LineBlock, blocks_of
from uncommon_im.pipeline.sources.files.readings import InputFile, plan_readings
from uncommon_im.pipeline.storage.bad_files import FAIL, BadFilePolicy

MOST = 12
"""Bytes of a line in these tests."""
PIECES = [
    b"",
    b" ",
    b"\r",
    b"\t ",
    b"{}",
    b"0",
    b"[]",
    b"\0",
    b"x",
    b'{"a": 1}',
    b"\xff\xfe",
    b" {}",
    b"long" * 4,
    b" " * 15,
]
LINES = st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 4)), max_size=12)

Read = tuple[list[tuple[int, bytes]], list[tuple[int, str]]]


class Chopped(io.BytesIO):
    """A stream that hands out so many bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self._most = size

    def read1(self, size: int | None = -1) -> bytes:
        return super().read1(self._most)


def expected(text: bytes) -> Read:
    """(number and content of each line that counts, number and beginning of each that is too long)."""
    numbered = list(enumerate(text.split(b"\n"), 1))
    counting = [(number, line) for number, line in numbered if len(line) <= MOST and line and not line.isspace()]
    return counting, [(number, line.decode("utf-8", "replace")) for number, line in numbered if len(line) > MOST]


def read(text: bytes, chunk: int, block: int, most_lines: int) -> Read:
    with mock.patch.multiple(module, MAX_LINE_BYTES=MOST, BLOCK_BYTES=block, BLOCK_LINES=most_lines):
        blocks = list(blocks_of(lambda: io.BufferedReader(Chopped(text, chunk)), "source", FAIL))  # type: ignore[arg-type]
    assert all(len(block.lines) == len(block.numbers) <= most_lines for block in blocks)
    lines = [pair for block in blocks for pair in zip(block.numbers.tolist(), block.lines, strict=True)]
    lost = [letter for block in blocks for letter in block.lost]
    assert all(letter.detail.startswith("line is longer than 12 bytes") for letter in lost)
    return lines, [(letter.record, letter.raw[: MOST + 1]) for letter in lost]


@given(LINES, st.booleans(), st.integers(1, 40), st.integers(1, 60), st.integers(1, 5))
@example([(b"", 4), (b"0", 1), (b"", 4)], True, 3, 5, 1)
def test_any_lines_in_any_pieces_are_the_same_lines_with_the_same_numbers(
    parts: list[tuple[bytes, int]], ended: bool, chunk: int, block: int, most_lines: int
) -> None:
    text = b"\n".join(line for line, times in parts for _ in range(times)) + (b"\n" if ended else b"")
    lines, lost = read(text, chunk, block, most_lines)
    wanted, too_long = expected(text)
    assert lines == wanted
    assert [number for number, _ in lost] == [number for number, _ in too_long]
    assert all(raw and whole.startswith(raw) for (_, raw), (_, whole) in zip(lost, too_long, strict=True))


def blocks(tmp_path: Path, text: bytes) -> list[LineBlock]:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(text, 1))
    options = JsonOptions(content=ContentOptions(file_type="jsonl"))
    (reading,) = plan_readings(InputFile(str(path), path.stat().st_size, "1/1"), options)
    return list(reading.blocks(FAIL))


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b" \t\n", b" " * 1000 + b"\n"], ids=["empty", "CR", "short", "long"])
def test_blank_lines_become_no_block_but_count_for_the_numbers_of_others(tmp_path: Path, blank: bytes) -> None:
    times = 3_000_000 // len(blank)
    assert blocks(tmp_path, blank * times) == []
    [block] = blocks(tmp_path, blank * times + b"{}\n" + blank * times)
    assert (block.numbers.tolist(), list(block.lines)) == ([times + 1], [b"{}"])


@pytest.mark.parametrize("line", [b"0", b"{}", b"[]", b"\0"], ids=["number", "object", "list", "NUL"])
def test_short_lines_fill_blocks_that_are_bounded_by_lines(tmp_path: Path, line: bytes) -> None:
    found = blocks(tmp_path, (line + b"\n") * 100_000)
    assert max(len(block.lines) for block in found) == BLOCK_LINES
    assert [number for block in found for number in block.numbers.tolist()] == list(range(1, 100_001))


def test_ordinary_lines_are_bounded_by_bytes_alone(tmp_path: Path) -> None:
    found = blocks(tmp_path, (b'{"a": "' + b"x" * 300 + b'"}\n') * 10_000)
    assert len(found) == 3


def batches(tmp_path: Path, text: bytes, most: int) -> list[LineBatch]:
    path = tmp_path / "a.jsonl"
    path.write_bytes(text)
    options = JsonOptions(policy=BadFilePolicy("skip"))
    with mock.patch.object(json_lines, "BATCH_RECORDS", most), mock.patch.object(module, "BLOCK_LINES", 2):
        return list(read_lines(blocks_of(lambda: path.open("rb"), str(path), options.policy), str(path), options))


RECORD = b'{"event_time": "2026-03-01T10:00:00Z", "host_id": "h"}'
PLAIN = b'{"event_type": 1, "agent_id": "a"}'


def test_batches_are_bounded_by_records_and_lose_none(tmp_path: Path) -> None:
    text = b"\n\n".join([RECORD, b"0", PLAIN, b"x"] * 25)
    found = batches(tmp_path, text, 8)
    assert max(batch.num_rows + len(batch.lost()) for batch in found) <= 8
    [whole] = [batches(tmp_path, text, 1000)]
    for of in (found, whole):
        assert sum(batch.num_rows for batch in of) + sum(len(batch.lost()) for batch in of) == 100
    places = sorted((letter.record, letter.raw) for batch in found for letter in batch.lost())
    assert places == sorted((letter.record, letter.raw) for batch in whole for letter in batch.lost())
    assert {number % 8 for number, raw in places if raw == "0"} == {3}


def test_records_that_share_lines_are_spread_over_batches_line_by_line(tmp_path: Path) -> None:
    line = b'{"xdr_data": [' + b", ".join([PLAIN] * 5) + b"]}\n"
    found = batches(tmp_path, line * 20, 8)
    sizes = [batch.num_rows + len(batch.lost()) for batch in found]
    assert sum(sizes) == 100
    assert max(sizes) <= 8 + 5


def test_a_dead_letter_that_is_read_again_keeps_its_record_in_a_batch_of_any_size(tmp_path: Path) -> None:
    letter = b'{"reason": "malformed", "detail": "", "source": "s", "record": 1, "raw": "17"}\n'
    for most in (1, 2, 100):
        lost = [letter for batch in batches(tmp_path, (letter + b"18\n") * 3, most) for letter in batch.lost()]
        assert [(letter.record, letter.raw) for letter in lost] == list(zip(range(1, 7), ["17", "18"] * 3, strict=True))
