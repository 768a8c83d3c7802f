"""Exports in SQL: BigQuery's, and Athena's (Trino), over a table of native columns.

SQL can ask which processes communicated: of the starts it takes theirs alone. And a day of a tenant on which nothing of
this happened is still a covered day (specification, section 6): its first event that is valid comes along.

Sources: GoogleSQL "String functions", "Lexical structure"; Trino "Regular expression functions", "Date and time
functions", which Athena's engine 3 has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from uncommon_im.transforms.rules.columns.text import MISSING
from uncommon_im.transforms.rules.exports.dialects.words import Request, Words, in_quotes
from uncommon_im.transforms.rules.exports.predicate import AnyOf, Peers


@dataclass(frozen=True)
class Sql(Words):
    """A dialect of SQL.

    Args:
        found: the function that looks for a pattern.
        moment: a day's midnight; `{}` is the day.
    """

    found: str
    moment: str

    either = "\n    OR "
    both = " AND "

    def has(self, field: str, texts: tuple[str, ...]) -> str:
        return f"{_bare(field)} IN ({', '.join(in_quotes(text.lower(), chr(39)) for text in texts)})"

    def joined(self, fields: tuple[str, ...]) -> str:
        between = " || '  ' || ".join(f"COALESCE({field}, '')" for field in fields)
        return f"LOWER({between})"

    def cut(self, text: str, pattern: str) -> str:
        return f"REGEXP_REPLACE({text}, {in_quotes(pattern, chr(39))}, '  ')"

    def finds(self, text: str, pattern: str) -> str:
        return f"{self.found}({text}, {in_quotes(pattern, chr(39))})"

    def export(self, request: Request) -> str:
        """The query."""
        return "\n".join(self._export(request, self.table(request.table))) + "\n"

    def table(self, name: str) -> str:
        """A table's name; BigQuery's backticks stand around all of it, Athena's quotes around each part."""
        return f"`{name}`" if self is BIGQUERY else ".".join(f'"{part}"' for part in name.split("."))

    def _export(self, request: Request, table: str) -> Iterator[str]:
        columns, starts = request.columns, request.source.starts
        joins = "process_guid" in columns and request.lookback > 0  # without both, starts tell of nobody else
        wanted = AnyOf(tuple(part for part in request.condition.parts if part != starts))
        yield f"WITH events AS (\n  SELECT {', '.join(columns)}\n  FROM {table}"
        yield f"  WHERE {self._days(request, request.lookback if joins else 0)}"
        if joins:
            peers = next(part for part in request.condition.parts if isinstance(part, Peers))
            named = f"{_bare('host_id')} AS host, {_bare('process_guid')} AS guid"
            yield f"), instances AS (\n  SELECT DISTINCT {named}\n  FROM events"
            yield f"  WHERE process_guid IS NOT NULL AND {self._days(request)}\n    AND {self.condition(peers)}"
        tenant = "tenant_id, " if "tenant_id" in columns else ""
        yield "), firsts AS (\n  SELECT MIN(event_time) AS first_time\n  FROM events"
        yield f"  WHERE {self._days(request)}\n    AND {_valid(columns)}\n  GROUP BY {tenant}DATE(event_time)\n)"
        yield f"SELECT {', '.join(columns)}\nFROM events\nWHERE ({self._days(request)} AND ("
        yield f"    {self.condition(wanted)}\n    OR event_time IN (SELECT first_time FROM firsts)))"
        if joins:
            yield f"  OR ({self.condition(starts)} AND EXISTS (\n    SELECT 1 FROM instances"
            yield f"    WHERE host = {_bare('events.host_id')} AND guid = {_bare('events.process_guid')}))"

    def _days(self, request: Request, earlier: int = 0) -> str:
        parts = []
        if request.start:
            parts.append(f"event_time >= {self._midnight(request.start - timedelta(earlier))}")
        if request.end:
            parts.append(f"event_time < {self._midnight(request.end)}")
        return " AND ".join(parts) or "event_time IS NOT NULL"

    def _midnight(self, day: date) -> str:
        return self.moment.format(day)


_MARKERS: Final = ", ".join(in_quotes(marker, "'") for marker in sorted(MISSING))


def _bare(column: str) -> str:
    """A column in lower case, without what is no letter, digit or sign; TRIM takes away blanks only."""
    return f"LOWER(REGEXP_REPLACE({column}, '[^!-~]', ''))"


def _valid(columns: tuple[str, ...]) -> str:
    """An event that makes its day a covered one (section 2)."""
    network = f"(event_type IS NULL OR {_bare('event_type')} IN ('network', 'dns', {_MARKERS}))"
    peer, image = (
        _either(columns, *names) for names in (("remote_host", "remote_ip"), ("process_name", "process_path"))
    )
    kinds = f"{_bare('event_type')} = 'process' OR {network} AND {peer}"
    return f"{_either(columns, 'host_id')} AND {image} AND ({kinds})"


def _either(columns: tuple[str, ...], *names: str) -> str:
    """One of these columns, of those that there are, has a value."""
    parts = [f"LOWER(TRIM({name})) NOT IN ({_MARKERS})" for name in names if name in columns]
    return f"({' OR '.join(parts)})"


BIGQUERY: Final = Sql("REGEXP_CONTAINS", "TIMESTAMP '{} 00:00:00+00'")
ATHENA: Final = Sql("REGEXP_LIKE", "TIMESTAMP '{} 00:00:00'")
