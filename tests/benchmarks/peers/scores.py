"""What peers that publish a score would give each alert, from the communications of its organisation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tests.benchmarks.peers import PEERS, alerts_of, open_communications
from tests.benchmarks.peers.elastic_risk import COLUMNS as OF_ELASTIC
from tests.benchmarks.peers.elastic_risk import risk_of
from tests.benchmarks.peers.rita import Pair, threat_score

RITA, ELASTIC = "RITA's threat score", "Elastic's risk score"
COLUMNS = tuple(dict.fromkeys((*OF_ELASTIC, "host", "event_time", "event_type", "remote_ip", "bytes_sent")))
"""Of `ACTIVITY_SCHEMA`: what a table of communications must have."""
_NEW_TERMS = next(peer for peer in PEERS if peer.name == "new-terms-7")


def peer_scores(communications: pa.Table, alerts: Iterable[tuple[str, str]], hosts: int) -> dict[str, dict[str, float]]:
    """The peers' scores of alerts: alert id -> peer -> score. A peer that would tell nothing of an alert is left out.

    Args:
        communications: one row each, of COLUMNS.
        alerts: (alert id, id of its first event).
        hosts: of the organisation.
    """
    events = dict(alerts)
    scores: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for name, of_peer in ((RITA, _rita(communications, events, hosts)), (ELASTIC, _elastic(communications, events))):
        for alert_id, value in of_peer.items():
            scores[alert_id][name] = value
    return dict(scores)


def _rita(communications: pa.Table, events: Mapping[str, str], hosts: int) -> dict[str, float]:
    """Of an alert's host and destination, on its day."""
    connection = duckdb.connect(config={"threads": 2})
    connection.register("communications", communications)
    connection.register("alerts", pa.table({"alert_id": list(events), "event_id": list(events.values())}))
    rows = connection.execute(Path(__file__).with_name("rita.sql").read_text(encoding="utf-8")).fetchall()
    scores = {
        alert_id: threat_score(Pair(np.asarray(times, np.int64), np.asarray(sizes, np.int64), seen / hosts, known))
        for alert_id, times, sizes, seen, known in rows
    }
    return {alert_id: value for alert_id, value in scores.items() if value is not None}


def _elastic(communications: pa.Table, events: Mapping[str, str]) -> dict[str, float]:
    """Of an alert's first event."""
    new_terms = set(alerts_of(_NEW_TERMS, open_communications(communications)))
    wanted = pa.array(list(events.values()), pa.string())
    first = communications.select(OF_ELASTIC).filter(pc.is_in(communications["event_id"], wanted))
    risks = {row["event_id"]: risk_of(row | {"new_term": row["event_id"] in new_terms}) for row in first.to_pylist()}
    return {alert_id: float(risks[event_id]) for alert_id, event_id in events.items() if risks[event_id]}
