"""From when on a record counts, and when an activity is judged: lateness by arrival time (specification, section 9).

Everything follows from two times of a record, its event time `t` and its arrival time `a`, so that no engine decides
anything. With the allowed lateness `L`, a record counts from the **instant** `max(t + L, a)` on: a record within `L`
when everything as old as it has had `L` to arrive, a late one when it arrives. What was known when a day `d` opened,
at `d + L`, is what the baseline of all of that day's activities consists of.

**What completing takes** (section 2a). A second's events leave the steps together, one millisecond after another, for a
row that is stamped with the watermark is still on time. With `e` the end of the second of an instant `i`, an event that
lacked its process is completed at `e + 1` ms, the activities of that second are sent on and ask at `e + 2`, are judged
at `e + 3`, and flood control decides at `e + 4`. `L` is whole seconds, so a day opens at the end of a second: what
yesterday taught has `i < d + L`, so `e <= d + L`, and has been completed by `d + L + 1` ms; the first question of day
`d` has `i >= d + L` and comes at `d + L + 2` ms at the earliest. So a day is open from `d + L + 2` ms on: then all that
completing added to yesterday has been received, and no question has been answered without it. What may be forgotten
goes one millisecond after the last that may need it has been asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uncommon_im.schemas.documents import require
from uncommon_im.transforms.rules.columns.column import Longs, Mask
from uncommon_im.transforms.rules.columns.days import DAY_US, HOUR_US, SECOND_US

MILLISECOND_US = 1_000
TOGETHER_MS = 1000
"""What is due in the same second leaves together at its end, because each timer firing and bundle costs time."""
TOGETHER_DAYS = 7
"""Days that are forgotten together while a key lives: one firing per week instead of seven, for a byte of state."""
SETTLED_MS = 2
"""So long after the end of a second everything that its records teach has been received."""
FUTURE_US = HOUR_US
"""A record whose event time is further ahead of its arrival than this is a `future_timestamp`."""


def end_of_second(instant: int) -> int:
    """The end (ms) of the second of an instant (ms); an instant that is one is its own."""
    return -(-instant // TOGETHER_MS) * TOGETHER_MS


@dataclass(frozen=True)
class Lateness:
    """How long the stream waits, and how far back it goes; all in µs.

    Args:
        allowed: `L`, a whole number of seconds.
        horizon: older records only teach; at least `allowed`.
        training_days: days of a baseline's window.

    Raises:
        ConfigurationError: the horizon is shorter than the allowed lateness.
    """

    allowed: int = 600 * SECOND_US
    horizon: int = DAY_US
    training_days: int = 30

    def __post_init__(self) -> None:
        require(
            self.horizon >= self.allowed,
            f"--late-horizon ({self.horizon // SECOND_US} s) must not be shorter than --lateness "
            f"({self.allowed // SECOND_US} s)",
        )

    def instants(self, time: Longs, arrival: Longs) -> Longs:
        """When records count, in ms: the unit of timers."""
        return np.maximum(time + self.allowed, arrival) // MILLISECOND_US

    def counts_after(self, time: Longs, arrival: Longs) -> Longs:
        """The last day (number) whose baseline does not yet see each record; baselines of later days do."""
        return np.maximum(time, arrival - self.allowed) // DAY_US

    def day_known(self, instant: int) -> int:
        """The day on which a record became known that counts from an instant (ms) on."""
        return (instant * MILLISECOND_US - self.allowed) // DAY_US

    def late(self, time: Longs, arrival: Longs) -> Mask:
        """True where a record took longer than allowed."""
        return arrival - time > self.allowed

    def too_late(self, time: Longs, arrival: Longs) -> Mask:
        """True where a record is so old that it only teaches."""
        return arrival - time > self.horizon

    def opening(self, day: int) -> int:
        """The instant (ms) at which a day opens: all of yesterday has had its time to arrive, and is completed."""
        return (day * DAY_US + self.allowed) // MILLISECOND_US + SETTLED_MS

    def closing(self, end: int) -> int:
        """The instant (ms) after which nothing that happened before `end` (µs) can make an activity any more."""
        return (end + self.allowed + self.horizon) // MILLISECOND_US + SETTLED_MS + 1

    def forgetting(self, day: int) -> int:
        """The instant (ms) after which no baseline needs the sightings of a day any more."""
        return self.closing((day + 1 + self.training_days) * DAY_US)

    def pruning(self, oldest: int, newest: int) -> int:
        """The instant (ms) at which to forget, of a key that has the sightings of days from `oldest` to `newest`.

        Silence forgets all of them as soon as none is needed; while a key lives, days go a week at a time.
        """
        return min(self.forgetting(oldest + TOGETHER_DAYS), self.forgetting(newest))

    def needed_from(self, now: int) -> int:
        """The oldest day whose sightings a baseline can still need at an instant (ms)."""
        over = (now - SETTLED_MS - 1) * MILLISECOND_US
        return (over - self.allowed - self.horizon) // DAY_US - self.training_days

    def last_open_day(self, now: int) -> int:
        """The newest day that is open at an instant (ms)."""
        return ((now - SETTLED_MS) * MILLISECOND_US - self.allowed) // DAY_US
