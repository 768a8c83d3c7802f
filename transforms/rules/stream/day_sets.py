"""Sets of days: those on which something was shown, and from when on that was known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from uncommon_im.transforms.rules.baseline import day_masks

Packed = tuple[int, bytes, tuple[tuple[int, int], ...]]
"""(first day, mask of days from it on, (late day, the day after which it is known) ...)."""


@dataclass
class DaySet:
    """A set of day numbers.

    A day is known to the baselines of all later days, unless it was learned late: then to those after the day on which
    it was learned. Adding is commutative, associative and idempotent.

    Args:
        first: day number of bit 0.
        mask: bit `i` is day `first + i`.
        late: days of the mask that were learned late -> the day after which they are known.
    """

    first: int = 0
    mask: int = 0
    late: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, days: Iterable[int]) -> DaySet:
        """The set of days, none of which was learned late."""
        found = sorted(days)
        return cls(found[0], day_masks.mask_of(found, found[0])) if found else cls()

    def add(self, day: int, known: int) -> bool:
        """Adds a day that is known after the day `known` (`known >= day`); true if that was news."""
        if day in self:
            if known >= self.late.get(day, day):
                return False
        elif not self.mask:
            self.first, self.mask = day, 1
        else:
            first = min(day, self.first)
            self.mask, self.first = day_masks.since(self.mask, self.first, first) | 1 << (day - first), first
        if known > day:
            self.late[day] = known
        else:
            self.late.pop(day, None)
        return True

    def __contains__(self, day: int) -> bool:
        return day_masks.contains(self.mask, self.first, day)

    def __bool__(self) -> bool:
        return bool(self.mask)

    def days(self) -> list[int]:
        """The days, in order."""
        return day_masks.days_of(self.mask, self.first)

    def known_of(self, day: int) -> int:
        """The day after which one of the days is known."""
        return self.late.get(day, day)

    def discard(self, day: int) -> None:
        """Takes a day out."""
        if day in self:
            self.mask &= ~(1 << (day - self.first))
            self.late.pop(day, None)

    def window(self, day: int, length: int) -> int:
        """The days of `[day - length, day - 1]` that the baseline of `day` knows, as `day_masks.window`."""
        mask = day_masks.window(self.mask, self.first, day, length)
        for late, known in self.late.items():
            if known >= day and 0 <= (bit := late - day + length) < length:
                mask &= ~(1 << bit)
        return mask

    def forget(self, before: int) -> None:
        """Drops days before a day."""
        if self.mask and self.first < before:
            self.mask, self.first = day_masks.since(self.mask, self.first, before), before
            self.late = {day: known for day, known in self.late.items() if day >= before}
        if self.mask:
            self.mask, self.first = day_masks.trim(self.mask, self.first)

    def pack(self) -> Packed:
        """As plain values, the same for equal sets."""
        mask, first = day_masks.trim(self.mask, self.first)
        return first, mask.to_bytes((mask.bit_length() + 7) // 8), tuple(sorted(self.late.items()))

    @classmethod
    def unpack(cls, packed: Packed) -> DaySet:
        """The set of plain values."""
        first, mask, late = packed
        return cls(first, int.from_bytes(mask), dict(late))


def span_of(sets: Iterable[Packed]) -> tuple[int, int]:
    """The oldest and the newest day of some packed sets, none of them empty."""
    oldest, newest = 2**62, -(2**62)
    for first, mask, _ in sets:
        oldest = min(oldest, first)
        newest = max(newest, first + int.from_bytes(mask).bit_length() - 1)
    return oldest, newest


def see(sets: dict[str, Packed], name: str, day: int, known: int) -> bool:
    """Adds a day to the set of a name; true if that was news."""
    days = DaySet.unpack(sets[name]) if name in sets else DaySet()
    news = days.add(day, known)
    if news:
        sets[name] = days.pack()
    return news


def keep(sets: dict[str, Packed], name: str, days: DaySet) -> None:
    """Makes a set that of a name; an empty one goes."""
    if days:
        sets[name] = days.pack()
    else:
        del sets[name]


def forget(sets: dict[str, Packed], before: int) -> None:
    """Drops days before a day from all sets."""
    for name, packed in list(sets.items()):
        if packed[0] < before:
            days = DaySet.unpack(packed)
            days.forget(before)
            keep(sets, name, days)
