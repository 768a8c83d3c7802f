"""Generates events of one program that every host runs every day, and of a few that nobody else has.

`python -m tests.benchmarks.popular_events --hosts 100_000 --days 35 --out DIR`
"""

from __future__ import annotations

import argparse
import json
import uuid
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.columns import TEXT
from tests.benchmarks.organisation import DAY, HOUR

FIRST_DAY = 19_783  # 2024-03-01
RARE = 5
"""Hosts that also run, on the last day, a program that no other host has."""
SCHEMA = pa.schema(
    [
        pa.field("event_time", pa.timestamp("us", "UTC")),
        *(pa.field(name, TEXT) for name in ("event_type", "tenant_id", "host_id", "os", "process_name")),
        *(pa.field(name, TEXT) for name in ("process_path", "process_sha256", "process_signature_status")),
        *(pa.field(name, TEXT) for name in ("process_signer", "parent_process_name", "remote_host", "direction")),
        pa.field("remote_port", pa.int64()),
        pa.field("bytes_sent", pa.int64()),
    ]
)
EVERYWHERE = {
    "event_type": "network",
    "tenant_id": "contoso",
    "os": "windows",
    "process_name": "slack.exe",
    "process_path": r"C:\Program Files\Slack\slack.exe",
    "process_sha256": "5" * 64,
    "process_signature_status": "signed",
    "process_signer": "Slack Technologies, LLC",
    "parent_process_name": "explorer.exe",
    "remote_host": "wss-primary.slack.com",
    "direction": "outbound",
}
SELDOM = {
    **EVERYWHERE,
    "process_path": r"C:\Program Files\Vendor\agent.exe",
    "process_signer": "Vendor Inc.",
    "remote_host": "api.telegram.org",
}


def events_of(
    rng: np.random.Generator, names: pa.Array, host: npt.NDArray[np.int32], day: int, texts: dict[str, pa.Array]
) -> pa.Table:
    """One event a host of `host`, in office hours of one day, in the order of time.

    Args:
        names: ids of all hosts.
        host: positions in `names`.
        day: days since 1970.
        texts: the other text columns, one value or one a host.
    """
    count = len(host)
    time = np.sort(rng.integers(day * DAY + 7 * HOUR, day * DAY + 19 * HOUR, count))
    columns: dict[str, pa.Array] = {
        "event_time": pa.array(time, pa.timestamp("us", "UTC")),
        "host_id": pa.DictionaryArray.from_arrays(pa.array(host), names),
        "remote_port": pa.array(np.full(count, 443)),
        "bytes_sent": pa.array(rng.integers(200, 20_000, count)),
    }
    for name, values in texts.items():
        codes = np.arange(count, dtype=np.int32) % len(values)
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(codes), values)
    return pa.table([columns[field.name] for field in SCHEMA], schema=SCHEMA)


def write(hosts: int, days: int, seed: int, out: Path) -> dict[str, int]:
    """Writes one file a day: each host once or twice; says how many events there are."""
    out.mkdir(parents=True, exist_ok=True)
    for old in [out / "generated.json", *out.glob("events-*.parquet")]:
        old.unlink(missing_ok=True)
    rng = np.random.default_rng(seed)
    names = pa.array([str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(hosts)])
    everywhere = {name: pa.array([text]) for name, text in EVERYWHERE.items()}
    rare = min(RARE, hosts)
    seldom = {name: pa.array([text]) for name, text in SELDOM.items()}
    seldom["process_name"] = pa.array([f"agent-of-{number}.exe" for number in range(rare)])
    seldom["process_sha256"] = pa.array([f"{number:064x}" for number in range(rare)])
    written = 0
    for day in range(days):
        host = np.concatenate([np.arange(hosts), np.flatnonzero(rng.random(hosts) < 0.5)]).astype(np.int32)
        rng.shuffle(host)
        tables = [events_of(rng, names, host, FIRST_DAY + day, everywhere)]
        if day == days - 1:
            tables.append(events_of(rng, names, np.arange(rare, dtype=np.int32), FIRST_DAY + day, seldom))
        path = out / f"events-{day:04d}.parquet"
        with pq.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=1, store_schema=False) as writer:
            for table in tables:
                writer.write_table(table)
                written += table.num_rows
    about = {"hosts": hosts, "days": days, "seed": seed, "events": written, "rare": rare}
    (out / "generated.json").write_text(json.dumps(about), encoding="utf-8")
    return about


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("hosts", 100_000), ("days", 35), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    print(json.dumps(write(given.hosts, given.days, given.seed, given.out)))


if __name__ == "__main__":
    main()
