"""What the formats of alerts have in common: what is not known is left out, and values are as others want them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final

Json = dict[str, Any]

PRODUCT: Final = "uncommon-im"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_MOST_PORT: Final = 65_535


def known(value: Any, whole: str = "") -> Any:
    """A value without what is not known and without empty objects.

    Args:
        value: JSON.
        whole: name of a field that stays as it is.
    """
    if isinstance(value, list):
        return [known(item, whole) for item in value]
    if not isinstance(value, dict):
        return value
    cleaned = {name: item if name == whole else known(item, whole) for name, item in value.items()}
    return {name: item for name, item in cleaned.items() if item is not None and item != {}}


def milliseconds(timestamp: str) -> int:
    """RFC 3339 -> milliseconds since 1970."""
    return (datetime.fromisoformat(timestamp) - _EPOCH) // timedelta(milliseconds=1)


def port_of(number: int | None) -> int | None:
    """A port, or `None` if no connection has such a one: events may say anything."""
    return number if number is not None and 0 <= number <= _MOST_PORT else None


def hex_of(digest: str | None) -> str | None:
    """A digest, or `None` if it is not written as one."""
    return digest if digest is not None and _HEX.fullmatch(digest) else None


def ip_version(address: str | None) -> int | None:
    """4 or 6, or `None` if it is no IP address."""
    try:
        return ip_address(address or "").version
    except ValueError:
        return None
