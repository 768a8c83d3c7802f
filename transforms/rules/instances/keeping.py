"""What is kept of starts for later runs (specification, section 2a, "A snapshot").

Command lines are kept in the form in which they may leave, and beside them the executions that they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.schemas.snapshot import INSTANCE_SCHEMA
from uncommon_im.transforms.rules.columns.column import text_of
from uncommon_im.transforms.rules.instances.completing import ids_of
from uncommon_im.transforms.rules.instances.event_rows import EVENT_ROW_SCHEMA
from uncommon_im.transforms.rules.instances.starts import folded, last_starts
from uncommon_im.transforms.rules.recognition.command_line import Engines

_COMMAND_LINES: Final = ("process_command_line", "parent_process_command_line", "causality_process_command_line")
_EXECUTED: Final = {
    "process_execution": ("process_name", "process_command_line", "process_path"),
    "causality_execution": ("causality_process_name", "causality_process_command_line", None),
}
"""What is kept of an execution -> (the image that ran, its command line, its path)."""


def recent_starts(starts: Iterable[pa.Table], as_of: int, lookback: int) -> pa.Table:
    """Of each instance the last start before a time, of `EVENT_ROW_SCHEMA`.

    Args:
        starts: of `EVENT_ROW_SCHEMA`, in any order, repeated at will.
        as_of: the time, in µs.
        lookback: how much older a start may be, in µs.
    """

    def recent(some: pa.Table) -> pa.Table:
        time = some.column("event_time").to_numpy()
        return some.filter(pa.array((time >= as_of - lookback) & (time < as_of)))

    return folded(map(recent, starts), last_starts)


@dataclass(frozen=True)
class Keeper:
    """Gives starts the form in which they are kept.

    Args:
        engines: say what a command line executes.
        masked: text without secrets.
    """

    engines: Engines
    masked: Callable[[str], str]

    def kept(self, starts: pa.Table) -> pa.Table:
        """Starts, of `EVENT_ROW_SCHEMA`, as rows of `INSTANCE_SCHEMA`; what was kept before stays as it is."""
        was_kept = starts.column("event_type").is_null()
        before = starts.filter(was_kept).select(INSTANCE_SCHEMA.names)
        return pa.concat_tables([before, self._kept(starts.filter(pc.invert(was_kept)))]).combine_chunks()

    def _kept(self, starts: pa.Table) -> pa.Table:
        columns = {name: starts.column(name) for name in INSTANCE_SCHEMA.names}
        columns["event_id"] = ids_of(starts)
        for column, executed in _EXECUTED.items():
            columns[column] = self._executions(starts, *executed)
        for name in _COMMAND_LINES:
            columns[name] = text_of(starts.column(name)).translate(self.masked).arrow().cast(pa.string())
        return pa.table([columns[name] for name in INSTANCE_SCHEMA.names], schema=INSTANCE_SCHEMA)

    def _executions(self, starts: pa.Table, name: str, line: str, path: str | None) -> pa.Array:
        """What command lines execute."""
        engines = text_of(starts.column(name)).among(self.engines.pattern, lambda n: self.engines.find(n) is not None)
        known: list[str | None] = [None] * starts.num_rows
        rows = np.flatnonzero(engines & starts.column(line).is_valid().to_numpy())
        for row, start in zip(rows.tolist(), starts.take(pa.array(rows)).to_pylist(), strict=True):
            image = start[path] if path else None
            known[row] = self.engines.execution(start["os"], start[name], image, start[line], None, None)
        return pa.array(known, pa.string())


def kept_starts(kept: pa.Table) -> pa.Table:
    """Rows of `INSTANCE_SCHEMA` as starts, of `EVENT_ROW_SCHEMA`; what was not kept is missing, `event_type` too."""
    columns = [
        kept.column(f.name) if f.name in kept.column_names else pa.nulls(kept.num_rows, f.type)
        for f in EVENT_ROW_SCHEMA
    ]
    return pa.table(columns, schema=EVENT_ROW_SCHEMA)
