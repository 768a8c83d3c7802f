"""Days as masks: the days on which something was shown, and from when on that was known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

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

    def add(self, day: int, known: int) -> bool:
        """Adds a day that is known after the day `known` (`known >= day`); true if that was news."""
        if day in self:
            if known >= self.late.get(day, day):
                return False
        elif not self.mask:
            self.first, self.mask = day, 1
        elif day < self.first:
            self.mask, self.first = (self.mask << (self.first - day)) | 1, day
        else:
            self.mask |= 1 << (day - self.first)
        if known > day:
            self.late[day] = known
        else:
            self.late.pop(day, None)
        return True

    def __contains__(self, day: int) -> bool:
        return day >= self.first and bool(self.mask >> (day - self.first) & 1)

    def __bool__(self) -> bool:
        return bool(self.mask)

    def days(self) -> list[int]:
        """The days, in order."""
        return [self.first + bit for bit in range(self.mask.bit_length()) if self.mask >> bit & 1]

    def known_of(self, day: int) -> int:
        """The day after which one of the days is known."""
        return self.late.get(day, day)

    def discard(self, day: int) -> None:
        """Takes a day out."""
        if day in self:
            self.mask &= ~(1 << (day - self.first))
            self.late.pop(day, None)

    def window(self, day: int, length: int) -> int:
        """The days of `[day - length, day - 1]` that the baseline of `day` knows: bit `i` is `day - length + i`."""
        shift = day - length - self.first
        mask = (self.mask >> shift if shift >= 0 else self.mask << -shift) & ((1 << length) - 1)
        for late, known in self.late.items():
            if known >= day and 0 <= (bit := late - day + length) < length:
                mask &= ~(1 << bit)
        return mask

    def forget(self, before: int) -> None:
        """Drops days before a day."""
        if self.mask and self.first < before:
            self.mask >>= before - self.first
            self.first = before
            self.late = {day: known for day, known in self.late.items() if day >= before}
        if self.mask:
            zeros = (self.mask & -self.mask).bit_length() - 1
            self.mask >>= zeros
            self.first += zeros

    def pack(self) -> Packed:
        """As plain values, the same for equal sets."""
        zeros = (self.mask & -self.mask).bit_length() - 1 if self.mask else 0
        mask = self.mask >> zeros
        first = self.first + zeros if mask else 0
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


def see(held: dict[str, Packed], name: str, day: int, known: int) -> bool:
    """Adds a day to the set of a name; true if that was news."""
    days = DaySet.unpack(held[name]) if name in held else DaySet()
    news = days.add(day, known)
    if news:
        held[name] = days.pack()
    return news


def keep(held: dict[str, Packed], name: str, days: DaySet) -> None:
    """Makes a set that of a name; an empty one goes."""
    if days:
        held[name] = days.pack()
    else:
        del held[name]


def forget(held: dict[str, Packed], before: int) -> None:
    """Drops days before a day from all sets."""
    for name, packed in list(held.items()):
        if packed[0] < before:
            days = DaySet.unpack(packed)
            days.forget(before)
            keep(held, name, days)
