"""The opponent: the same alerts by hand-written SQL.

`python -m tests.benchmarks.duckdb_alerts --input 'DIR/*.parquet' --output FILE.jsonl [--threads 2]`
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import duckdb

from tests.benchmarks import catalogue_tables

READING = ("alerts_macros.sql", "alerts_reading.sql")
COMPLETING = "alerts_instances.sql"
NOTHING_TO_COMPLETE = "CREATE TEMP VIEW completed AS SELECT rowid AS number, * FROM traffic"
IDENTIFYING = "alerts_identity.sql"
JUDGING = "alerts.sql"


def quoted(text: str) -> str:
    """A string as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def open_lake(files: str, threads: int) -> tuple[duckdb.DuckDBPyConnection, bool]:
    """A connection with what the SQL reads: the catalogue's tables, and the files as `lake`.

    Returns:
        (the connection, whether the files name instances of processes).
    """
    connection = duckdb.connect(config={"threads": threads, "preserve_insertion_order": False})
    catalogue_tables.load(connection)
    source = f"read_parquet({quoted(files)})"
    columns = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    missing = [name for name in ("event_id", "tenant_id", "process_guid") if name not in columns]
    absent = "".join(f", NULL::VARCHAR AS {name}" for name in missing)
    connection.execute(f"CREATE TEMP VIEW lake AS SELECT *{absent} FROM {source}")
    return connection, "process_guid" not in missing


def read_lake(files: str, threads: int) -> duckdb.DuckDBPyConnection:
    """A connection that has read the files, and can make alerts of them."""
    connection, has_instances = open_lake(files, threads)
    for name in READING:
        connection.execute(statements(name))
    connection.execute(statements(COMPLETING) if has_instances else NOTHING_TO_COMPLETE)
    connection.execute(statements(IDENTIFYING))
    return connection


def statements(name: str) -> str:
    """The SQL of a file of this folder."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def run(files: str, output: Path | None, threads: int) -> dict[str, Any]:
    """Writes the alerts and returns the counts that a run prints."""
    connection = read_lake(files, threads)
    connection.execute(statements(JUDGING))
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        connection.execute(f"COPY alerts TO {quoted(str(output))} (FORMAT json)")

    def counts(query: str) -> dict[str, int]:
        return {name: int(count) for name, count in connection.execute(query + " ORDER BY 1").fetchall()}

    dead = counts("SELECT flaw, sum(events) FROM counted WHERE flaw IS NOT NULL GROUP BY 1")
    totals = counts(
        "SELECT 'valid', coalesce(sum(events), 0) FROM counted WHERE flaw IS NULL"
        " UNION ALL SELECT 'communications', count(*) FROM communications"
        " UNION ALL SELECT 'activities', count(*) FROM activities"
    )
    valid = totals.pop("valid")
    events = {"read": valid + sum(dead.values()), "valid": valid, "dead_letter": dead}
    verdicts = counts("SELECT verdict, sum(n) FROM verdicts WHERE n > 0 GROUP BY 1")
    return {
        "events": events,
        **totals,
        "verdicts": verdicts,
        "alerts": counts("SELECT variation, count(*) FROM alerts GROUP BY 1"),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", required=True, help="glob of Parquet files")
    parser.add_argument("--output", type=Path, help="file for the alerts, one JSON object a line")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    print(json.dumps(run(given.input, given.output, given.threads), indent=1))


if __name__ == "__main__":
    main()
