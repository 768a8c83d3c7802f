"""Events as rows of a table: starts of processes, and events that wait for them (specification, section 2a)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from uncommon_im.schemas.event import ARROW_TYPES, COMPLETED, EVENT_COLUMNS, FAILED, OF_PROCESS, PROCESS_GUID, SIGNATURE
from uncommon_im.transforms.rules.baseline.tables import coded
from uncommon_im.transforms.rules.columns.column import Longs, Mask, one_chunk
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.events.raw_batch import RawBatch

_TYPES: Final = {**ARROW_TYPES, "time": pa.int64()}  # µs since 1970
_COLUMNS: Final = tuple(name for name in EVENT_COLUMNS if name != FAILED)

EVENT_ROW_SCHEMA: Final = pa.schema(
    [
        ("tenant", pa.string()),  # `tenant_id` with the default filled in
        ("host", pa.string()),
        *((name, _TYPES[EVENT_COLUMNS[name]]) for name in _COLUMNS),
        *((name, _TYPES[kind]) for name, kind in COMPLETED.items()),
    ]
)
"""One row: an event, normalised, without defaults but for `tenant`. What completing adds is null until then."""


def event_rows(events: Events, rows: Longs) -> pa.Table:
    """Some rows of a batch as a table of `EVENT_ROW_SCHEMA`, coded; of no rows, no column is read."""
    schema = coded(EVENT_ROW_SCHEMA)
    if not len(rows):
        return schema.empty_table()
    columns: dict[str, pa.Array] = {"tenant": events.tenant_id.take(rows).arrow()}
    for name in _COLUMNS:
        column = events.time.take(rows) if name == "event_time" else events.column_at(name, rows)
        columns[name] = column.arrow()
    columns["host"] = columns["host_id"]
    return pa.table([columns.get(f.name, pa.nulls(len(rows), f.type)) for f in schema], schema=schema)


def start_rows(events: Events, used: Mask) -> Longs:
    """Rows of the starts of processes among the `used` rows of a batch."""
    rows = np.flatnonzero(used & events.is_kind("process"))
    return rows[events.text_at(PROCESS_GUID, rows).present] if len(rows) else rows


def lack_process(events: Events, rows: Longs) -> Mask:
    """Which of some connections and lookups name the instance of their process, and lack anything of it."""
    if not len(rows):
        return np.zeros(0, np.bool_)
    found = events.text_at(PROCESS_GUID, rows).present
    pointing = rows[found]
    if len(pointing):
        status = events.text_at(SIGNATURE[0], pointing)
        lacking = status.lookup(lambda value: value == "unknown", True, np.bool_)
        for name in OF_PROCESS:
            if lacking.all():
                break
            lacking |= ~events.column_at(name, pointing).present
        found[found] = lacking
    return found


@dataclass(frozen=True, eq=False)
class EventRows(RawBatch):
    """Rows of `EVENT_ROW_SCHEMA` as a batch: all of them are events."""

    table: pa.Table

    def events(self, tenant: str) -> Events:
        """The events; `tenant` is that of records that name none."""
        return Events(self, tenant, completed=self.table.select(list(COMPLETED)))

    @property
    def num_rows(self) -> int:
        """Events of the batch."""
        return int(self.table.num_rows)

    def column(self, name: str) -> pa.Array | None:
        """A column of the table."""
        if name not in _COLUMNS:
            return None
        column = one_chunk(self.table.column(name))
        return column.cast(ARROW_TYPES["time"]) if name == "event_time" else column

    def dead_letters(self, rejections: Sequence[Rejection]) -> list[DeadLetter]:
        """None: they were events before."""
        assert not rejections, rejections[0]
        return []
