"""Headers of CSV: which of the ways to cut a line gives names that records have."""

from __future__ import annotations

import csv
from functools import cache
from typing import Final, NamedTuple

from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.parsing.adapt import adapter

DELIMITERS: Final = (",", "\t", ";", "|")
ENVELOPES: Final = frozenset(("_raw", "RawEventData", "EventXML", "message"))
"""Names of cells that hold a whole record as text."""
FIELD_CHARACTERS: Final = 1 << 20
"""The longest cell: what follows a quote that is never closed is given up after so many characters."""
_ENOUGH: Final = 2
"""Known names that make a line a header; any text may have one of them by chance."""


class Header(NamedTuple):
    """A way to cut a line: the delimiter, the names that it gives, how many of them are known."""

    delimiter: str
    names: tuple[str, ...]
    known: int

    @property
    def is_one(self) -> bool:
        """True if the line is a header for certain."""
        return self.known >= _ENOUGH or (self.known > 0 and not ENVELOPES.isdisjoint(self.names))


def header_of(text: str, delimiters: tuple[str, ...] = DELIMITERS) -> Header:
    """The header that a text begins with, cut in the way that gives most known names, and most names."""
    return max((_cut(text, delimiter) for delimiter in delimiters), key=lambda found: (found.known, len(found.names)))


def without_separator_line(text: str) -> str:
    """A text without the line `sep=;` that spreadsheets put first."""
    first, newline, rest = text.partition("\n")
    return rest if newline and first.strip().strip('"').lower().startswith("sep=") else text


def is_known(name: str) -> bool:
    """True if a format looks for such a name at the top of its records; below it with dots."""
    return name in _known_names() or ("." in name and name.partition(".")[0] in _known_names())


def _cut(text: str, delimiter: str) -> Header:
    try:
        names = next(csv.reader((f"{line}\n" for line in text.split("\n")), delimiter=delimiter), [])
    except csv.Error:
        names = []
    stripped = tuple(name.strip() for name in names)
    return Header(delimiter, stripped, sum(map(is_known, set(stripped))))


@cache
def _known_names() -> frozenset[str]:
    names = {*EVENT_COLUMNS, *ENVELOPES}
    for mapping in load_mappings():
        names |= {*adapter(mapping).fields, *mapping.nested}
    return frozenset(names)
