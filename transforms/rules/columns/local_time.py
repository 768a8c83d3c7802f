"""The time of the day as people live it: in the time zone of a run (specification, section 8, "the time").

Days, and so windows, are UTC (specification, section 1). Only the hour of the day, the weekday and what an alert calls
local are not.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.columns.days import SECOND_US, moment_of

UTC_ZONE: Final = "UTC"
_MINUTE_US: Final = 60 * SECOND_US


@lru_cache(1 << 4)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name, such as `Europe/Berlin`.

    Raises:
        ConfigurationError: this machine's time zone database has no such name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # names of folders and paths are no names of zones
        raise ConfigurationError(
            f"--time-zone {name!r} is no time zone of the IANA database: write it as UTC, Europe/Berlin, Asia/Kolkata"
        ) from None


def local_hours(time: Longs, time_zone: str) -> Longs:
    """The hour of the day, 0 to 23, of moments (µs since 1970).

    Each minute is looked at once: since 2000 clocks have been set, and differ from UTC, by whole minutes.
    """
    minutes, which = np.unique(time // _MINUTE_US, return_inverse=True)
    zone = zone_of(time_zone)
    hours = [datetime.fromtimestamp(minute * 60, zone).hour for minute in minutes.tolist()]
    return np.array(hours, np.int64)[which]


def local_moment(micros: int, time_zone: str) -> datetime:
    """A moment (µs since 1970) with its offset from UTC there and then."""
    return moment_of(micros).astimezone(zone_of(time_zone))
