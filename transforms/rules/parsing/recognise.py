"""Which format a record is of, and what it gives.

The format is decided per record, by the record alone, so that the order of lines and the split into files change
nothing: native if it has both `event_time` and `host_id`; else the first mapping that recognises it; else what is in
it if it is an envelope; else native.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, cast

from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.schemas.mapping import VendorMapping
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.adapt import Adapted, Adapter, Choices, Nested, adapter, signs_of
from uncommon_im.transforms.rules.parsing.envelopes import Held, held_by_text, known_envelopes
from uncommon_im.transforms.rules.parsing.lookups import Record, Row

_Candidate = tuple[Adapter, Sequence[Choices], bool]
"""Who may recognise a record, the shapes that it may have, whether it has keys with dots."""

AUTO: Final = "auto"
NATIVE: Final = "native"

MOST_DEEP: Final = 8
"""Envelopes in envelopes."""
_SHOWN: Final = 5


class Recogniser:
    """Reads records of one format, or of any; takes envelopes off those that nobody recognises."""

    def __init__(self, format: str, mappings: Sequence[VendorMapping], keep_domain: bool) -> None:
        """Reads a format.

        Args:
            format: `auto`, `native` or the id of a mapping.
            mappings: those that `auto` may recognise, first to last.
            keep_domain: `host_id` of vendors without agent ids is the whole computer name.

        Raises:
            ValueError: no such format.
        """
        if format not in formats(mappings):
            raise ValueError(f"unknown format {format!r}: expected one of {', '.join(formats(mappings))}")
        self._format = format
        wanted = [mapping for mapping in mappings if format in (AUTO, mapping.id)]
        self._adapters = [adapter(mapping, keep_domain) for mapping in wanted]
        self._shapes = [(each, shape) for each in self._adapters for shape in each.shapes]
        self._signs = _signs(self._adapters)
        self._of_signs: dict[int, tuple[_Candidate, ...]] = {}
        self._may_be_native = format in (AUTO, NATIVE)

    def read(self, record: Record) -> Adapted:
        """What a record gives, whatever it is."""
        return self._read(record, MOST_DEEP)

    def within(self, line: str) -> Adapted | None:
        """What a line gives that is no record, but holds some; `None` if it holds none."""
        held = held_by_text(line)
        return None if held is None else self._all(held, MOST_DEEP)

    def format_of(self, record: Record) -> str | None:
        """The format that a record is read as, `native` or the id of a mapping; `None` if nobody recognises it."""
        if self._may_be_native and "event_time" in record and "host_id" in record:
            return NATIVE
        if self._format != AUTO:
            return next((each.mapping.id for each in self._adapters if each.read(record) is not None), None)
        for candidate, shapes, is_dotted in self._candidates(record):
            if candidate.recognise(record, shapes, is_dotted) is not None:
                return candidate.mapping.id
        return None

    def _read(self, record: Record, depth: int) -> Adapted:
        found = self._recognised(record)
        if found is not None:
            return found
        opened = known_envelopes().opened(record) if depth else None
        if opened is None:
            return self._unrecognised(record)
        _, held = opened
        return held if isinstance(held, Rejection) else self._all(held, depth)

    def _all(self, held: Iterable[Held], depth: int) -> list[Nested]:
        nested: list[Nested] = []
        for content, own in held:
            found = content if isinstance(content, Rejection) else self._read(content, depth - 1)
            nested.extend(found if isinstance(found, list) else [Nested(found, own)])
        return nested

    def _recognised(self, record: Record) -> Adapted | None:
        """What a record gives if its format is known."""
        if self._may_be_native:
            if "event_time" in record and "host_id" in record:
                return cast("Row", record)
        else:
            return self._adapters[0].read(record)
        for candidate, shapes, is_dotted in self._candidates(record):
            found = candidate.recognise(record, shapes, is_dotted)
            if found is not None:
                return found
        return None

    def _candidates(self, record: Record) -> tuple[_Candidate, ...]:
        """Who may recognise a record, first to last."""
        places, signs = 0, self._signs
        for key in record:
            if key in signs:
                places |= signs[key]
        found = self._of_signs.get(places)
        if found is None:
            found = self._of_signs[places] = tuple(self._found(places))
        return found

    def _found(self, places: int) -> Iterator[_Candidate]:
        dotted = places >> len(self._shapes)
        possible = [entry for place, entry in enumerate(self._shapes) if places >> place & 1]
        for number, each in enumerate(self._adapters):
            shapes = [shape for owner, shape in possible if owner is each]
            if shapes:
                yield each, shapes, bool(dotted >> number & 1)

    def _unrecognised(self, record: Record) -> Adapted:
        if not self._may_be_native:
            return self._adapters[0].unknown
        if self._format == NATIVE or not EVENT_COLUMNS.keys().isdisjoint(record):
            return cast("Row", record)
        keys = ", ".join(list(map(str, record))[:_SHOWN]) or "none"
        return Rejection(
            "missing_field:event_time",
            f"no format recognises the record (keys: {keys[:200]}), and as a native event it has no event_time: "
            "uncommon-im inspect says what was tried",
        )


@lru_cache(maxsize=64)
def recogniser(format: str, mappings: tuple[VendorMapping, ...], keep_domain: bool) -> Recogniser:
    """The compiled recogniser of a format; raises `ValueError`: no such format."""
    return Recogniser(format, mappings, keep_domain)


def formats(mappings: Sequence[VendorMapping]) -> list[str]:
    """Names of formats that a recogniser takes."""
    return [AUTO, NATIVE, *(mapping.id for mapping in mappings)]


def _signs(adapters: Sequence[Adapter]) -> dict[str, int]:
    """Key at the top of records -> a bit for each shape that it may be of, and for each adapter to which it has dots.

    Of the keys that an alternative of a shape needs, the one that the fewest others need stands for it.
    """
    needed = [{key for pair in keys for key in pair} for each in adapters for _, keys in signs_of(each.mapping)]
    times = Counter(key for keys in needed for key in keys)
    signs: dict[str, int] = {}
    first, count = 0, sum(len(each.shapes) for each in adapters)
    for number, each in enumerate(adapters):
        for key in each.dotted:
            signs[key] = signs.get(key, 0) | 1 << count + number
        for place, keys in signs_of(each.mapping):
            for key in min(keys, key=lambda pair: times[pair[0]]):
                signs[key] = signs.get(key, 0) | 1 << first + place
        first += len(each.shapes)
    return signs
