"""Why a record is no event (specification, section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Raw


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a record is no event, or not even a row.

    Args:
        reason: the first reason that applies.
        detail: what exactly is wrong.
        row: the number of its row in a batch, or of its line among lines, from 0.
        record: the record itself where others share its line, or what stands there instead of one.
    """

    reason: str
    detail: str
    row: int = 0
    record: Mapping[str, object] | Raw | None = None
