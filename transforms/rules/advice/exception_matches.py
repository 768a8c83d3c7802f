"""What the user's exceptions match among the activities of runs.

A verdict row says which program, origin, service, host and hour an activity had. These are the same for all of its
events, so what an exception says about them is judged exactly. It does not say user, path, parent and remote host, nor
the signer where the signature did not hold: an exception that asks for them may match the row, or may not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.transforms.rules.advice.exception_findings import FOLDER_ORIGINS, Finding
from uncommon_im.transforms.rules.columns.column import Longs, Mask, Text, text_of
from uncommon_im.transforms.rules.columns.days import day_number
from uncommon_im.transforms.rules.recognition.exceptions import Exceptions
from uncommon_im.transforms.rules.recognition.globs import pattern_of

VERDICT_COLUMN: Final = {
    "process_name": "program",
    "origin": "origin",
    "service_id": "service",
    "host_id": "host",
    "signer": "origin",
}
"""Field of an exception -> column of a verdict row that says it; a signer is the origin of what it signed."""
VERDICT_ROW_SCHEMA: Final = pa.schema(
    [*((name, pa.string()) for name in ("program", "origin", "service", "host", "verdict")), ("hour", pa.int64())]
)
"""What is read of verdict rows."""
RARE: Final = frozenset(("excepted", "duplicate", "rolled_up", "alert"))
"""Verdicts of activities that were rare: without exceptions each would be an alert, or part of one."""


@dataclass
class Matches:
    """What one exception matches among activities.

    Args:
        activities: activities that it matches for certain.
        possible: activities that it matches as far as their rows say; at least `activities`.
        rare: those of `activities` that were rare.
        possible_rare: those of `possible` that were rare.
        alerts: alerts whose event it matches, judged by all fields.
    """

    activities: int = 0
    possible: int = 0
    rare: int = 0
    possible_rare: int = 0
    alerts: int = 0


@dataclass
class RunMatches:
    """What each exception of a file matches among the activities of some runs.

    Args:
        entries: the exceptions.
        activities: all activities that were looked at.
        rare: those that were rare.
        unexplained: activities that a run excepted, but that no entry of these can match.
        rare_programs: names of the programs that were rare.
        of_entry: what each entry matches, in their order.
    """

    entries: Sequence[ExceptionEntry]
    activities: int = 0
    rare: int = 0
    unexplained: int = 0
    rare_programs: set[str] = field(default_factory=set)
    of_entry: list[Matches] = field(init=False)

    def __post_init__(self) -> None:
        self.of_entry = [Matches() for _ in self.entries]

    def add_verdicts(self, rows: pa.RecordBatch) -> None:
        """Counts verdict rows, of `VERDICT_ROW_SCHEMA` without nulls."""
        columns = {name: text_of(rows.column(name)) for name in VERDICT_ROW_SCHEMA.names if name != "hour"}
        day = rows.column("hour").to_numpy() // 24
        rare = columns["verdict"].lookup(RARE.__contains__, False, np.bool_)
        unexplained = columns["verdict"].lookup("excepted".__eq__, False, np.bool_)
        for entry, found in zip(self.entries, self.of_entry, strict=True):
            sure, possible = _matches(entry, columns, day)
            found.activities += int(sure.sum())
            found.possible += int(possible.sum())
            found.rare += int((sure & rare).sum())
            found.possible_rare += int((possible & rare).sum())
            unexplained &= ~possible
        self.activities += rows.num_rows
        self.rare += int(rare.sum())
        self.unexplained += int(unexplained.sum())
        program = columns["program"]
        self.rare_programs.update(program.values[code] for code in np.unique(program.codes[rare]))

    def add_alert(self, values: Mapping[str, str | None], day: int) -> None:
        """Counts an alert: field of an exception -> normalised value of its event, and the event's day number."""
        for exceptions, found in zip(self._alone, self.of_entry, strict=True):
            found.alerts += exceptions.match(values, day) is not None

    def findings(self) -> Iterator[Finding]:
        """Entries that match nothing, and those that hide all rare activities, if these are of several programs."""
        several = len(self.rare_programs) > 1
        none = f"it matches none of the {self.activities:,} activities of the runs"
        all_rare = f"it matches all {self.rare:,} rare activities of the runs, of {len(self.rare_programs):,} programs"
        for number, found in enumerate(self.of_entry, 1):
            if self.activities and not found.possible:
                yield Finding(number, "unmatched", none)
            if several and found.rare == self.rare:
                yield Finding(number, "hides_everything", all_rare)

    @cached_property
    def _alone(self) -> list[Exceptions]:
        return [Exceptions((entry,)) for entry in self.entries]


def missing_fields(entry: ExceptionEntry) -> tuple[str, ...]:
    """The fields of an exception that verdict rows do not say."""
    return tuple(name for name, _ in entry.globs if name not in VERDICT_COLUMN)


def _matches(entry: ExceptionEntry, columns: Mapping[str, Text], day: Longs) -> tuple[Mask, Mask]:
    """(rows that an exception matches for certain, rows that it may match)."""
    possible = np.ones(len(day), np.bool_) if entry.expires is None else day <= day_number(entry.expires)
    sure = possible if not missing_fields(entry) else np.zeros(len(day), np.bool_)
    for name, glob in entry.globs:
        if name not in VERDICT_COLUMN:
            continue
        column, agrees = columns[VERDICT_COLUMN[name]], _agrees(glob)
        if name != "signer":
            certain = maybe = column.lookup(agrees, False, np.bool_)
        else:
            no_signer = column.lookup(lambda value: value.startswith(FOLDER_ORIGINS), False, np.bool_)
            maybe = column.lookup(agrees, False, np.bool_) | no_signer
            certain = maybe & ~no_signer
        sure, possible = sure & certain, possible & maybe
    return sure, possible


def _agrees(glob: str) -> Callable[[str], bool]:
    pattern = pattern_of(glob)
    return lambda value: bool(value) and pattern.match(value.lower()) is not None
