"""Does one of the user's exceptions match this event? (specification, section 7)"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import Final

from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.transforms.rules.columns.days import day_number
from uncommon_im.transforms.rules.columns.text import memoise
from uncommon_im.transforms.rules.recognition.glob_index import UNKNOWN, EntryIndex, Known

_REMEMBERED: Final = 1 << 17
"""Values of each field of which it is remembered what is known: bounds memory, not correctness."""
_ALWAYS: Final = -(1 << 31)
_FOR_EVER: Final = 1 << 31


@dataclass(frozen=True)
class Exceptions:
    """The user's exceptions, ready for lookups: their cost hardly grows with the number of entries."""

    entries: tuple[ExceptionEntry, ...]

    def match(self, values: Mapping[str, str | None], day: int) -> ExceptionEntry | None:
        """The first entry that matches an event.

        Args:
            values: field of `EXCEPTION_FIELDS` -> normalised value; a missing value matches nothing.
            day: the event's day number.
        """
        return self.first(self.look(values), day)

    def look(self, values: Mapping[str, str | None]) -> dict[str, Known]:
        """What the entries can tell of an event: one of `fields` -> what is known of its value."""
        return {name: self.known(name, values.get(name)) for name in self.fields}

    def known(self, name: str, value: str | None) -> Known:
        """What the entries can tell of a value of one of `fields`: they do not tell values apart that have the same."""
        return self._known[name](value.lower()) if value else UNKNOWN

    def first(self, known: Mapping[str, Known], day: int) -> ExceptionEntry | None:
        """The first entry that matches an event.

        Args:
            known: one of `fields` -> what is known of its value.
            day: the event's day number.
        """
        found = (next(self._held(places, day), None) for places in self._index.find(known))
        place = min((place for place in found if place is not None), default=None)
        return None if place is None else self.entries[place]

    def all(self, known: Mapping[str, Known], day: int) -> Iterator[int]:
        """The places in `entries` of all that match an event, in no order; takes what `first` does."""
        return self._held(chain.from_iterable(self._index.find(known)), day)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that any entry looks at."""
        return self._index.fields

    @cached_property
    def last_days(self) -> list[int]:
        """The last day numbers before another entry holds, or one no longer does, sorted.

        Between two of them the day does not matter.
        """
        before = {first - 1 for first, _ in self._days if first != _ALWAYS}
        return sorted(before | {last for _, last in self._days if last != _FOR_EVER})

    def _held(self, places: Iterator[int], day: int) -> Iterator[int]:
        """Those of the places whose entry holds on a day."""
        return (place for place in places if self._days[place][0] <= day <= self._days[place][1])

    @cached_property
    def _index(self) -> EntryIndex:
        return EntryIndex([entry.globs for entry in self.entries])

    @cached_property
    def _known(self) -> dict[str, Callable[[str], Known]]:
        return {name: memoise(partial(self._index.matching, name), _REMEMBERED) for name in self.fields}

    @cached_property
    def _days(self) -> list[tuple[int, int]]:
        """The first and the last day number on which each entry holds."""
        return [
            (
                _ALWAYS if entry.begins is None else day_number(entry.begins),
                _FOR_EVER if entry.expires is None else day_number(entry.expires),
            )
            for entry in self.entries
        ]


NO_EXCEPTIONS: Final = Exceptions(())
