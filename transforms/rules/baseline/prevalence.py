"""How common was this subject, for this host, before this day? (specification, section 5)

Everything is counted with sorted keys `(subject, day)`: the sightings of a window are a range of them.

To count distinct hosts, turn each sighting into an interval of days: from the day after it to the host's next sighting,
or until it leaves the window. Each host then has exactly one interval at a window's end if it was seen in that window.
Counting those intervals counts the hosts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.baseline import formula
from uncommon_im.transforms.rules.baseline.sightings import cap, distinct
from uncommon_im.transforms.rules.baseline.subjects import SubjectKind
from uncommon_im.transforms.rules.baseline.tables import ANSWER_SCHEMA, with_codes
from uncommon_im.transforms.rules.columns.column import Longs, column_codes, group_rows, text_of

_DAY_BITS = 20
_NO_NEXT = 2**_DAY_BITS - 2**12
"""Later than any day, and still of `_DAY_BITS` bits with a window added."""


@dataclass(frozen=True, eq=False)
class Prevalence:
    """What is counted of a subject, one value per activity; -1 as `first_day` and `last_day`: no day showed it."""

    other_hosts: Longs
    host_days: Longs
    active_days: Longs
    first_day: Longs
    last_day: Longs

    def at(self, row: int) -> dict[str, Any]:
        """The counts of one activity as plain numbers."""
        return self._rows[row]

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        counts = {field.name: getattr(self, field.name).tolist() for field in fields(self)}
        return [dict(zip(counts, row, strict=True)) for row in zip(*counts.values(), strict=True)]


def answer(sightings: pa.Table, questions: pa.Table, limits: Limits) -> pa.Table:
    """How common subjects were in the organisation, of `ANSWER_SCHEMA`, one row per distinct (tenant, subject, day).

    Args:
        sightings: of `SIGHTING_SCHEMA`, capped or not.
        questions: of `QUESTION_SCHEMA`.
        limits: the window, its guard days, the hosts to keep.
    """
    _, first = group_rows(column_codes(questions, ("tenant", "subject", "day")))
    questions = questions.take(pa.array(first))
    seen = cap(with_codes(sightings), limits.hosts_kept)
    subject, wanted = _joint_groups(seen, with_codes(questions), ("tenant", "subject"))
    day = _longs(seen, "day")
    windows = Windows(_key(wanted, _longs(questions, "day")), limits.training_days)
    active, first_day, last_day = windows.span(np.unique(_key(subject, day)))
    host = _codes(seen, "host")
    hosts = windows.distinct(subject, host, day, guard=0)
    guarded = windows.distinct(subject, host, day, guard=limits.guard_days)
    columns = [
        *(questions.column(name) for name in ("tenant", "subject", "day")),
        *(pa.array(np.minimum(counts, limits.hosts_kept)) for counts in (hosts, guarded)),
        *(pa.array(values) for values in (active, first_day, last_day)),
    ]
    return pa.table(columns, schema=ANSWER_SCHEMA)


def measure(activities: pa.Table, kind: SubjectKind, answers: pa.Table, own: pa.Table, limits: Limits) -> Prevalence:
    """The prevalence of one subject of each activity; zeros where it has none.

    Args:
        activities: of `ACTIVITY_SCHEMA`.
        kind: which subject.
        answers: of `ANSWER_SCHEMA`, texts as codes or not; must answer each activity's (tenant, subject, day).
        own: sightings of the activities' hosts, of `SIGHTING_SCHEMA`, texts as codes or not, not capped.
        limits: the window, its guard days, the hosts to keep.
    """
    subjects = activities.column(kind).unique()
    answers, own = _about(subjects, answers), _about(subjects, own)
    day = _longs(activities, "hour") // 24
    named = [activities.column("tenant"), activities.column(kind), activities.column("host")]
    keys = with_codes(pa.table(named, ["tenant", "subject", "host"]))
    known, wanted = _joint_groups(answers, keys, ("tenant", "subject"))
    row = _find(_key(known, _longs(answers, "day")), _key(wanted, day))
    present = activities.column(kind).is_valid().to_numpy()

    def figure(name: str, default: int) -> Longs:
        return np.where(present, np.append(_longs(answers, name), default)[row], default)

    own = distinct(own)
    shown, mine = _joint_groups(own, keys, ("tenant", "subject", "host"))
    days = np.sort(_key(shown, _longs(own, "day")))
    windows = Windows(_key(mine, day), limits.training_days)
    host_days = np.where(present, windows.count(days, guard=0), 0)
    guarded = formula.is_guarded(pc.not_equal(activities.column("reasons"), "").to_numpy(), kind)
    itself = np.where(guarded, windows.count(days, guard=limits.guard_days), host_days) > 0
    hosts = np.where(guarded, figure("guarded_hosts", 0), figure("hosts", 0))
    return Prevalence(
        other_hosts=np.where(present, formula.other_hosts(hosts, itself, kind, limits), 0),
        host_days=host_days,
        active_days=figure("active_days", 0),
        first_day=figure("first_day", -1),
        last_day=figure("last_day", -1),
    )


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows `[day - length, day - 1]` that end before keys `(subject, day)`."""

    ends: Longs
    length: int

    def count(self, keys: Longs, guard: int) -> Longs:
        """How many of the sorted distinct keys fall into each window, less its last `guard` days."""
        high = np.searchsorted(keys, self.ends - guard)
        low = np.searchsorted(keys, self.ends - self.length)
        return np.maximum(high - low, 0)

    def span(self, keys: Longs) -> tuple[Longs, Longs, Longs]:
        """(count, first day, last day) of the sorted distinct keys in each window; -1 where there is none."""
        count = self.count(keys, guard=0)
        if not len(keys):
            return count, np.full_like(count, -1), np.full_like(count, -1)
        low = np.searchsorted(keys, self.ends - self.length)
        first = keys[np.minimum(low, len(keys) - 1)] & (2**_DAY_BITS - 1)
        last = keys[np.maximum(low + count - 1, 0)] & (2**_DAY_BITS - 1)
        return count, np.where(count > 0, first, -1), np.where(count > 0, last, -1)

    def distinct(self, subject: Longs, host: Longs, day: Longs, guard: int) -> Longs:
        """Distinct hosts of the distinct sightings in each window, less its last `guard` days."""
        order = np.lexsort((day, host, subject))
        subject, host, day = subject[order], host[order], day[order]
        following = np.full(len(day), _NO_NEXT, np.int64)
        same = (subject[1:] == subject[:-1]) & (host[1:] == host[:-1])
        following[:-1][same] = day[1:][same]
        first = day + 1 + guard
        last = np.minimum(following + guard, day + self.length)
        real = first <= last
        starts = np.sort(_key(subject[real], first[real]))
        ends = np.sort(_key(subject[real], last[real]))
        return np.searchsorted(starts, self.ends, side="right") - np.searchsorted(ends, self.ends, side="left")


def _about(subjects: pa.Array, table: pa.Table) -> pa.Table:
    """The rows about some subjects, texts as codes."""
    table = with_codes(table)
    subject = text_of(table.column("subject"))
    wanted = pc.is_in(subject.dictionary, subjects).to_numpy(zero_copy_only=False)
    return table.take(pa.array(np.flatnonzero(wanted[subject.codes])))


def _key(subject: Longs, day: Longs) -> Longs:
    """Subject and day in one number that sorts by both; days may be shifted by up to a window without carry."""
    return (subject << _DAY_BITS) + day


def _find(keys: Longs, wanted: Longs) -> Longs:
    """Where each wanted key stands in `keys`; `len(keys)` if nowhere."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    order = np.argsort(keys)
    place = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    return np.where(keys[order][place] == wanted, order[place], len(keys))


def _joint_groups(left: pa.Table, right: pa.Table, names: tuple[str, ...]) -> tuple[Longs, Longs]:
    """Numbers of the rows of two tables that are equal where the named columns are."""
    both = pa.concat_tables([left.select(names), right.select(names)])
    if not both.num_rows:
        empty = np.zeros(0, np.int64)
        return empty, empty
    groups, _ = group_rows(column_codes(both, names))
    return groups[: left.num_rows], groups[left.num_rows :]


def _longs(table: pa.Table, name: str) -> Longs:
    return table.column(name).to_numpy().astype(np.int64, copy=False)


def _codes(table: pa.Table, name: str) -> Longs:
    return column_codes(table, (name,))[0].astype(np.int64) if table.num_rows else np.zeros(0, np.int64)
