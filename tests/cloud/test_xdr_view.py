"""The view of rows of Cortex XDR, on `local-bigquery`: it gives what the `xdr` format makes of the same rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.benchmarks.xdr_rows import xdr_row
from tests.cloud.bigquery import BigQuery
from tests.oracle.events import DeadLetterError, clean_text, normalise
from tests.organisations import random_organisation
from tests.running import Record, configuration_of, run_backfill, run_inputs, write_lines
from uncommon_im.pipeline.bigquery.options import TABLE_SCHEME
from uncommon_im.pipeline.sources.bigquery.tables import find_tables
from uncommon_im.schemas.event import EVENT_COLUMNS

pytestmark = pytest.mark.cloud

VIEW = Path(__file__).parents[2] / "deploy" / "bigquery" / "views" / "xdr_events.sql"
TEXTS = (
    "event_id event_type event_sub_type agent_id agent_hostname agent_os_type actor_effective_username "
    "actor_primary_username os_actor_effective_username os_actor_primary_username action_process_username "
    "action_external_hostname dst_action_external_hostname dns_query_name action_remote_ip action_remote_ip_v6 "
    "action_network_protocol"
)
OF_PROCESSES = "image_name image_path image_sha256 signature_status signature_vendor instance_id"
ACTORS = ("actor_process", "os_actor_process", "causality_actor_process", "action_process")
NUMBERS = "event_timestamp action_remote_port action_upload action_download dns_reply_code"
SCHEMA = pa.schema(
    {name: pa.string() for name in TEXTS.split()}
    | {f"{actor}_{name}": pa.string() for actor in ACTORS for name in OF_PROCESSES.split()}
    | {f"{actor}_command_line": pa.string() for actor in (*ACTORS[:3], "action_process_image")}
    | {f"{actor}_os_pid": pa.int64() for actor in ACTORS}
    | {name: pa.int64() for name in NUMBERS.split()}
    | {name: pa.bool_() for name in ("action_network_is_server", "action_network_success")}
)
"""Columns of an export that the view reads."""


def rows_of(records: list[Record]) -> list[Record]:
    """Rows of events as the agent reports them, half of them with prefixes, and of what is no event."""
    rows = []
    for number, event in enumerate(valid_events(records)):
        known = {"event_time": event["event_time"] // 1_000, "event_id": f"e{number}"}
        row = xdr_row(dict.fromkeys(EVENT_COLUMNS) | event | known)
        row["action_process_image_command_line"] = row.pop("action_process_command_line", None)
        if number % 2 == 0:
            prefixed = ("event_type", "event_sub_type", "agent_os_type", "actor_process_signature_status")
            row |= {name: f"ENUM.{row[name]}" for name in prefixed if row.get(name)}
        if number % 7 == 0 and event["event_type"] != "process":
            row = {name: row.get(as_actor(name)) for name in SCHEMA.names}
        rows.append({name: row.get(name) for name in SCHEMA.names})
    return [*rows, *DECOYS]


def valid_events(records: list[Record]) -> Iterator[Record]:
    """The normalised columns of valid records; in XDR an image is named, and not like a marker of a missing value."""
    for record in records:
        try:
            event = normalise(record, "default").columns
        except DeadLetterError:
            continue
        if clean_text(event.get("process_name")) is not None:
            yield event


def as_actor(name: str) -> str:
    """Where a row has a value that it has under this name if only the system's actor is named."""
    if name.startswith("actor_process"):
        return "nowhere"
    return name.removeprefix("os_") if name.startswith("os_actor_process") else name


DECOYS: list[Record] = [
    dict.fromkeys(SCHEMA.names) | {"event_timestamp": 1_775_000_000_000, "agent_id": "h1"} | decoy
    for decoy in (
        {"agent_os_type": "NO_HOST", "event_type": "STORY", "action_remote_ip": "149.154.167.99"},
        {"event_type": "STORY", "action_external_hostname": "api.telegram.org"},
        {"event_type": "FILE", "actor_process_image_name": "a.exe", "action_remote_ip": "149.154.167.99"},
        {"event_type": "PROCESS", "event_sub_type": "PROCESS_STOP", "action_process_image_name": "a.exe"},
        {"event_type": "NETWORK", "event_sub_type": "NETWORK_STREAM_LISTEN", "actor_process_image_name": "a.exe"},
    )
]


def facts(alerts: list[dict[str, Any]]) -> Counter[str]:
    left_out = ("activity", "run_id", "late")
    return Counter(json.dumps({k: v for k, v in a.items() if k not in left_out}, sort_keys=True) for a in alerts)


@pytest.mark.parametrize("seed", [0, 3])
def test_the_view_gives_the_alerts_of_the_adapter(seed: int, bigquery: BigQuery, tmp_path: Path) -> None:
    organisation = random_organisation(seed)
    configuration = configuration_of(organisation.options)
    rows = rows_of(organisation.records)
    write_lines(tmp_path / "rows.jsonl", rows)
    expected = run_backfill([str(tmp_path / "rows.jsonl")], configuration, format="xdr")
    bigquery.load("xdr_data", pa.Table.from_pylist(rows, schema=SCHEMA))
    bigquery.query(VIEW.read_text().replace("DATASET", bigquery.dataset))
    path = f"{TABLE_SCHEME}{bigquery.dataset}.xdr_events"
    found = run_inputs(find_tables([path], [], bigquery.access, configuration.needed, f"x{seed}"), configuration)
    assert len(expected.alerts) > 20
    assert expected.summary["events"]["dead_letter"]["not_endpoint"] == len(DECOYS)
    assert found.verdict_rows == expected.verdict_rows
    assert facts(found.alerts) == facts(expected.alerts)
    assert found.summary["events"]["valid"] == expected.summary["events"]["valid"]
