"""Masks of days: bit `i` is day `first + i`, in states, in messages and wherever days are counted.

Only files of snapshots have the opposite order. `history` reads and writes it, and nothing else does.
"""

from __future__ import annotations


def mask_of(days: list[int], first: int) -> int:
    """The mask of days, none of which is before `first`."""
    mask = 0
    for day in days:
        mask |= 1 << (day - first)
    return mask


def days_of(mask: int, first: int) -> list[int]:
    """The days of a mask, in order."""
    return [first + bit for bit in range(mask.bit_length()) if mask >> bit & 1]


def contains(mask: int, first: int, day: int) -> bool:
    """Whether a day is in a mask."""
    return day >= first and bool(mask >> (day - first) & 1)


def since(mask: int, first: int, start: int) -> int:
    """The days from `start` on, as a mask whose first day is `start`."""
    return mask >> (start - first) if start >= first else mask << (first - start)


def window(mask: int, first: int, day: int, length: int) -> int:
    """The days of `[day - length, day - 1]`, as a mask whose first day is `day - length`."""
    return since(mask, first, day - length) & ((1 << length) - 1)


def before_guard(window: int, length: int, guard: int) -> int:
    """A window of `length` days without its last `guard` days."""
    return window & ((1 << max(length - guard, 0)) - 1)


def trim(mask: int, first: int) -> tuple[int, int]:
    """(mask, first day) of the same days, with the oldest of them as bit 0; zeros if there are none."""
    zeros = (mask & -mask).bit_length() - 1
    return (mask >> zeros, first + zeros) if mask else (0, 0)


def span(mask: int, first: int) -> tuple[int, int, int]:
    """(number of days, oldest day, newest day) of a mask; the days are -1 if it is empty."""
    if not mask:
        return 0, -1, -1
    return mask.bit_count(), trim(mask, first)[1], first + mask.bit_length() - 1
