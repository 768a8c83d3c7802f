"""Sets of days on which something was shown, and from which day on baselines see each of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from uncommon_im.transforms.rules.baseline import day_masks

Packed = tuple[int, bytes, tuple[tuple[int, int], ...]]
"""(first day, mask of days from it on, (late day, the last day whose baseline does not yet see it) ...)."""


@dataclass
class DaySet:
    """A set of day numbers.

    Baselines of all later days see a day. If it was learned late, only those after the day on which it was learned do.
    Adding is commutative, associative and idempotent.

    Args:
        first: day number of bit 0.
        mask: bit `i` is day `first + i`.
        late: days of the mask that were learned late -> the last day whose baseline does not yet see them.
    """

    first: int = 0
    mask: int = 0
    late: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, days: Iterable[int]) -> DaySet:
        """The set of days, none of which was learned late."""
        found = sorted(days)
        return cls(found[0], day_masks.mask_of(found, found[0])) if found else cls()

    def add(self, day: int, counts_after: int) -> bool:
        """Adds a day; true if that was news.

        Args:
            day: the day number.
            counts_after: the last day whose baseline does not yet see it (at least `day`); baselines of later days do.
        """
        if day in self:
            if counts_after >= self.late.get(day, day):
                return False
        elif not self.mask:
            self.first, self.mask = day, 1
        else:
            first = min(day, self.first)
            self.mask, self.first = day_masks.since(self.mask, self.first, first) | 1 << (day - first), first
        if counts_after > day:
            self.late[day] = counts_after
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

    def counts_after(self, day: int) -> int:
        """The last day whose baseline does not yet see a day of the set."""
        return self.late.get(day, day)

    def discard(self, day: int) -> None:
        """Takes a day out."""
        if day in self:
            self.mask &= ~(1 << (day - self.first))
            self.late.pop(day, None)

    def window(self, day: int, length: int) -> int:
        """The days of `[day - length, day - 1]` that the baseline of `day` sees, as `day_masks.window`."""
        mask = day_masks.window(self.mask, self.first, day, length)
        for late, counts_after in self.late.items():
            if counts_after >= day and 0 <= (bit := late - day + length) < length:
                mask &= ~(1 << bit)
        return mask

    def forget(self, before: int) -> None:
        """Drops days before a day."""
        if self.mask and self.first < before:
            self.mask, self.first = day_masks.since(self.mask, self.first, before), before
            self.late = {day: counts_after for day, counts_after in self.late.items() if day >= before}
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


def see(sets: dict[str, Packed], name: str, day: int, counts_after: int) -> bool:
    """Adds a day to the set of a name, as `DaySet.add`; true if that was news."""
    days = DaySet.unpack(sets[name]) if name in sets else DaySet()
    news = days.add(day, counts_after)
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
