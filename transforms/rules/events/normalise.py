"""Events as the rules want them, and what of the input is no event (specification, section 2).

A batch is normalised column by column as the columns are asked for, each distinct value once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uncommon_im.schemas.event import (
    ARROW_TYPES,
    COMPLETED,
    EARLIEST_US,
    EVENT_COLUMNS,
    EVENT_TYPES,
    FAILED,
    LATEST_US,
    OPERATING_SYSTEMS,
    PROCESS_GUID,
    SIGNATURE_STATUSES,
)
from uncommon_im.transforms.rules.columns.arrow_text import in_folder, needs_cleaning
from uncommon_im.transforms.rules.columns.coerce import coerce_array
from uncommon_im.transforms.rules.columns.column import (
    Longs,
    Mask,
    Numbers,
    Text,
    constant,
    loose_text_of,
    numbers_of,
    one_chunk,
    text_of,
)
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.columns.remote_hosts import split_remote_hosts
from uncommon_im.transforms.rules.columns.text import (
    base_name,
    clean_process_name,
    clean_text,
)
from uncommon_im.transforms.rules.events.raw_batch import RawBatch

_FROM_OTHERS: Final = frozenset(("process_name", "remote_host", "remote_ip"))
"""Columns that take what they lack from other columns, so that they are normalised as a whole."""
_OF_MANY_VALUES: Final = frozenset((*_FROM_OTHERS, "host_id", "causality_process_name"))
"""Columns that are needed of each event, and may have a value of its own in each."""


@dataclass
class Events:
    """A batch of records, normalised.

    `rows` arguments are row numbers of the batch; columns have one value for each of them.

    Args:
        raw: the records.
        tenant: of records that name none.
        latest: of each record the time (µs) after which it is a `future_timestamp`; `None`: there is no such time.
        completed: the columns of `schemas.event.COMPLETED`, if the records are events that were completed.
    """

    raw: RawBatch
    tenant: str = "default"
    latest: Longs | None = None
    completed: pa.Table | None = None
    _texts: dict[str, Text] = field(default_factory=dict)

    @property
    def num_rows(self) -> int:
        """Records of the batch, valid or not."""
        return self.raw.num_rows

    def text(self, name: str) -> Text:
        """A normalised text column of the whole batch, without defaults filled in."""
        if name not in self._texts:
            split = name == "remote_host" and self.completed is None
            self._texts[name] = self._remote_hosts[0] if split else self._normal(name, self._text(name, None))
        return self._texts[name]

    def text_at(self, name: str, rows: Longs) -> Text:
        """A normalised text column at some rows; cheaper than the whole where these are few."""
        if name in self._texts or name in _FROM_OTHERS:
            return self.text(name).take(rows)
        return self._normal(name, self._text(name, rows))

    def numbers_at(self, name: str, rows: Longs) -> Numbers:
        """An integer column at some rows."""
        return _numbers(name, self.raw.column_at(name, rows), len(rows))

    def column_at(self, name: str, rows: Longs) -> Text | Numbers:
        """A text or integer column at some rows, as its kind is."""
        return (self.text_at if EVENT_COLUMNS[name] == "text" else self.numbers_at)(name, rows)

    def completed_at(self, name: str, rows: Longs) -> pa.Array:
        """A column that completing adds, at some rows; without values in events as they came."""
        if self.completed is None:
            return pa.nulls(len(rows), ARROW_TYPES[COMPLETED[name]])
        return one_chunk(self.completed.column(name)).take(pa.array(rows))

    @cached_property
    def time(self) -> Numbers:
        """Event times in µs."""
        return _numbers("event_time", self.raw.column("event_time"), self.num_rows)

    @cached_property
    def event_type(self) -> Text:
        """Event types with the default filled in; unknown ones as they are."""
        return self.text("event_type").fill("network")

    @cached_property
    def kind(self) -> npt.NDArray[np.int8]:
        """Each row's event type as its place in `EVENT_TYPES`, -1 for an unknown one."""
        known = {name: code for code, name in enumerate(EVENT_TYPES)}
        return self.event_type.lookup(lambda value: known.get(value, -1), -1, np.int8)

    def is_kind(self, event_type: str, rows: Longs | slice = slice(None)) -> Mask:
        """Rows of an event type."""
        return self.kind[rows] == EVENT_TYPES.index(event_type)

    @cached_property
    def tenant_id(self) -> Text:
        """Tenants with the default filled in."""
        return self.text("tenant_id").fill(self.tenant)

    def failed_at(self, rows: Longs) -> Mask:
        """Which of some rows are connections that did not come about."""
        column = self.raw.column_at(FAILED, rows)
        if column is None:
            return np.zeros(len(rows), np.bool_)
        return np.asarray(coerce_array(FAILED, column)[0].fill_null(False), np.bool_)

    @cached_property
    def valid(self) -> Mask:
        """Rows that are events."""
        valid = np.ones(self.num_rows, np.bool_)
        for _, mask in self._checks:
            valid &= ~mask
        return valid

    def rejections(self) -> list[Rejection]:
        """What is no event, by row, each with the first reason that applies."""
        found: list[Rejection] = []
        open_rows = ~self.valid
        for reason, mask in self._checks:
            rows = np.flatnonzero(mask & open_rows).tolist()
            found += [Rejection(reason, self._detail(reason, row), row) for row in rows]
            open_rows &= ~mask
        return sorted(found, key=lambda rejection: rejection.row)

    @cached_property
    def _checks(self) -> list[tuple[str, Mask]]:
        """(reason, rows it applies to), in the order in which reasons apply."""
        known = self.kind >= 0
        destination = self.text("remote_host").present | self.text("remote_ip").present | self.is_kind("process")
        in_range = (self.time.values >= EARLIEST_US) & (self.time.values < LATEST_US)
        checks = [
            ("malformed", self._malformed_rows | ~known),
            ("missing_field:event_time", ~self.time.present),
            ("missing_field:host_id", ~self.text("host_id").present),
            ("missing_field:process_name", self._nobodys),
            ("missing_field:remote_host", ~destination),
            ("bad_timestamp", ~in_range),
        ]
        if self.latest is not None:
            checks.append(("future_timestamp", self.time.values > self.latest))
        return checks

    @cached_property
    def _nobodys(self) -> Mask:
        """Rows without a process's name; a connection or lookup needs none if it names the process's instance."""
        nameless = ~self.text("process_name").present
        rows = np.flatnonzero(nameless & ~self.is_kind("process"))
        if len(rows):
            nameless[rows] = ~self.text_at(PROCESS_GUID, rows).present
        return nameless

    def _detail(self, reason: str, row: int) -> str:
        """What exactly is wrong with a row."""
        if reason == "malformed":
            known = ", ".join(EVENT_TYPES)
            return self._malformed.get(row) or f"event_type is {self.event_type.at(row)!r}: expected one of {known}"
        return _DETAILS[reason]

    @cached_property
    def _malformed(self) -> dict[int, str]:
        problems = dict(self.raw.malformed())
        for name in self.raw.doubtful():
            column = self.raw.column(name)
            if column is not None:
                for row, detail in coerce_array(name, column)[1].items():
                    problems.setdefault(row, detail)
        return problems

    @cached_property
    def _malformed_rows(self) -> Mask:
        mask = np.zeros(self.num_rows, np.bool_)
        mask[list(self._malformed)] = True
        return mask

    def _text(self, name: str, rows: Longs | None) -> Text:
        column = self.raw.column(name) if rows is None else self.raw.column_at(name, rows)
        if column is None:
            return constant(None, self.num_rows if rows is None else len(rows))
        fitting = coerce_array(name, column)[0]
        return loose_text_of(fitting) if rows is None and name in _OF_MANY_VALUES else text_of(fitting).compact()

    def _normal(self, name: str, text: Text) -> Text:
        if self.completed is not None:  # it was normalised before, and `unknown` would now be missing
            return text
        if name == "process_name":
            doubtful = needs_cleaning(text.dictionary) | in_folder(text.dictionary)
            return self._with_path_names(text.amend(doubtful, clean_process_name))
        if name == "remote_ip":
            return self._with_host_addresses(text.clean())
        return text.translate(_CLEANERS[name]) if name in _CLEANERS else text.clean()

    def _with_path_names(self, names: Text) -> Text:
        """Where the name is empty, the base name of the path serves."""
        rows = np.flatnonzero(~names.present)
        if not len(rows):
            return names
        return _patched(names, rows, self.text_at("process_path", rows).translate(_file_name))

    def _with_host_addresses(self, addresses: Text) -> Text:
        """Where the address is missing, a remote host that is an address serves."""
        hosts = self._remote_hosts[1]
        rows = np.flatnonzero(~addresses.present & hosts.present)
        return _patched(addresses, rows, hosts.take(rows)) if len(rows) else addresses

    @cached_property
    def _remote_hosts(self) -> tuple[Text, Text]:
        """(names, addresses) of the remote hosts."""
        return split_remote_hosts(self._text("remote_host", None))


def _numbers(name: str, column: pa.Array | None, size: int) -> Numbers:
    """An integer column of `size` rows; without values where there is none."""
    if column is None:
        return Numbers(np.zeros(size, np.int64), np.zeros(size, np.bool_))
    return numbers_of(coerce_array(name, column)[0])


def _patched(text: Text, rows: Longs, patch: Text) -> Text:
    """`text` with other values at some rows."""
    codes = text.codes.copy()
    codes[rows] = np.where(patch.present, patch.codes + np.int32(len(text.dictionary)), np.int32(-1))
    return Text(codes, pa.concat_arrays([text.dictionary, patch.dictionary])).unite()


def _file_name(path: str) -> str | None:
    return base_name(path).strip() or None


def _lower(value: str) -> str | None:
    cleaned = clean_text(value)
    return cleaned.lower() if cleaned else None


def _one_of(known: tuple[str, ...], otherwise: str) -> Callable[[str], str | None]:
    def choose(value: str) -> str | None:
        lowered = _lower(value)
        return lowered if lowered is None or lowered in known else otherwise

    return choose


_CLEANERS: Final[dict[str, Callable[[str], str | None]]] = {
    "event_type": _lower,
    "os": _one_of(OPERATING_SYSTEMS, "other"),
    "process_signature_status": _one_of(SIGNATURE_STATUSES, "unknown"),
}


_DETAILS: Final = {
    "bad_timestamp": "event_time is no time of 2000 to 2099: expected RFC 3339 with a zone, or epoch milliseconds",
    "future_timestamp": "event_time is more than an hour after the record arrived: the host's clock is wrong",
    "missing_field:event_time": "event_time is missing: every event needs its own time, with a zone",
    "missing_field:host_id": "host_id is missing: every event needs the stable id of its host",
    "missing_field:process_name": (
        "process_name and process_path are missing, and no process_guid: who communicates is not known"
    ),
    "missing_field:remote_host": "remote_host and remote_ip are missing: a connection or lookup needs a destination",
}
