"""JSON lines to rows of native columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf
from typing import Any, Final

from msgspec import Raw

from uncommon_im.schemas.event import ALWAYS_NEEDED, EVENT_COLUMNS, OF_EXECUTIONS
from uncommon_im.schemas.mapping import VendorMapping
from uncommon_im.transforms.rules.columns.json_lines import parse_line
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.adapt import Adapted, adapter
from uncommon_im.transforms.rules.parsing.lookups import Record, Row
from uncommon_im.transforms.rules.parsing.plain.reader import PlainReader, has_plain_records
from uncommon_im.transforms.rules.parsing.recognise import AUTO, NATIVE, Recogniser, formats, recogniser

__all__ = ["AUTO", "NATIVE", "Decoded", "Decoder", "decode_lines", "formats", "plain_reader"]

_REASONS: Final = frozenset(("malformed", "not_endpoint", "bad_timestamp", "future_timestamp"))
_MISSING_FIELDS: Final = frozenset(f"missing_field:{name}" for name in EVENT_COLUMNS)


@dataclass(frozen=True)
class Decoded:
    """What lines hold. A line that is not blank is one row or one rejection, or several if it is a record of records.

    Attributes:
        lines: the lines; a dead letter that was read again is replaced by the record that it holds, so this is what
            belongs into `raw` of a new one.
        rows: native columns with raw values; a native record keeps its unknown keys.
        rows_line: the index in `lines` of each row.
        rejections: what is no row, in the order of the lines; `row` is the index of the line.
        records: row -> its own record, where others share its line.
    """

    lines: Sequence[bytes]
    rows: list[Row] = field(default_factory=list)
    rows_line: list[int] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    records: dict[int, Record | Raw] = field(default_factory=dict)

    def __len__(self) -> int:
        """Records, whatever became of them."""
        return len(self.rows) + len(self.rejections)

    def add(self, index: int, found: Adapted) -> None:
        """Takes in what a line gave."""
        if type(found) is dict:
            self.rows.append(found)
            self.rows_line.append(index)
            return
        shared = isinstance(found, list) and len(found) > 1
        for row, own in found if isinstance(found, list) else ((found, None),):
            if isinstance(row, Rejection):
                self.rejections.append(Rejection(row.reason, row.detail, index, own if shared else None))
                continue
            if shared and own is not None:
                self.records[len(self.rows)] = own
            self.rows.append(row)
            self.rows_line.append(index)


@dataclass(frozen=True)
class Decoder:
    """Decodes JSON lines; no line makes it fail.

    Args:
        format: `auto`, `native` or the id of a mapping.
        mappings: those that `auto` may recognise, first to last (`schemas.mapping.load_mappings()`).
        keep_domain: `host_id` of vendors without agent ids is the whole computer name.
    """

    format: str = AUTO
    mappings: Sequence[VendorMapping] = ()
    keep_domain: bool = False

    def parts(self, lines: Sequence[bytes], most: float, wanted: Collection[int] | None = None) -> Iterator[Decoded]:
        """What lines hold, in parts that end with the line that makes them `most` records or more.

        Args:
            lines: with or without their line ends.
            most: records.
            wanted: the indexes of the lines that count. `None`: all do.

        Raises:
            ValueError: no such format.
        """
        reader = recogniser(self.format, tuple(self.mappings), self.keep_domain)
        inner: dict[int, bytes] = {}
        found = Decoded(lines)
        for index, line in _chosen(lines, wanted):
            line = line.rstrip(b"\r")  # the rest of a line end, as a dead letter leaves it out
            if not line or line.isspace():
                continue
            record = parse_line(line)
            if isinstance(record, dict) and "raw" in record and (raw := _inner_line(record)) is not None:
                if not inner:
                    found = replace(found, lines=_Replaced(lines, inner))
                inner[index] = line = raw
                record = parse_line(raw)
            found.add(index, reader.read(record) if isinstance(record, dict) else _within(line, record, reader))
            if len(found.rows) + len(found.rejections) >= most:
                yield found
                inner = {}
                found = Decoded(lines)
        if len(found):
            yield found


@dataclass(frozen=True, eq=False)
class _Replaced(Sequence[bytes]):
    """Lines, some of which are replaced by others."""

    lines: Sequence[bytes]
    others: Mapping[int, bytes]

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, index: Any) -> Any:
        found = self.others.get(index)
        return self.lines[index] if found is None else found


def decode_lines(
    lines: Sequence[bytes],
    format: str = AUTO,
    mappings: Sequence[VendorMapping] = (),
    keep_domain: bool = False,
    wanted: Collection[int] | None = None,
) -> Decoded:
    """All that lines hold, however much (`Decoder.parts`)."""
    return next(Decoder(format, mappings, keep_domain).parts(lines, inf, wanted), Decoded(lines))


@lru_cache(maxsize=16)
def plain_reader(format: str, mappings: tuple[VendorMapping, ...], keep_domain: bool) -> PlainReader | None:
    """What reads the plain records of a format, and leaves the other lines to `decode_lines`; `None`: it has none."""
    for place, mapping in enumerate(mappings):
        if format in (AUTO, mapping.id) and has_plain_records(mapping, ALWAYS_NEEDED):
            others = mappings[:place] if format == AUTO else ()
            return PlainReader(adapter(mapping, keep_domain), others, ALWAYS_NEEDED, OF_EXECUTIONS)
    return None


def _chosen(lines: Sequence[bytes], wanted: Collection[int] | None) -> Iterable[tuple[int, bytes]]:
    """Indexes and lines; all of them are cheaper to go through than to look up."""
    if wanted is None or len(wanted) == len(lines):
        return enumerate(lines)
    return ((index, lines[index]) for index in wanted)


def _within(line: bytes, problem: Rejection, reader: Recogniser) -> Adapted:
    """What a line gives that is no record: what it holds, else what is wrong with it."""
    try:
        found = reader.within(line.decode())
    except UnicodeDecodeError:
        return problem
    return problem if found is None else found


def _inner_line(record: Row) -> bytes | None:
    """The line that one of our own dead letters (`reason`, `raw`, `source`) holds; `None` if it is none of them."""
    reason, raw = record.get("reason"), record["raw"]
    if not isinstance(reason, str) or not (reason in _REASONS or reason in _MISSING_FIELDS):
        return None
    return raw.encode() if isinstance(raw, str) and "source" in record and "host_id" not in record else None
