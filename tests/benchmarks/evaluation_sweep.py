"""Other limits than the defaults: what each pair finds, and what it costs.

The alerts are those of the benchmarks' hand-written SQL, which are the pipeline's (`compare`, `test_duckdb_alerts`):
files are read once, and only prevalence and what follows is computed again.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipeline.evaluation.scoring import Alert, Organisation, score
from tests.benchmarks.duckdb_alerts import SQL, open_lake

OTHER_HOSTS = (0, 1, 2, 3, 5, 10, 25)
HOST_DAYS = (0, 1, 2, 3, 5)
DEFAULTS = "3/2"
"""The limits that the specification sets."""
Swept = dict[str, dict[str, int]]
"""`OTHER_HOSTS/HOST_DAYS` -> `planted` and `detected` malicious campaigns, `alerts`, `false` ones."""


def sweep(files: str, organisation: Organisation) -> Swept:
    """Figures for every pair of limits, which are set for communications and executions alike.

    Args:
        files: glob of the organisation's events.
        organisation: what is in them.
    """
    connection = open_lake(files, threads=2)
    *reading, judging = ((Path(__file__).with_name(name)).read_text(encoding="utf-8") for name in SQL)
    for statements in reading:
        connection.execute(statements)
    found: Swept = {}
    for other_hosts in OTHER_HOSTS:
        for host_days in HOST_DAYS:
            connection.execute(
                f"SET VARIABLE max_other_hosts = {other_hosts}; SET VARIABLE max_host_days = {host_days}"
            )
            connection.execute(judging)
            found[f"{other_hosts}/{host_days}"] = _figures(connection, organisation)
    return found


def _figures(connection: duckdb.DuckDBPyConnection, organisation: Organisation) -> dict[str, int]:
    rows = connection.execute("SELECT event_id, severity, variation FROM alerts").fetchall()
    result = score(organisation, (Alert(*row) for row in rows))
    malicious = [each for each in result.campaigns if each.campaign.malicious]
    return {
        "planted": len(malicious),
        "detected": sum(each.detected for each in malicious),
        "alerts": len(result.alerts),
        "false": sum(not result.is_true(alert) for alert in result.alerts),
        "host_days": result.host_days,
    }
