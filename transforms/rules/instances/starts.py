"""Which start describes the process of an event (specification, section 2a, "By which start")."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.schemas.event import PROCESS_GUID
from uncommon_im.transforms.rules.columns.column import Longs, group_rows, one_chunk, run_starts, text_of
from uncommon_im.transforms.rules.events.event_id import details_order, row_details
from uncommon_im.transforms.rules.instances.event_rows import EVENT_ROW_SCHEMA

INSTANCE: Final = ("tenant", "host", PROCESS_GUID)
"""Columns that name an instance."""
_AT_ONCE: Final = 1 << 16
KEY_COLUMNS: Final = (*INSTANCE, "event_time")
"""What of a start says whether it is looked for."""


@dataclass(frozen=True, eq=False)
class Starts:
    """Some starts of processes, of which the columns beside `KEY_COLUMNS` are read if they are asked for.

    Args:
        keys: their `KEY_COLUMNS`.
        rows: makes a table of `EVENT_ROW_SCHEMA` of some of them.
    """

    keys: pa.Table
    rows: Callable[[Longs], pa.Table]

    @classmethod
    def of(cls, table: pa.Table) -> Starts:
        """All starts of a table of `EVENT_ROW_SCHEMA`."""
        return cls(table.select(list(KEY_COLUMNS)), lambda rows: table.take(pa.array(rows)))


class Wanted:
    """The starts that describe the processes of some events."""

    def __init__(self, events: pa.Table, lookback: int) -> None:
        """Looks for the starts of events, of `EVENT_ROW_SCHEMA`, that are at most `lookback` µs older than they are."""
        self._lookback = lookback
        self._names = [text_of(events.column(name)).dictionary for name in INSTANCE]
        _, codes = self._instances(events)
        self._known, self._instance = np.unique(codes, return_inverse=True)
        self._time = events.column("event_time").to_numpy()

    def among(self, batches: Iterable[Starts]) -> tuple[pa.Table, Longs]:
        """Of some starts those that are wanted.

        Order, splitting and repetition change nothing. What is held grows with the events, not with the starts.

        Returns:
            (rows of `EVENT_ROW_SCHEMA`, each event's start among them; -1: it has none).
        """
        kept = folded(map(self._asked_for, batches), self._wanted)
        return kept, self._best(kept)

    def _asked_for(self, batch: Starts) -> pa.Table:
        """The starts of a batch that are of an instance of the events."""
        rows, codes = self._instances(batch.keys)
        rows = rows[np.isin(codes, self._known)]
        return batch.rows(rows) if len(rows) else EVENT_ROW_SCHEMA.empty_table()

    def _wanted(self, starts: pa.Table) -> pa.Table:
        """Those of some starts that are the best for an event."""
        best = self._best(starts)
        return starts.take(pa.array(np.unique(best[best >= 0])))

    def _instances(self, table: pa.Table) -> tuple[Longs, Longs]:
        """(rows whose tenant, host and guid are ones of the events', the instance of each as a number).

        Most starts are of other hosts: guids, all of which differ, are looked at last.
        """
        rows, code = np.arange(table.num_rows), np.zeros(table.num_rows, np.int64)
        for name, values in zip(INSTANCE, self._names, strict=True):
            places = _places(table.column(name), rows, values)
            known = places >= 0
            rows, code = rows[known], code[known] * (len(values) + 1) + places[known]
        return rows, code

    def _best(self, starts: pa.Table) -> Longs:
        """Of each event the row of its start among these; -1: none of them is."""
        if not starts.num_rows:
            return np.full(len(self._time), -1, np.int64)
        _, codes = self._instances(starts)
        instance, time = np.searchsorted(self._known, codes), starts.column("event_time").to_numpy()
        moments, ranks = np.unique(np.concatenate([time, self._time]), return_inverse=True)
        keys, wanted = instance * len(moments) + ranks[: len(time)], self._instance * len(moments) + ranks[len(time) :]
        rows = _in_order(starts, keys)
        found = np.searchsorted(keys[rows], wanted, side="right") - 1
        row = rows[np.maximum(found, 0)]
        fits = (found >= 0) & (instance[row] == self._instance) & (self._time - time[row] <= self._lookback)
        return np.where(fits, row, -1)


def _places(column: pa.ChunkedArray, rows: Longs, values: pa.Array) -> Longs:
    """Of each value at some rows its place among `values`; -1: it is none of them."""
    taken = one_chunk(column.take(pa.array(rows)))
    if not pa.types.is_dictionary(taken.type):
        return np.asarray(pc.index_in(taken, value_set=values).fill_null(-1), np.int64)
    text = text_of(taken).compact()
    place = np.asarray(pc.index_in(text.dictionary, value_set=values).fill_null(-1), np.int64)
    return np.append(place, -1)[text.codes]


def folded(tables: Iterable[pa.Table], fold: Callable[[pa.Table], pa.Table]) -> pa.Table:
    """What `fold` leaves of the rows of all tables, of `EVENT_ROW_SCHEMA`.

    It is called when there are twice as many rows as it left: work grows with the rows, and memory with what it leaves.
    """
    kept, some, rows = EVENT_ROW_SCHEMA.empty_table(), list[pa.Table](), 0
    for table in tables:
        some.append(table)
        rows += table.num_rows
        if rows >= max(kept.num_rows, _AT_ONCE):
            kept, some, rows = fold(pa.concat_tables([kept, *some])).combine_chunks(), [], 0
    return fold(pa.concat_tables([kept, *some])) if rows else kept


def last_starts(starts: pa.Table) -> pa.Table:
    """Of each instance the start after which none of these came; of `EVENT_ROW_SCHEMA`."""
    if starts.num_rows < 2:
        return starts
    instance, _ = group_rows([text_of(starts.column(name)).codes for name in INSTANCE])
    moments, ranks = np.unique(starts.column("event_time").to_numpy(), return_inverse=True)
    rows = _in_order(starts, instance * len(moments) + ranks)
    last = np.append(instance[rows][1:] != instance[rows][:-1], True)
    return starts.take(pa.array(rows[last]))


def _in_order(starts: pa.Table, keys: Longs) -> Longs:
    """Rows of starts by their keys; of equal keys the one with the smallest event id, then the smallest content."""
    order = np.argsort(keys, kind="stable")
    begins = run_starts(keys[order])
    sizes = np.diff(begins, append=len(order))
    rows = order[begins]
    for tie in np.flatnonzero(sizes > 1).tolist():
        tied = order[begins[tie] : begins[tie] + sizes[tie]].tolist()
        rows[tie] = min(tied, key=lambda row: details_order(row_details(starts, row)))
    return rows
