"""What is fuzzed: one function a parser. Each takes bytes and raises only if something is wrong with the parser.

None of them needs the fuzzer, so that the kept corpus is a test like any other.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable
from typing import Final
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzzing.checks import check_read_again, check_rejected_by, read_files
from uncommon_im.pipeline.sources.files import lines
from uncommon_im.pipeline.sources.files.containers import event_log
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter

Target = Callable[[bytes], None]
_SILENCE_S: Final = 3
"""How long an event log may say nothing: the fuzzer takes ten seconds for endless."""
_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
LINE_SUFFIXES: Final = (".jsonl", ".jsonl.gz", ".jsonl.zst")


def parquet(data: bytes) -> None:
    """A Parquet file of native events."""
    outcome = read_files([data], ".parquet", "native", file_type="parquet")
    if _sometimes(data):
        check_rejected_by(data, ".parquet", "native", outcome, "parquet")
    if data and not outcome.unreadable:
        footer = pq.read_metadata(pa.BufferReader(data))  # its sum of all rows may be damaged, and nobody needs it
        assert outcome.read == sum(footer.row_group(number).num_rows for number in range(footer.num_row_groups))
    if _sometimes(data, 1):
        check_read_again(outcome.letters, "native", same=False)


def whole_files(data: bytes) -> None:
    """A file of lines, plain or compressed as the first byte says; the format is found record by record."""
    if not data:
        return
    suffix, content = LINE_SUFFIXES[data[0] % len(LINE_SUFFIXES)], data[1:]
    outcome = read_files([content], suffix, file_type="jsonl")
    if _sometimes(data):
        check_rejected_by(content, suffix, "auto", outcome, "jsonl")
    with mock.patch.multiple(lines, BLOCK_BYTES=1024, BLOCK_LINES=3, PIECE_BYTES=64):
        in_blocks = read_files([content], suffix, file_type="jsonl")
    if not outcome.unreadable:
        assert in_blocks.counts == outcome.counts, "the size of blocks makes a difference"
        assert sorted(map(_place, in_blocks.letters)) == sorted(map(_place, outcome.letters))
    if _sometimes(data, 1):
        with mock.patch.multiple(lines, BLOCK_BYTES=500, BLOCK_LINES=3, MAX_LINE_BYTES=300, PIECE_BYTES=64):
            read_files([content], suffix, file_type="jsonl")


def _json_lines(format: str) -> Target:
    """Records of a format in JSON lines."""

    def target(data: bytes) -> None:
        # in one batch, whether the last line is ended or not
        outcome = read_files([data + b"\n"], ".jsonl", format, file_type="jsonl")
        assert not outcome.unreadable
        if b"\0" in data or any(line.startswith(_MARKS) for line in data.split(b"\n")):
            return  # it may be text in another encoding, of which other bytes end lines
        records = [line for line in data.split(b"\n") if line and not line.isspace()]
        assert outcome.read >= len(records)  # a line may hold several
        if _sometimes(data):
            half = len(records) // 2
            parts = [b"".join(line + b"\n" for line in part) for part in (records[:half], records[half:])]
            in_parts = read_files(parts, ".jsonl", format, file_type="jsonl")
            assert in_parts.counts == outcome.counts, "the split makes a difference"
        if _sometimes(data, 1):
            check_read_again(outcome.letters, format, same=True)

    return target


def _container(file_type: str, format: str = "auto") -> Target:
    """Files that are said to be of a type."""

    def target(data: bytes) -> None:
        with mock.patch.object(event_log, "SILENCE_S", _SILENCE_S):
            outcome = read_files([data], "", format, file_type=file_type)
            if _sometimes(data):
                check_rejected_by(data, "", format, outcome, file_type)
        if _sometimes(data, 1):
            check_read_again(outcome.letters, "auto", same=False)

    return target


TARGETS: Final[dict[str, Target]] = {
    "native": _json_lines("native"),
    **{mapping.id: _json_lines(mapping.id) for mapping in load_mappings()},
    "parquet": parquet,
    "lines": whole_files,
    "json_values": _container("json"),
    "csv": _container("csv"),
    "event_elements": _container("xml"),
    "event_log": _container("evtx"),
    "avro": _container("avro"),
    "vendor_parquet": _container("parquet", "m365"),
    "packed": _container("auto"),
}


def _place(letter: DeadLetter) -> tuple[int, str, str, str]:
    """A dead letter without the folder that it was read from."""
    return letter.record, letter.reason, letter.detail, letter.raw


def _sometimes(data: bytes, which: int = 0) -> bool:
    """True for one input in three, always for the same ones: for checks that cost as much as the rest."""
    return zlib.crc32(data) % 3 == which
