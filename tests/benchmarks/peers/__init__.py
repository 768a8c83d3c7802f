"""Other detectors' published logic over the same communications, one DuckDB query each.

All of them are given what this project recognises as communications (its catalogue, lookups of the system's resolver
left out): none suffers from a shorter list of hosts. What a query computes is in its own words and as small as it can
be; the published rule it follows is named below. Where a product leaves the grouping of alerts to its user, the query
groups as an analyst would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from tests.benchmarks import catalogue_tables


@dataclass(frozen=True)
class Peer:
    """A detector to compare with.

    Args:
        name: short, for files.
        title: as a table has it.
        query: the file beside this one.
        source: the published logic that it follows.
        parameters: of the query.
    """

    name: str
    title: str
    query: str
    source: str
    parameters: Mapping[str, int | bool] = field(default_factory=dict)


SIGMA = (
    "SigmaHQ/sigma, net_connection_win_domain_telegram_api_non_browser_access.yml: a messenger's host and no browser "
    "(Chrome, Firefox, Internet Explorer, Edge by their folders, others by name). Native clients are left out too, as "
    "in its rules on Discord and in its list of Electron programs; clients and browsers are those of the catalogue"
)
ELASTIC = (
    "elastic/detection-rules, command_and_control_unusual_network_connection_to_suspicious_web_service.toml: new terms "
    "of host.id, process.executable, destination.domain, history_window_start now-7d, its exclusions by signer; its "
    "list of domains is replaced by the catalogue, and it is used on every system"
)
MICROSOFT = (
    "Azure/Azure-Sentinel, First-TimeNetworkConnectionByUnusualProcess.yaml: leftanti on DeviceId, FileName and "
    "verified signer, 14 days of baseline that end a day before; over communications only, or a program that talks to "
    "anything at all would never be new. What it excludes is left out: developers' machines, and allowed programs (a "
    "sample of five by name and signer, to be replaced by one's own list)"
)
GOOGLE = (
    "Google SecOps, context-aware analytics: prevalence.day_count = 10 and prevalence.rolling_max <= 3 of the file's "
    "hash or of the domain. A file's prevalence is that among communications"
)
DATADOG = (
    "Datadog Cloud SIEM, detection method new value (SecurityMonitoringRuleNewValueOptions of its API): "
    "learningDuration 7, forgetAfter 28, values of process and destination"
)

PEERS = (
    Peer("static-list", "static list (Sigma)", "static_list.sql", SIGMA),
    Peer("new-terms-7", "new terms, 7 days (Elastic)", "new_terms.sql", ELASTIC, {"days": 7}),
    Peer("new-terms-14", "new terms, 14 days (Elastic)", "new_terms.sql", ELASTIC, {"days": 14}),
    Peer("first-seen", "first seen, 14 days (Microsoft)", "first_seen.sql", MICROSOFT, {"days": 14}),
    Peer("prevalence", "prevalence, 10 days (Google)", "prevalence.sql", GOOGLE, {"days": 10, "hosts": 3}),
    Peer(
        "new-value-host",
        "new value by host (Datadog)",
        "new_value.sql",
        DATADOG,
        {"learning": 7, "forget": 28, "by_host": True},
    ),
    Peer(
        "new-value",
        "new value, organisation (Datadog)",
        "new_value.sql",
        DATADOG,
        {"learning": 7, "forget": 28, "by_host": False},
    ),
)

DELAY_US = 3_600_000_000
"""How late records of a shuffled input may arrive, µs."""
_COMMUNICATIONS = """
CREATE TEMP TABLE communications AS
SELECT event_id, make_timestamp(event_time) AS time, event_time // 86400000000 AS day, host, os, program AS name,
  lower(process_path) AS path, process_sha256 AS sha256, lower(process_signer) AS signer,
  coalesce(process_signature_status = 'signed' AND process_signer IS NOT NULL, false) AS signed,
  remote_host AS destination_name, coalesce(remote_host, remote_ip) AS destination,
  row_number() OVER (ORDER BY event_time + CASE WHEN $seed IS NULL THEN 0
    ELSE hash(event_id, $seed) % $delay END, event_id) AS arrival
FROM incoming
"""


def open_communications(table: pa.Table, shuffle_seed: int | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with what the queries read.

    Args:
        table: communications, of `ACTIVITY_SCHEMA`.
        shuffle_seed: records arrive up to an hour late, by this seed; `None`: in the order of their time.
    """
    connection = duckdb.connect(config={"threads": 2})
    catalogue_tables.load(connection)
    connection.register("incoming", table)
    connection.execute(_COMMUNICATIONS, {"seed": shuffle_seed, "delay": DELAY_US})
    connection.unregister("incoming")
    return connection


def alerts_of(peer: Peer, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Ids of the events that a peer alerts on, in order; once each."""
    query = Path(__file__).with_name(peer.query).read_text(encoding="utf-8")
    return sorted({event_id for (event_id,) in connection.execute(query, dict(peer.parameters)).fetchall()})
