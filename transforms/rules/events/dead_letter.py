"""Records that are no events (specification, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that cannot be used.

    Args:
        reason: the first reason (specification, section 2) that applies.
        detail: what exactly is wrong, and where.
        source: the file or message it came from.
        record: its number in the source, from 1 (a line, or a row).
        raw: the record itself: reading it again gives the event once the cause is mended.
    """

    reason: str
    detail: str
    source: str
    record: int
    raw: str

    def row(self) -> dict[str, Any]:
        """The dead letter as a JSON object."""
        return {field: getattr(self, field) for field in self.__slots__}


class LostBatch(Exception):
    """A batch turned out to be unreadable; one dead letter stands for all of it."""

    def __init__(self, letter: DeadLetter) -> None:
        super().__init__(letter.detail)
        self.letter = letter
