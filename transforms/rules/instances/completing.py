"""What an event does not say of its process is taken from that process's start (specification, section 2a)."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.schemas.event import OF_PROCESS, SIGNATURE
from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.events.event_id import OF_EVENT, event_id
from uncommon_im.transforms.rules.instances.event_rows import EVENT_ROW_SCHEMA
from uncommon_im.transforms.rules.instances.starts import Starts, Wanted

_EXECUTIONS: Final = (
    ("process_execution", "process_command_line", ("os", "process_name", "process_path")),
    ("causality_execution", "causality_process_command_line", ("os", "causality_process_name")),
)
"""(what a snapshot keeps of an execution, the command line for which it stands, what else the execution depends on)."""


def complete(events: pa.Table, starts: Iterable[Starts], lookback: int) -> pa.Table:
    """The same events, in the same order, with what the starts of their processes say.

    Args:
        events: that wait for it, of `EVENT_ROW_SCHEMA`.
        starts: in any order, and repeated at will.
        lookback: how much older than an event its start may be, in µs.
    """
    return described(events, *Wanted(events, lookback).among(starts))


def described(events: pa.Table, starts: pa.Table, place: Longs) -> pa.Table:
    """The same events, in the same order, with what their starts say.

    Args:
        events: of `EVENT_ROW_SCHEMA`.
        starts: of `EVENT_ROW_SCHEMA`.
        place: each event's start among them; -1: it has none.
    """
    rows = np.flatnonzero(place >= 0)
    if not len(rows):
        return events
    done = _completed(events.take(pa.array(rows)), starts.take(pa.array(place[rows])))
    both = pa.concat_tables([events, done])
    source = np.arange(len(place))
    source[rows] = len(place) + np.arange(len(rows))
    return both.take(pa.array(source)).combine_chunks()


def _completed(events: pa.Table, starts: pa.Table) -> pa.Table:
    """Events, each with its own start in the same row."""
    columns = {name: events.column(name) for name in events.column_names}
    columns |= {name: pc.coalesce(events.column(name), starts.column(name)) for name in OF_PROCESS}
    signed = pc.and_(_unsaid(events.column(SIGNATURE[0])), pc.invert(_unsaid(starts.column(SIGNATURE[0]))))
    columns |= {name: pc.if_else(signed, starts.column(name), events.column(name)) for name in SIGNATURE}
    taken = pc.invert(
        functools.reduce(pc.and_, (_equal(columns[n], events.column(n)) for n in (*OF_PROCESS, *SIGNATURE)))
    )
    columns["event_id"], columns["start_time"] = ids_of(events), starts.column("event_time")
    columns["start_event_id"] = pc.if_else(taken, ids_of(starts), None)
    for execution, line, others in _EXECUTIONS:
        alike = events.column(line).is_null()
        for name in others:
            alike = pc.and_(alike, _equal(columns[name], starts.column(name)))
        columns[execution] = pc.if_else(alike, starts.column(execution), None)
    return pa.table([columns[name] for name in EVENT_ROW_SCHEMA.names], schema=EVENT_ROW_SCHEMA)


def ids_of(rows: pa.Table) -> pa.ChunkedArray:
    """Ids of events, those that they do not say computed of what they do say."""
    ids = rows.column("event_id")
    missing = np.flatnonzero(ids.is_null().to_numpy())
    if not len(missing):
        return ids
    texts = np.array(ids.to_pylist(), object)
    given = rows.select([name for name in OF_EVENT if rows.column(name).null_count < rows.num_rows])
    texts[missing] = [event_id(details) for details in given.take(pa.array(missing)).to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _unsaid(status: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.equal(status.fill_null("unknown"), "unknown")


def _equal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    """Where two columns agree, missing values too."""
    return pc.or_(pc.equal(one, other).fill_null(False), pc.and_(one.is_null(), other.is_null()))
