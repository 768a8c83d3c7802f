"""Activities in blocks: what verdicts need is decoded at once, the details only of those that are still open."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from uncommon_im.transforms.rules.activities.hourly import TOTALS, merge_activities
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.tables import ACTIVITY_KEY, ACTIVITY_SCHEMA
from uncommon_im.transforms.rules.columns.column import Longs

_NEEDED: Final = (*ACTIVITY_KEY, "communication", "event_time", *TOTALS)
_PLACE: Final = "place"


class ActivityStore:
    """The activities of some blocks, merged."""

    def __init__(self, stored: Iterable[bytes | pa.Buffer]) -> None:
        """`stored` are blocks of `ACTIVITY_SCHEMA`; an activity may be in several of them."""
        self._blocks = list(stored)
        tables = [blocks.decode([block], ACTIVITY_SCHEMA, _NEEDED) for block in self._blocks]
        self._starts = np.cumsum([0, *(table.num_rows for table in tables)])
        table = blocks.decode([], ACTIVITY_SCHEMA, _NEEDED)
        table = pa.concat_tables([table, *tables]).combine_chunks()
        self._table = table.append_column(_PLACE, pa.array(np.arange(table.num_rows)))

    @cached_property
    def merged(self) -> pa.Table:
        """One row per activity, with the columns that verdicts need."""
        return merge_activities(self._table, self._rows)

    def complete(self, some: pa.Table) -> pa.Table:
        """Some rows of `merged` with all columns of `ACTIVITY_SCHEMA`."""
        table = self._rows(some.column(_PLACE).to_numpy())
        for name in TOTALS:
            table = table.set_column(table.schema.get_field_index(name), ACTIVITY_SCHEMA.field(name), some.column(name))
        return table

    def _rows(self, places: Longs) -> pa.Table:
        """Rows of the blocks by their place among all rows, in the order of `places`."""
        block = np.searchsorted(self._starts, places, side="right") - 1
        parts = [ACTIVITY_SCHEMA.empty_table()]
        for number in np.unique(block):
            local = places[block == number] - self._starts[number]
            parts.append(blocks.decode([self._blocks[number]], ACTIVITY_SCHEMA).take(pa.array(local)))
        order = np.argsort(np.argsort(block, kind="stable"))
        return pa.concat_tables(parts).combine_chunks().take(pa.array(order))
