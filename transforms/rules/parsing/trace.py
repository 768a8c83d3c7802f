"""Which format the records of a line were recognised as, and in which envelopes they came: for people to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from uncommon_im.transforms.rules.columns.json_lines import parse_line
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.adapt import Adapted
from uncommon_im.transforms.rules.parsing.envelopes import held_by_text, known_envelopes
from uncommon_im.transforms.rules.parsing.lookups import Record, Row
from uncommon_im.transforms.rules.parsing.recognise import MOST_DEEP, Recogniser

NOBODYS = "(not recognised)"
NO_RECORD = "(no record)"


class Traced(NamedTuple):
    """What became of one record.

    Args:
        format: `native`, the id of a mapping, `NOBODYS` or `NO_RECORD`.
        wrapping: the envelopes that it came in, outermost first; empty if in none.
        found: its row, or why there is none.
    """

    format: str
    wrapping: tuple[str, ...]
    found: Row | Rejection


def trace(line: bytes, reader: Recogniser) -> Iterator[Traced]:
    """What became of each record of a line, in the order in which they are read."""
    record = parse_line(line)
    if not isinstance(record, Rejection):
        yield from _traced(record, reader, ())
        return
    held = held_by_text(line.decode("utf-8", "replace"))
    if held is None:
        yield Traced(NO_RECORD, (), record)
        return
    for each in held:
        yield from _of_content(each.content, reader, ("text around it",))


def _traced(record: Record, reader: Recogniser, wrapping: tuple[str, ...]) -> Iterator[Traced]:
    format = reader.format_of(record)
    opened = known_envelopes().opened(record) if format is None and len(wrapping) < MOST_DEEP else None
    envelope, held = opened or ("", None)
    if not isinstance(held, list):
        yield from _each(format or NOBODYS, wrapping, reader.read(record))
        return
    for each in held:
        yield from _of_content(each.content, reader, (*wrapping, envelope))


def _of_content(content: Record | Rejection, reader: Recogniser, wrapping: tuple[str, ...]) -> Iterator[Traced]:
    if isinstance(content, Rejection):
        yield Traced(NO_RECORD, wrapping, content)
    else:
        yield from _traced(content, reader, wrapping)


def _each(format: str, wrapping: tuple[str, ...], found: Adapted) -> Iterator[Traced]:
    for row in [each.found for each in found] if isinstance(found, list) else [found]:
        yield Traced(format, wrapping, row)
