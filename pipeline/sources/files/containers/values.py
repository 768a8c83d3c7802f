"""Values of Avro and Parquet as JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

_ENCODE: Final[Callable[[object], bytes]] = msgspec.json.Encoder(enc_hook=str).encode


def json_line(record: dict[str, Any]) -> bytes:
    """A record as a line of JSON, without columns that are null.

    Times are RFC 3339, in UTC if they have no zone. Bytes are text, decimals too; numbers that are none are null.
    """
    return _ENCODE({name: _plain(value) for name, value in record.items() if value is not None})


def _plain(value: Any) -> Any:
    """A value that JSON can write."""
    if isinstance(value, (str, int, float)) or value is None:
        return value
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value
