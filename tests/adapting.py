"""What one record of a vendor gives that is said to be the vendor's."""

from __future__ import annotations

from uncommon_im.schemas.mapping import VendorMapping
from uncommon_im.transforms.rules.parsing.adapt import Adapted, adapter
from uncommon_im.transforms.rules.parsing.lookups import Record


def adapt(record: Record, mapping: VendorMapping, keep_domain: bool = False) -> Adapted:
    """The row of a record, without columns that have no value; `keep_domain`: `host_id` keeps its domain."""
    compiled = adapter(mapping, keep_domain)
    row = compiled.read(record)
    return compiled.unknown if row is None else row
