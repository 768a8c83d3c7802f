"""What hosts showed, as files of snapshots hold it (specification, sections 5 and 9).

Bit `i` of a file's mask is day `as_of - 1 - i`. Everywhere else masks are those of `day_masks`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from uncommon_im.schemas.snapshot import HOST_SIGHTING_SCHEMA
from uncommon_im.transforms.rules.baseline.sightings import distinct
from uncommon_im.transforms.rules.baseline.tables import SIGHTING_SCHEMA
from uncommon_im.transforms.rules.columns.column import column_codes, group_rows, run_starts

MASK_BITS: Final = 62
"""Days that a mask can hold: the most that `training_days` may be."""


def within(sightings: pa.Table, as_of: int, days: int) -> pa.Table:
    """The sightings of the last `days` days before a day number."""
    day = sightings.column("day").to_numpy()
    return sightings.filter(pa.array((day >= as_of - days) & (day < as_of)))


def pack(sightings: pa.Table, as_of: int) -> pa.Table:
    """Sightings before a day number, of `SIGHTING_SCHEMA`, as one mask per (tenant, host, subject)."""
    sightings = distinct(sightings)
    if not sightings.num_rows:
        return HOST_SIGHTING_SCHEMA.empty_table()
    groups, first = group_rows(column_codes(sightings, ("tenant", "host", "subject")))
    bits = np.left_shift(np.int64(1), as_of - 1 - sightings.column("day").to_numpy().astype(np.int64))
    order = np.argsort(groups, kind="stable")
    masks = np.bitwise_or.reduceat(bits[order], run_starts(groups[order]))
    keys = sightings.take(pa.array(first))
    return pa.table(
        [*(keys.column(name) for name in ("tenant", "host", "subject")), pa.array(masks)],
        schema=HOST_SIGHTING_SCHEMA,
    )


def days_of(mask: int, as_of: int) -> list[int]:
    """The days of one mask taken at a day number, the newest first."""
    return [as_of - 1 - age for age in range(mask.bit_length()) if mask >> age & 1]


def unpack(masks: pa.Table, as_of: int) -> pa.Table:
    """The sightings of masks taken at a day number, of `SIGHTING_SCHEMA`."""
    days = masks.column("days").to_numpy()
    shown = [np.flatnonzero((days >> age) & 1) for age in range(MASK_BITS)]
    rows, ages = np.concatenate(shown), np.repeat(np.arange(MASK_BITS), [len(some) for some in shown])
    keys = masks.take(pa.array(rows))
    day = pa.array((as_of - 1 - ages).astype(np.int32))
    return pa.table([keys.column("tenant"), keys.column("subject"), keys.column("host"), day], schema=SIGHTING_SCHEMA)
