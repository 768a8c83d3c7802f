"""The sinks of a stream that is driven in this process: the same files and rows as those of one on an engine."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from uncommon_im.pipeline.baselines.write_learned import SHARDS, by_shard, day_over, day_written, finish_day, write_part
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.sinks import Sinks
from uncommon_im.pipeline.sinks.files.stream_files import write_alert, write_lines
from uncommon_im.transforms.rules.alerts.redaction import Redactor
from uncommon_im.transforms.rules.columns.days import day_number
from uncommon_im.transforms.rules.columns.json_lines import to_json
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import MESSAGES, Message

if TYPE_CHECKING:
    from uncommon_im.pipeline.sinks.bigquery.insert_rows import Inserts, TableName

Row = dict[str, Any]
_MOST_LINES: Final = 50_000
"""Lines of a file at most."""


class StreamWriter:
    """Takes what leaves the stream (a `Receiver`); alerts are written at once, other rows many together."""

    def __init__(self, sinks: Sinks, configuration: Configuration, lateness: Lateness) -> None:
        """Writes to all sinks that there are."""
        self._output, self._form = sinks.output, configuration.alert_format
        self._verdicts = configuration.verdicts
        self._redactor = Redactor(configuration.catalogue) if configuration.redact else None
        self._lines: defaultdict[str, list[str]] = defaultdict(list)
        self._inserts = _inserts(sinks, configuration)
        self._days = _LearnedDays(sinks.sightings_out, configuration, lateness) if sinks.sightings_out else None

    def alert(self, row: Row) -> None:
        """Writes an alert."""
        row = self._redactor.alert(row) if self._redactor else row
        if self._output:
            write_alert(row, self._output, self._form)
        if "alerts" in self._inserts:
            self._inserts["alerts"].add(row)

    def verdict(self, row: Row) -> None:
        """Keeps a verdict row, if they are asked for."""
        if self._verdicts:
            self._row("verdicts", "verdicts", self._redactor.verdict(row) if self._redactor else row)

    def dead_letter(self, letter: DeadLetter) -> None:
        """Keeps a dead letter."""
        row = letter.row()
        self._row("dead_letter", "dead_letters", self._redactor.dead_letter(row) if self._redactor else row)

    def learned(self, table: str, key: str, message: Message, instant: int) -> None:
        """Keeps what was learned, if it is asked for."""
        if self._days:
            self._days.add(table, key, message, instant)

    def advance(self, watermark: int) -> None:
        """Writes the days of what was learned that are over at a watermark (ms), after the rows that came before."""
        if self._days and self._days.over(watermark):
            self.flush()
            self._days.write(watermark)

    def flush(self) -> None:
        """Writes all rows that came."""
        for name in list(self._lines):
            self._write_lines(name)
        for inserts in self._inserts.values():
            inserts.flush()

    def close(self) -> None:
        """Closes what it opened."""
        for inserts in self._inserts.values():
            inserts.close()

    def _row(self, name: str, table: str, row: Row) -> None:
        if self._output:
            self._lines[name].append(f"{to_json(row)}\n")
            if len(self._lines[name]) == _MOST_LINES:
                self._write_lines(name)
        if table in self._inserts:
            self._inserts[table].add(row)

    def _write_lines(self, name: str) -> None:
        assert self._output is not None
        write_lines(self._lines.pop(name), self._output, name)


def _inserts(sinks: Sinks, configuration: Configuration) -> dict[str, Inserts]:
    """By table."""
    if sinks.bigquery is None:
        return {}
    from uncommon_im.pipeline.sinks.bigquery.insert_rows import Inserts  # its client takes long to import

    tables: list[TableName] = ["alerts", "dead_letters"]
    tables += ["verdicts"] if configuration.verdicts else []
    return {table: Inserts(sinks.bigquery, table, configuration.run_id) for table in tables}


class _LearnedDays:
    """What was learned, by the day with which it is written."""

    def __init__(self, path: str, configuration: Configuration, lateness: Lateness) -> None:
        self._path, self._catalogue, self._lateness = path, configuration.catalogue, lateness
        baseline = configuration.baseline
        self._first = day_number(baseline.metadata.as_of) if baseline else 0
        self._parts: defaultdict[tuple[int, str, int], Counter[bytes]] = defaultdict(Counter)

    def add(self, table: str, key: str, message: Message, instant: int) -> None:
        day = day_written(instant, table, self._lateness)
        for shard, data in by_shard((key, MESSAGES.encode(message)), self._first, SHARDS, self._lateness):
            self._parts[day, table, shard][data] += 1

    def over(self, watermark: int) -> list[int]:
        """The days that are over and not written yet."""
        days = {day for day, _, _ in self._parts}
        return sorted(day for day in days if day_over(day, self._lateness) <= watermark)

    def write(self, watermark: int) -> None:
        """Writes the days that are over."""
        for day in self.over(watermark):
            files = [self._write(*part) for part in sorted(self._parts) if part[0] == day]
            finish_day(self._path, day, files)

    def _write(self, day: int, table: str, shard: int) -> str:
        messages = self._parts.pop((day, table, shard)).elements()
        return write_part(self._path, table, day, shard, messages, self._catalogue)
