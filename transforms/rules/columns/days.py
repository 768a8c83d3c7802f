"""Days and hours as numbers: floor of the event time, UTC (specification, section 1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

SECOND_US: Final = 1_000_000
HOUR_US: Final = 3_600 * SECOND_US
DAY_US: Final = 24 * HOUR_US

_EPOCH: Final = date(1970, 1, 1)
_EPOCH_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The date of a day number."""
    return _EPOCH + timedelta(days=number)


def rfc3339(micros: int) -> str:
    """µs since 1970 as RFC 3339 text, UTC, with all six digits.

    >>> rfc3339(1_700_000_000_000_001)
    '2023-11-14T22:13:20.000001Z'
    """
    return moment_of(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(micros: int) -> datetime:
    """µs since 1970 as a moment, UTC."""
    return _EPOCH_TIME + timedelta(microseconds=micros)
