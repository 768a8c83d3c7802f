"""Does one of the user's exceptions match this event? (specification, section 7)"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.transforms.rules.columns.days import day_number
from uncommon_im.transforms.rules.recognition.globs import pattern_of


@dataclass(frozen=True)
class Exceptions:
    """The user's exceptions, ready for lookups."""

    entries: tuple[ExceptionEntry, ...]

    def match(self, values: Mapping[str, str | None], day: int) -> ExceptionEntry | None:
        """The first entry that matches an event.

        Args:
            values: field of `EXCEPTION_FIELDS` -> normalised value; a missing value matches nothing.
            day: the event's day number.
        """
        for entry, patterns, last_day in self._compiled:
            if last_day is not None and day > last_day:
                continue
            if all(
                (values.get(name) or "") and pattern.match((values[name] or "").lower()) for name, pattern in patterns
            ):
                return entry
        return None

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that any entry looks at."""
        return tuple(sorted({name for entry in self.entries for name, _ in entry.globs}))

    @cached_property
    def expire(self) -> bool:
        """True if any entry expires, so that the day matters."""
        return any(entry.expires for entry in self.entries)

    @cached_property
    def _compiled(self) -> list[tuple[ExceptionEntry, list[tuple[str, re.Pattern[str]]], int | None]]:
        return [
            (
                entry,
                [(name, pattern_of(glob)) for name, glob in entry.globs],
                day_number(entry.expires) if entry.expires else None,
            )
            for entry in self.entries
        ]
