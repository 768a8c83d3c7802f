"""What names an event, and orders events that have one time (specification, sections 2 and 2a)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import pyarrow as pa

from uncommon_im.schemas.event import EVENT_COLUMNS, FAILED

OF_EVENT: Final = tuple(name for name in EVENT_COLUMNS if name != FAILED)
"""Columns that an event consists of, as far as its id is concerned."""
_encode: Final = msgspec.json.Encoder(order="sorted").encode


def event_id(details: Mapping[str, Any]) -> str:
    """The id of an event: its own, or a hex sha256 over its canonical JSON.

    Args:
        details: normalised columns without defaults; `event_time` in µs. Missing ones may be left out.
    """
    given = details.get("event_id")
    return str(given) if given is not None else hashlib.sha256(canonical_json(details).encode()).hexdigest()


def canonical_json(details: Mapping[str, Any]) -> str:
    """The columns of an event that are given, in one form."""
    given = {name: value for name in OF_EVENT if (value := details.get(name)) is not None}
    return _encode(given).decode()


def details_order(details: Mapping[str, Any]) -> tuple[str, str]:
    """(event id, content): orders events of one time."""
    return event_id(details), canonical_json(details)


def row_details(table: pa.Table, row: int) -> dict[str, Any]:
    """One row of a table with an event's columns as plain values."""
    return {name: table.column(name)[row].as_py() for name in OF_EVENT}
