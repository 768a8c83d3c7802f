"""What becomes of records that no format recognises."""

from __future__ import annotations

from uncommon_im.transforms.rules.parsing.decode import Decoded
from uncommon_im.transforms.rules.parsing.lookups import Row


def is_nobodys(decoded: Decoded, record: Row) -> bool:
    """True if the record was taken for a native one, or for one that no format recognises."""
    unknown = [
        dead.reason == "missing_field:event_time" and dead.detail.startswith("no format recognises the record")
        for dead in decoded.rejections
        if not dead.detail.endswith("is no object")
    ]
    return all(row == record for row in decoded.rows) and all(unknown) and len(decoded) > 0
