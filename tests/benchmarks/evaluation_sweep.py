"""Other limits than the defaults: what each pair finds, and what it costs.

The alerts are those of the benchmarks' hand-written SQL, which are the pipeline's (`compare`, `test_duckdb_alerts`,
`test_evaluation`): files are read once, and only prevalence and what follows is computed again.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from tests.benchmarks.duckdb_alerts import JUDGING, read_lake, statements
from uncommon_im.pipeline.lab.evaluation.scoring import Alert, Organisation, score

OTHER_HOSTS = (0, 1, 3, 5, 10, 25)
HOST_DAYS = (0, 1, 2, 5)
GROUPS = (1, 5, 10, 25)
DEFAULTS = "3/2"
"""The limits that the specification sets."""
Swept = dict[str, dict[str, int]]
"""Limits -> figures: malicious campaigns `planted` and `detected`, `hosts` and `hosts_told` of these, `alerts`, `false`
ones, `host_days`."""


def sweep(files: str, organisation: Organisation) -> tuple[Swept, Swept]:
    """Figures for every pair of limits (for communications and executions alike), and for limits of flood control.

    Args:
        files: glob of the organisation's events.
        organisation: what is in them.

    Returns:
        `OTHER_HOSTS/HOST_DAYS` -> figures, and `max_alerts_per_group` -> figures at the other limits' defaults.
    """
    connection = read_lake(files, threads=2)
    pairs = {
        f"{other_hosts}/{host_days}": _figures(alerts_at(connection, other_hosts, host_days), organisation)
        for other_hosts in OTHER_HOSTS
        for host_days in HOST_DAYS
    }
    groups = {str(group): _figures(alerts_at(connection, group=group), organisation) for group in GROUPS}
    return pairs, groups


def alerts_at(
    connection: duckdb.DuckDBPyConnection, other_hosts: int = 3, host_days: int = 2, group: int = 25
) -> list[Alert]:
    """The alerts of what `read_lake` has read, at `max_other_hosts`, `max_host_days`, `max_alerts_per_group`."""
    limits = {"max_other_hosts": other_hosts, "max_host_days": host_days, "max_alerts_per_group": group}
    connection.execute("; ".join(f"SET VARIABLE {name} = {value}" for name, value in limits.items()))
    connection.execute(statements(JUDGING))
    rows = connection.execute("SELECT event_id, severity, variation FROM alerts").fetchall()
    return [Alert(*row) for row in rows]


def _figures(alerts: Iterable[Alert], organisation: Organisation) -> dict[str, int]:
    result = score(organisation, alerts)
    malicious = [each for each in result.campaigns if each.campaign.malicious]
    return {
        "planted": len(malicious),
        "detected": sum(each.detected for each in malicious),
        "hosts": sum(each.hosts for each in malicious),
        "hosts_told": sum(each.alerted_hosts for each in malicious),
        "alerts": len(result.alerts),
        "false": sum(not result.is_true(alert) for alert in result.alerts),
        "host_days": result.host_days,
    }
