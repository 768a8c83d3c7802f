"""What the user's exceptions match among the activities of runs.

A verdict row says which program, origin, service, host and hour an activity had. These are the same for all of its
events, so what an exception says about them is judged exactly. It does not say user, path, parent and remote host, nor
the signer where the signature did not hold: an exception that asks for them may match the row, or may not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.transforms.rules.advice.exception_findings import FOLDER_ORIGINS, Finding
from uncommon_im.transforms.rules.columns.column import Codes, Text, group_rows, text_of
from uncommon_im.transforms.rules.recognition.exceptions import Exceptions
from uncommon_im.transforms.rules.recognition.glob_index import Known

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

    def add(self, count: int, sure: bool, rare: bool) -> None:
        """Counts activities that are matched, for certain or perhaps."""
        self.possible += count
        self.possible_rare += count * rare
        self.activities += count * sure
        self.rare += count * sure * rare


@dataclass
class RunMatches:
    """What each exception of a file matches among the activities of some runs.

    Args:
        entries: the exceptions.
        activities: all activities that were looked at.
        rare: those that were rare.
        unexplained: activities that a run excepted, but that no entry of these can match.
        rare_programs: names of the programs that were rare.
    """

    entries: Sequence[ExceptionEntry]
    activities: int = 0
    rare: int = 0
    unexplained: int = 0
    rare_programs: set[str] = field(default_factory=set)

    def add_verdicts(self, rows: pa.RecordBatch) -> None:
        """Counts verdict rows, of `VERDICT_ROW_SCHEMA` without nulls. Of rows that are alike, one is looked at."""
        columns = {name: text_of(rows.column(name)) for name in VERDICT_ROW_SCHEMA.names if name != "hour"}
        day = rows.column("hour").to_numpy() // 24
        rare = columns["verdict"].lookup(RARE.__contains__, False, np.bool_)
        excepted = columns["verdict"].lookup("excepted".__eq__, False, np.bool_)
        kinds: dict[Known, int] = {}
        codes = {name: self._said.codes(name, columns[VERDICT_COLUMN[name]], kinds) for name in self._said.fields}
        known = list(kinds)
        no_signer = columns["origin"].lookup(lambda value: value.startswith(FOLDER_ORIGINS), False, np.bool_)
        group, first = group_rows(
            [*codes.values(), no_signer, rare, excepted, np.searchsorted(self._said.last_days, day)]
        )
        for row, count in zip(first.tolist(), np.bincount(group).tolist(), strict=True):
            values = {name: known[column[row]] for name, column in codes.items()}
            found = self._said.find(values, bool(no_signer[row]), int(day[row]))
            for number, sure in found:
                self._counts[number].add(count, sure, bool(rare[row]))
            self.unexplained += 0 if found or not excepted[row] else count
        self.activities += rows.num_rows
        self.rare += int(rare.sum())
        program = columns["program"]
        self.rare_programs.update(program.values[code] for code in np.unique(program.codes[rare]))

    def add_alert(self, values: Mapping[str, str | None], day: int) -> None:
        """Counts an alert: field of an exception -> normalised value of its event, and the event's day number."""
        self._alerts.update(self._exceptions.all(self._exceptions.look(values), day))

    @property
    def of_entry(self) -> list[Matches]:
        """What each entry matches, in their order."""
        numbers = self._said.number_of_entry
        return [replace(self._counts[number], alerts=self._alerts[place]) for place, number in enumerate(numbers)]

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
    def _exceptions(self) -> Exceptions:
        return Exceptions(tuple(self.entries))

    @cached_property
    def _alerts(self) -> Counter[int]:
        return Counter()

    @cached_property
    def _said(self) -> _Said:
        return _Said(self.entries)

    @cached_property
    def _counts(self) -> list[Matches]:
        return [Matches() for _ in range(len(self._said.certain))]


def missing_fields(entry: ExceptionEntry) -> tuple[str, ...]:
    """The fields of an exception that verdict rows do not say."""
    return tuple(name for name, _ in entry.globs if name not in VERDICT_COLUMN)


class _Said:
    """What verdict rows say of exceptions; those of which they say the same share a number.

    Attributes:
        number_of_entry: the number of each exception.
        certain: of each number, whether verdict rows decide it where there is a signer, and where there is none.
        fields: of exceptions, those that verdict rows say.
        last_days: as those of `Exceptions`.
    """

    def __init__(self, entries: Sequence[ExceptionEntry]) -> None:
        numbers: dict[tuple[ExceptionEntry, bool], int] = {}
        self.number_of_entry = [
            numbers.setdefault((_only(VERDICT_COLUMN, entry), not missing_fields(entry)), len(numbers))
            for entry in entries
        ]
        self.certain = [(whole, whole and "signer" not in dict(said.globs)) for said, whole in numbers]
        unsigned = VERDICT_COLUMN.keys() - {"signer"}
        self._with_signer = Exceptions(tuple(said for said, _ in numbers))
        self._without_signer = Exceptions(tuple(_only(unsigned, said) for said, _ in numbers))
        self.fields, self.last_days = self._with_signer.fields, self._with_signer.last_days

    def codes(self, name: str, column: Text, kinds: dict[Known, int]) -> Codes:
        """What is known of each value of a field, as a number that `kinds` has, or gets."""

        def code(value: str | None) -> int:
            return kinds.setdefault(self._with_signer.known(name, value), len(kinds))

        return column.lookup(code, code(None), np.int32)

    def find(self, known: Mapping[str, Known], no_signer: bool, day: int) -> list[tuple[int, bool]]:
        """(number, whether that is certain) of the exceptions that may match a row."""
        exceptions = self._without_signer if no_signer else self._with_signer
        return [(number, self.certain[number][no_signer]) for number in exceptions.all(known, day)]


def _only(fields: Container[str], entry: ExceptionEntry) -> ExceptionEntry:
    """What an exception asks of some fields."""
    return ExceptionEntry(tuple(pair for pair in entry.globs if pair[0] in fields), "", entry.expires)
