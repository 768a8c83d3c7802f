"""Rows of CSV as records: an object of the cells that are not empty, all of them text."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec

from uncommon_im.pipeline.sources.files.containers.gathering import Broken, Item
from uncommon_im.pipeline.sources.files.headers import FIELD_CHARACTERS, is_known, without_separator_line
from uncommon_im.pipeline.sources.files.lines import MAX_LINE_BYTES, RAW_BYTES

_ENCODE: Final = msgspec.json.Encoder().encode


def csv_items(stream: io.BufferedReader, delimiter: str) -> Iterator[Item]:
    """The rows after the header; blank ones and copies of the header, as files put together have them, are none.

    A row may have fewer cells than the header, not more. RFC 4180, with any delimiter.

    Raises:
        ValueError: the header names a column twice that a format looks for.
    """
    csv.field_size_limit(FIELD_CHARACTERS)
    lines = _Lines(io.TextIOWrapper(stream, "utf-8", "replace", newline=""))
    reader = csv.reader(lines, delimiter=delimiter)
    header: list[str] | None = None
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong) as error:
            yield Broken(f"no row of CSV: {error}", lines.last)
            continue
        if header is None:
            header = _names(row)
        elif any(row) and row != header:
            yield _item(header, row)


class _TooLong(Exception):
    """A line that is too long to be a row."""


class _Lines(Iterator[str]):
    """The lines of a text with their ends, but for the one that spreadsheets put before the header.

    `last` is the beginning of the line before.
    """

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self._first = True
        self.last = ""

    def __next__(self) -> str:
        line = self._stream.readline(MAX_LINE_BYTES + 1)
        if self._first:
            self._first = False
            if without_separator_line(line) == "":
                return next(self)
        self.last = line[:RAW_BYTES]
        if len(line) > MAX_LINE_BYTES:
            while (more := self._stream.readline(MAX_LINE_BYTES)) and not more.endswith("\n"):
                pass
            raise _TooLong(f"a line is longer than {MAX_LINE_BYTES:,} characters: raw holds its beginning")
        if not line:
            raise StopIteration
        return line


def _names(row: list[str]) -> list[str]:
    names = [name.strip() for name in row]
    for name, times in Counter(names).items():
        if times > 1 and is_known(name):
            raise ValueError(f"its header has {times} columns {name}: which of them counts?")
    return names


def _item(header: list[str], row: list[str]) -> Item:
    if len(row) > len(header) and any(row[len(header) :]):
        detail = f"no row of CSV: it has {len(row)} cells, and the header {len(header)}"
        return Broken(detail, _ENCODE(row).decode()[:RAW_BYTES])
    return _ENCODE({name: cell for name, cell in zip(header, row, strict=False) if cell})
