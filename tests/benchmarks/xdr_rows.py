"""Native events in Parquet as the rows that Cortex XDR's queries export: gzip JSON lines of about 1.5 kB a row.

`python -m tests.benchmarks.xdr_rows EVENTS_DIR ROWS_DIR`: a file of rows for each file of events.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from isal import igzip

from uncommon_im.schemas.event import EVENT_COLUMNS

SUB_TYPES: Final = {"network": "NETWORK_STREAM_CONNECT", "dns": "NETWORK_DNS_QUERY", "process": "PROCESS_START"}
OS_TYPES: Final = {"windows": "AGENT_OS_WINDOWS", "macos": "AGENT_OS_MAC", "linux": "AGENT_OS_LINUX"}
COMPRESSION: Final = 2
_ENCODE: Final[Callable[[Any], bytes]] = msgspec.json.Encoder().encode


def xdr_row(event: dict[str, Any]) -> dict[str, Any]:
    """The row of an event (event time in ms)."""
    name, path = event["process_name"], event["process_path"]
    own = "action_process" if event["event_type"] == "process" else "actor_process"
    parent = "actor_process" if event["event_type"] == "process" else "os_actor_process"
    digest = event["process_sha256"] or ""
    time = event["event_time"] or 0
    return {
        "_vendor": "PANW",
        "_product": "XDR agent",
        "event_id": event["event_id"] or f"{digest[:12]}{time:020d}",
        "event_timestamp": event["event_time"],
        "event_type": "PROCESS" if event["event_type"] == "process" else "NETWORK",
        "event_sub_type": SUB_TYPES.get(event["event_type"]),
        "agent_id": event["host_id"],
        "agent_hostname": event["host_name"],
        "agent_os_type": OS_TYPES.get(event["os"] or ""),
        "agent_ip_addresses": ["10.24.17.3"],
        f"{own}_image_name": name,
        f"{own}_image_path": path,
        f"{own}_command_line": event["process_command_line"],
        f"{own}_image_sha256": digest,
        f"{own}_signature_status": (event["process_signature_status"] or "").upper() or None,
        f"{own}_signature_vendor": event["process_signer"],
        f"{own}_os_pid": event["process_pid"],
        f"{own}_instance_id": f"AdxX{event['process_pid'] or 0:012d}",
        "actor_effective_username": event["user_name"],
        f"{parent}_image_name": event["parent_process_name"],
        f"{parent}_command_line": event["parent_process_command_line"],
        f"{parent}_os_pid": 4211,
        f"{parent}_instance_id": "AdxX000000000001",
        "causality_actor_process_image_name": event["causality_process_name"],
        "causality_actor_process_command_line": event["causality_process_command_line"],
        "action_local_ip": "10.24.17.3",
        "action_local_port": 49152 + (event["process_pid"] or 0) % 16384,
        "action_remote_ip": event["remote_ip"],
        "action_remote_port": event["remote_port"],
        "action_external_hostname": event["remote_host"] if event["event_type"] == "network" else None,
        "dst_action_external_hostname": None,
        "dns_query_name": event["remote_host"] if event["event_type"] == "dns" else None,
        "dns_reply_code": event["dns_status"],
        "action_network_protocol": (event["protocol"] or "").upper() or None,
        "action_network_is_server": event["direction"] == "inbound",
        "action_network_success": True,
        "action_upload": event["bytes_sent"],
        "action_download": event["bytes_received"],
    }


def write_rows(events: Path, rows: Path) -> None:
    """One file of rows for one file of events."""
    with igzip.open(rows, "wb", compresslevel=COMPRESSION) as out:
        for batch in event_batches(events):
            out.write(b"".join(_ENCODE(xdr_row(event)) + b"\n" for event in batch))


def event_batches(events: Path) -> Iterator[list[dict[str, Any]]]:
    """The events of a Parquet file, with all columns, times in ms."""
    missing = dict.fromkeys(EVENT_COLUMNS)
    for batch in pq.ParquetFile(events).iter_batches(8192):
        place = batch.schema.get_field_index("event_time")
        milliseconds = batch.column(place).cast(pa.timestamp("ms", tz="UTC"), safe=False).cast(pa.int64())
        rows = batch.set_column(place, "event_time", milliseconds).to_pylist()
        yield [missing | row for row in rows]


def convert(events: Path, rows: Path, workers: int = 2) -> None:
    """Files of rows in a folder for all files of events in another."""
    rows.mkdir(parents=True, exist_ok=True)
    files = sorted(events.glob("*.parquet"))
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(write_rows, files, [rows / f"{file.stem}.jsonl.gz" for file in files]))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
