"""What a stream keeps of a host's starts of processes, and what reading them costs.

    python -m tests.benchmarks.kept_starts LAKE

LAKE is a folder that `tests.benchmarks.generate` wrote: the processes of its events are those that start here, each
start with an id and a guid of its own. A host starts so many a day for `DAYS` days, two of them in a block.
"""

from __future__ import annotations

import argparse
import random
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from uncommon_im.schemas.event import EVENT_SCHEMA
from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.instances.event_rows import EVENT_ROW_SCHEMA
from uncommon_im.transforms.rules.instances.packed import PackedRow, pack_rows
from uncommon_im.transforms.rules.stream.instances import Instances, InstanceState
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import MESSAGES, Starts, Unfinished, host_of, key_of

A_DAY = (100, 500, 2_000)
DAYS = 7
TOGETHER = 2
BEGIN = 20_500 * DAY_US
KEY = key_of("default", "laptop-7")
OF_OTHER_EVENTS = ("event_id", "event_time", "event_type", "tenant_id", "host_id", "process_guid", "failed")
OF_CONNECTIONS = ("remote_host", "remote_ip", "remote_port", "protocol", "direction", "bytes_sent", "bytes_received")


def processes_of(lake: Path) -> list[dict[str, Any]]:
    """What the events of a lake say of their processes."""
    rows = pq.read_table(sorted(lake.glob("*.parquet"))[0]).slice(0, 20_000)
    left_out = {*OF_OTHER_EVENTS, *OF_CONNECTIONS, "dns_status"}
    return rows.select([n for n in EVENT_SCHEMA.names if n not in left_out and n in rows.column_names]).to_pylist()


def starts_of(processes: Sequence[dict[str, Any]], day: int, number: int) -> list[PackedRow]:
    """The starts of a host on a day, in order."""
    tenant, host = host_of(KEY)
    rows = []
    for place in range(number):
        names = {"tenant": tenant, "host": host, "host_id": host, "process_guid": f"{uuid.uuid4()}"}
        when = {"event_time": BEGIN + day * DAY_US + place * DAY_US // number, "event_id": str(uuid.uuid4())}
        rows.append(random.choice(processes) | names | when | {"event_type": "process"})
    return list(pack_rows(pa.Table.from_pylist(rows, EVENT_ROW_SCHEMA)))


def messages_of(starts: Sequence[PackedRow]) -> list[bytes]:
    """Starts as blocks bring them."""
    messages = []
    for first in range(0, len(starts), TOGETHER):
        some = starts[first : first + TOGETHER]
        instants = [row.time // 1000 for row in some]
        columns = ([row.guid for row in some], [row.time for row in some], instants, [row.content for row in some])
        messages.append(MESSAGES.encode(Starts(*columns)))
    return messages


def measure(processes: Sequence[dict[str, Any]], number: int) -> dict[str, Any]:
    """The bytes of a host that starts so many a day; CPU milliseconds of looking through them."""
    step = Instances(Lateness(), DAYS * DAY_US)
    kept: list[bytes] = []
    for day in range(DAYS):
        starts = starts_of(processes, day, number)
        fresh = messages_of(starts)
        begun = time.process_time()
        tidied, _ = step.tidy(KEY, None, kept + fresh, (BEGIN + day * DAY_US) // 1000)
        tidying = time.process_time() - begun
        kept, before = tidied, kept
    event = Unfinished(starts[0].guid, BEGIN + DAYS * DAY_US, BEGIN, (BEGIN + DAYS * DAY_US) // 1000, b"\x90")
    begun = time.process_time()
    for _ in range(10):
        waiting = [MESSAGES.decode(message) for message in before + fresh]
        (completed,) = step.fire(KEY, InstanceState([event]), 2**60, waiting)
    completing = (time.process_time() - begun) / 10
    assert completed.message.start is not None  # type: ignore[union-attr]
    packed = sum(map(len, kept))
    return {
        "starts a day": number,
        "kept, packed": packed,
        "of a start": packed // (number * DAYS),
        "of a start of today": sum(map(len, fresh)) // number,
        "at most": sum(map(len, before)) + sum(map(len, fresh)),
        "ms to tidy": round(tidying * 1000, 1),
        "ms to complete": round(completing * 1000, 2),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=Path)
    random.seed(1)
    found = processes_of(parser.parse_args().lake)
    for per_day in A_DAY:
        print(measure(found, per_day))
