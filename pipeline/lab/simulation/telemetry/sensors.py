"""Telemetry in the shape of a sensor: what it leaves out, and how it names a process's instance (sensors.yaml)."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import field

from uncommon_im.pipeline.lab.simulation.telemetry.delivery import Numbers, event_ids, mixed
from uncommon_im.schemas.decoding import Entry, decode
from uncommon_im.schemas.documents import packaged_yaml
from uncommon_im.schemas.event import PROCESS_GUID

SensorName = Literal["xdr", "elastic", "sysmon", "crowdstrike", "sentinelone"]
GuidForm = Literal["uuid", "hex", "decimal", "base64"]
EventType = Literal["network", "dns", "process"]

_CHARACTERS: Final = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz012345", dtype=np.uint8)
_PIDS: Final = np.uint64(15_700)


class Sensor(Entry, frozen=True):
    """The shape of a sensor's telemetry: the form of its guids (`None`: none), and the columns that it leaves out."""

    guid: GuidForm | None = None
    without: dict[EventType, tuple[str, ...]] = field(default_factory=dict)

    def shaped(self, events: pa.Table) -> pa.Table:
        """Events as the sensor tells them: all columns, and `process_guid` behind `process_pid` if it has guids.

        Args:
            events: of `write.ROW_SCHEMA`, with unified dictionaries; an `instance` of 0 is not known, and has no guid.
        """
        if self.guid is None:
            return events
        instances, code = np.unique(events.column("instance").to_numpy(), return_inverse=True)
        known = instances != 0
        pids = pa.array(4 * (300 + (mixed(instances) % _PIDS).astype(np.int64)))
        pid = pc.if_else(pa.array(known[code]), pids.take(pa.array(code)), events.column("process_pid"))
        guids = pa.DictionaryArray.from_arrays(
            pa.array(code.astype(np.int32), mask=~known[code]), guids_of(instances, self.guid)
        )
        at = events.schema.get_field_index("process_pid")
        events = events.set_column(at, "process_pid", pid).add_column(at + 1, PROCESS_GUID, guids)
        for event_type, names in self.without.items():
            left_out = pc.equal(events.column("event_type"), event_type)
            for name in names:
                at, column = events.schema.get_field_index(name), events.column(name)
                events = events.set_column(at, name, pc.if_else(left_out, pa.scalar(None, column.type), column))
        return events


def guids_of(instances: Numbers, form: GuidForm) -> pa.Array:
    """The names of instances, as texts, another one for each."""
    if form == "decimal":
        return pa.array(instances).cast(pa.string())
    if form == "hex":
        return event_ids(instances)
    if form == "uuid":
        digits = pc.binary_join_element_wise(event_ids(instances), event_ids(mixed(instances)), "")
        ends = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
        return pc.binary_join_element_wise(*(pc.utf8_slice_codeunits(digits, *end) for end in ends), "-")
    words = [instances]
    while len(words) < 6:
        words.append(mixed(words[-1]))
    letters = _CHARACTERS[np.stack(words, axis=1).view(np.uint8)[:, :44] & 31]
    offsets = np.arange(0, letters.size + 1, 44, dtype=np.int32)
    return pa.StringArray.from_buffers(len(instances), pa.py_buffer(offsets), pa.py_buffer(letters.tobytes()))


SENSORS: Final = decode(packaged_yaml(__package__, "sensors.yaml"), dict[SensorName, Sensor], "sensors.yaml")
