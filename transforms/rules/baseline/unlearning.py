"""What a snapshot learned of what turned out to be malicious (specification, section 7, "Dispositions").

A snapshot says of a sighting its subject, host and day. So communication subjects are matched by program, service and
host; what the events themselves would say beside that is not known any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.transforms.rules.baseline.history import days_of
from uncommon_im.transforms.rules.columns.column import text_of
from uncommon_im.transforms.rules.recognition.exceptions import Exceptions
from uncommon_im.transforms.rules.recognition.glob_index import Known

_TOLD: Final = {"process_name", "origin", "service_id", "host_id"}
"""What a communication subject and its host say of an event."""


@dataclass(frozen=True)
class Unlearning:
    """Leaves sightings out that are no sightings any more.

    Args:
        entries: what is malicious, each on the days that the snapshot may hold of it.
    """

    entries: tuple[ExceptionEntry, ...]

    def sightings(self, rows: pa.Table) -> pa.Table:
        """Sightings, of `SIGHTING_SCHEMA`, without those of communications that an entry matches."""
        if not self._told.entries or not rows.num_rows:
            return rows
        kept = np.ones(rows.num_rows, np.bool_)
        days = rows.column("day").to_numpy()
        for row, known in self._communications(rows):
            kept[row] = self._told.first(known, int(days[row])) is None
        return rows.filter(pa.array(kept))

    def masks(self, rows: pa.Table, as_of: int) -> pa.Table:
        """Masks of days, of `HOST_SIGHTING_SCHEMA`, without the days of communications that an entry matches."""
        if not self._told.entries or not rows.num_rows:
            return rows
        masks = rows.column("days").to_pylist()
        for row, known in self._communications(rows):
            forgotten = [day for day in days_of(masks[row], as_of) if self._told.first(known, day) is not None]
            masks[row] -= sum(1 << (as_of - 1 - day) for day in forgotten)
        place = rows.schema.get_field_index("days")
        left = rows.set_column(place, rows.schema.field(place), pa.array(masks, pa.int64()))
        return left.filter(pa.array([mask != 0 for mask in masks]))

    @cached_property
    def _told(self) -> Exceptions:
        """The entries that need no more than a snapshot says."""
        return Exceptions(tuple(entry for entry in self.entries if dict(entry.globs).keys() <= _TOLD))

    def _communications(self, rows: pa.Table) -> Iterator[tuple[int, Mapping[str, Known]]]:
        """(row, what the entries can tell of it) of the sightings of communications."""
        subject, host = text_of(rows.column("subject")), text_of(rows.column("host"))
        programs = [_values_of(text) for text in subject.values]
        for row, (code, of_host) in enumerate(zip(subject.codes.tolist(), host.codes.tolist(), strict=True)):
            if (program := programs[code]) is not None:
                yield row, self._told.look(program | {"host_id": host.values[of_host]})


NOTHING: Final = Unlearning(())


def _values_of(subject: str) -> dict[str, str | None] | None:
    """What entries may look at of a communication subject; `None`: the subject is of another kind."""
    kind, *parts = json.loads(subject)
    if kind != "communication":
        return None
    name, origin, _, service = parts
    return {"process_name": name, "origin": origin, "service_id": service}
