"""Events as a few bytes each: what a stream keeps of starts, and of events that wait for one (specification, 2a)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from uncommon_im.schemas.event import PROCESS_GUID
from uncommon_im.transforms.rules.instances.event_rows import EVENT_ROW_SCHEMA

_BESIDE: Final = ("tenant", "host", "host_id", PROCESS_GUID, "event_time", "start_event_id", "start_time")
"""What stands beside the bytes, or is not known yet."""
PACKED_COLUMNS: Final = tuple(name for name in EVENT_ROW_SCHEMA.names if name not in _BESIDE)
"""What the bytes hold, in this order; missing ones at the end are left out. Streams keep it: new ones come last."""
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[str | int | None]).decode


class PackedRow(NamedTuple):
    """An event of a process's instance; `time` in µs, `content` has the `PACKED_COLUMNS`."""

    tenant: str
    host: str
    guid: str
    time: int
    content: bytes

    def details(self) -> dict[str, Any]:
        """The columns of `EVENT_ROW_SCHEMA` that are given."""
        names = dict(zip(_BESIDE[:5], (self.tenant, self.host, self.host, self.guid, self.time), strict=True))
        return names | dict(zip(PACKED_COLUMNS, _decode(self.content), strict=False))


def pack_rows(table: pa.Table) -> Iterator[PackedRow]:
    """Rows of `EVENT_ROW_SCHEMA`, all of which name an instance, in their order."""
    nothing = [None] * table.num_rows
    tenants, hosts, guids, times, *contents = (
        column.to_pylist() if (column := table.column(name)).null_count < table.num_rows else nothing
        for name in ("tenant", "host", PROCESS_GUID, "event_time", *PACKED_COLUMNS)
    )
    rows = zip(tenants, hosts, guids, times, zip(*contents, strict=True), strict=True)
    for tenant, host, guid, time, content in rows:
        yield PackedRow(tenant, host, guid, time, _encode(_trimmed(content)))


def unpack_rows(rows: Sequence[PackedRow]) -> pa.Table:
    """The rows as a table of `EVENT_ROW_SCHEMA`."""
    return pa.Table.from_pylist([row.details() for row in rows], EVENT_ROW_SCHEMA)


def _trimmed(values: tuple[Any, ...]) -> tuple[Any, ...]:
    given = len(values)
    while given and values[given - 1] is None:
        given -= 1
    return values[:given]
