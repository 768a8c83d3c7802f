"""How many Python objects there are while events are scanned, and telemetry in which only their number grows."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from types import FrameType

import numpy as np
import pyarrow as pa

from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.inputs import Input, plan_input, read_input
from uncommon_im.transforms.rules.activities.scan import Scan
from uncommon_im.transforms.rules.events.tally import Tally

HOSTS, DAYS, PROGRAMS = 20, 30, 7
FEW, MANY = 30_000, 150_000
"""Events from which on there are no more activities, and five times as many."""


def most_objects(inputs: Sequence[Input], configuration: Configuration) -> tuple[int, Tally]:
    """Reads and scans inputs, which is all that ever happens to single events.

    Returns:
        the most blocks of memory that Python's allocator held at any call or return, beyond those before, and what the
        scan counted. Every object but small numbers and single characters takes one block at least; what Arrow and
        numpy hold of columns takes none.
    """
    _scan(inputs, configuration)  # what is imported and kept for good by the first scan does not count
    gc.collect()
    most = before = sys.getallocatedblocks()

    def look(frame: FrameType, event: str, argument: object) -> None:
        nonlocal most
        most = max(most, sys.getallocatedblocks())

    sys.setprofile(look)
    try:
        counted = _scan(inputs, configuration)
    finally:
        sys.setprofile(None)
    return most - before, counted


def _scan(inputs: Sequence[Input], configuration: Configuration) -> Tally:
    options = JsonOptions()
    scan = Scan(configuration.scan)
    for source in inputs:
        for reading in plan_input(source, options):
            for batch in read_input(reading, options):
                scan.add(batch)
    for _ in scan.blocks():
        pass
    return scan.tally


def telemetry(events: int) -> pa.Table:
    """Events of the same hosts, days, programs and destinations, each with an id and a time of its own.

    One of 50 is a communication. From a few thousand events on there are no more activities, only more events of each.
    """
    number = np.arange(events)
    host, day, program = number % HOSTS, number // HOSTS % DAYS, number // 50 % PROGRAMS
    micros = (1_772_323_200 + day * 86_400) * 1_000_000 + number
    talks = number // HOSTS % 50 == 0
    return pa.table(
        {
            "event_id": pa.array(number).cast(pa.string()),
            "event_time": pa.array(micros).cast(pa.timestamp("us", tz="UTC")),
            "host_id": _one_of([f"h{n}" for n in range(HOSTS)], host),
            "os": _one_of(["linux"], 0 * number),
            "process_name": _one_of([f"program{n}" for n in range(PROGRAMS)], program),
            "process_path": _one_of([f"/usr/bin/program{n}" for n in range(PROGRAMS)], program),
            "remote_host": _one_of(["example.com", "api.telegram.org"], talks.astype(np.int64)),
            "remote_port": pa.array(np.full(events, 443)),
        }
    )


def _one_of(values: list[str], codes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Array:
    return pa.array(values).take(pa.array(codes))
