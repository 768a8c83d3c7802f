"""Converters of what Microsoft's tables and portals write in ways of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from uncommon_im.schemas.event import EARLIEST_US, LATEST_US
from uncommon_im.transforms.rules.columns.coerce import Scalar, to_time
from uncommon_im.transforms.rules.columns.text import memoise

_PORTAL_TIME: Final = re.compile(r"(\d\d?)/(\d\d?)/(\d{4}), (\d\d?):(\d\d:\d\d(?:\.\d+)?)[ \u202f](AM|PM)", re.ASCII)


class _Additional(msgspec.Struct):
    """Of the JSON object in `AdditionalFields` what is read."""

    DnsQueryString: object = None
    direction: object = None


_ADDITIONAL: Final = msgspec.json.Decoder(_Additional)


def _additional(name: str) -> Callable[[Scalar], Scalar]:
    """A converter of JSON text that holds an object: its text of that name; `None` for other texts."""

    def text_of(value: Scalar) -> Scalar:
        try:
            found = getattr(_ADDITIONAL.decode(str(value)), name)
        except (msgspec.DecodeError, RecursionError):
            return None
        return found if isinstance(found, str) else None

    return text_of


def _portal_time(value: Scalar) -> Scalar:
    """A time as Azure's portal exports it (`3/1/2026, 4:32:49.469 PM`, month first, UTC) as RFC 3339.

    `None` for other texts: browsers of most other languages write the day first, and no AM or PM in capitals.
    """
    found = _PORTAL_TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    month, day, year, hour, rest, half = found.groups()
    hours = int(hour) % 12 + (12 if half == "PM" else 0)
    return f"{year}-{int(month):02}-{int(day):02}T{hours:02}:{rest}Z"


def _instant(value: Scalar) -> Scalar:
    """A time in microseconds since 1970, however many digits it is written with; `None` for what is no valid time."""
    return _known_instant(value) if isinstance(value, str) else _valid_instant(value)


def _valid_instant(value: Scalar) -> Scalar:
    micros = to_time(value)
    return micros if micros is not None and EARLIEST_US <= micros < LATEST_US else None


_known_instant: Final = memoise(_valid_instant, 1 << 14)
"""A process's start is told with everything that it does."""

DEFENDER: Final[dict[str, Callable[[Scalar], Scalar]]] = {
    "dns_query_string": _additional("DnsQueryString"),
    "additional_direction": _additional("direction"),
    "portal_time": _portal_time,
    "instant": _instant,
}
