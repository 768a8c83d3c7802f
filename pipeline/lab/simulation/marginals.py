"""How simulated telemetry is distributed, in the terms in which published figures are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.transforms.rules.columns.days import DAY_US, SECOND_US
from uncommon_im.transforms.rules.recognition.destination import Destinations

Floats = npt.NDArray[np.float64]

COLUMNS = ["event_time", "arrival_time", "event_id", "event_type", "host_id", "process_name", "remote_host"]
COLUMNS += ["remote_ip", "direction", "dns_status"]


def marginals_of(files: Sequence[str]) -> dict[str, float]:
    """Shares and skews of connections and lookups; `files` hold one day each.

    Returns:
        events_per_host_day_median, _p90, _most: connections and lookups of a host on a day with any.
        process_zipf, domain_zipf: exponents of Zipf's law, fitted by least squares on the logarithms of rank and
            count of the 30 most active process names and the 200 most popular domains (last two labels).
        process_top_5_share, process_top_20_share, domain_top_10_share: of all connections and lookups.
        process_names_on_one_host_share, domains_on_one_host_share: of distinct names.
        pairs_once_share, pairs_on_one_host_share: of distinct (process, remote host), over all days.
        messaging_share: of all connections and lookups.
        failed_lookup_share: of lookups.
        late_share, day_late_share: of events, those that arrive more than 10 minutes, more than a day later.
        twice_share: of deliveries, those that repeat an event.
    """
    days = [_day(name) for name in files]
    reached = pa.concat_tables(day["reached"] for day in days)
    reached = reached.group_by(["process_name", "remote_host", "remote_ip", "host_id"]).aggregate([("events", "sum")])
    reached = reached.rename_columns([*reached.column_names[:-1], "events"])
    host_days = np.concatenate([day["host_days"] for day in days])
    totals = {name: sum(day[name] for day in days) for name in ("events", "late", "day_late", "twice", "failed", "dns")}
    with_name = reached.filter(pc.is_valid(reached["remote_host"]))
    process = _by(reached, "process_name")
    domain = _by(with_name.append_column("domain", _domains(with_name["remote_host"])), "domain")
    pair = _by(with_name, "process_name", "remote_host")
    return {
        "events_per_host_day_median": float(np.median(host_days)),
        "events_per_host_day_p90": float(np.quantile(host_days, 0.9)),
        "events_per_host_day_most": float(host_days.max()),
        "process_zipf": _zipf(process["events"], 30),
        "process_top_5_share": _top(process["events"], 5),
        "process_top_20_share": _top(process["events"], 20),
        "process_names_on_one_host_share": float((process["hosts"] == 1).mean()),
        "domain_zipf": _zipf(domain["events"], 200),
        "domain_top_10_share": _top(domain["events"], 10),
        "domains_on_one_host_share": float((domain["hosts"] == 1).mean()),
        "pairs_once_share": float((pair["events"] == 1).mean()),
        "pairs_on_one_host_share": float((pair["hosts"] == 1).mean()),
        "messaging_share": _messaging(reached),
        "failed_lookup_share": totals["failed"] / totals["dns"],
        "late_share": totals["late"] / totals["events"],
        "day_late_share": totals["day_late"] / totals["events"],
        "twice_share": totals["twice"] / totals["events"],
    }


def _day(name: str) -> dict[str, Any]:
    """What is needed of one file: small beside it."""
    table = pq.read_table(name, columns=COLUMNS)
    delay = pc.subtract(table["arrival_time"], table["event_time"]).cast(pa.int64()).to_numpy()
    outbound = pc.fill_null(pc.equal(table["direction"], "outbound"), False)
    reached = table.filter(outbound).group_by(["process_name", "remote_host", "remote_ip", "host_id"])
    host_days = table.filter(outbound).group_by("host_id").aggregate([([], "count_all")])
    return {
        "reached": reached.aggregate([([], "count_all")]).rename_columns({"count_all": "events"}),
        "host_days": host_days["count_all"].to_numpy(),
        "events": len(table),
        "late": int((delay > 600 * SECOND_US).sum()),
        "day_late": int((delay > DAY_US).sum()),
        "twice": len(table) - pc.count_distinct(table["event_id"]).as_py(),
        "failed": pc.sum(pc.greater(table["dns_status"], 0)).as_py() or 0,
        "dns": pc.count(table["dns_status"]).as_py(),
    }


def _by(reached: pa.Table, *keys: str) -> dict[str, Floats]:
    """Events and hosts of each distinct value of the keys."""
    grouped = reached.group_by(list(keys)).aggregate([("events", "sum"), ("host_id", "count_distinct")])
    return {"events": grouped["events_sum"].to_numpy(), "hosts": grouped["host_id_count_distinct"].to_numpy()}


def _domains(hosts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The last two labels of host names."""
    return pc.struct_field(pc.extract_regex(hosts, r"(?P<domain>[^.]+\.[^.]+)$"), "domain")


def _zipf(counts: Floats, most: int) -> float:
    ranked = np.sort(counts)[::-1][:most]
    return float(-np.polyfit(np.log(np.arange(1, len(ranked) + 1)), np.log(ranked), 1)[0])


def _top(counts: Floats, most: int) -> float:
    return float(np.sort(counts)[::-1][:most].sum() / counts.sum())


def _messaging(reached: pa.Table) -> float:
    destinations = Destinations(load_catalogue(), operator_ranges=False)
    by_server = reached.group_by(["remote_host", "remote_ip"]).aggregate([("events", "sum")]).to_pylist()
    messaging = sum(row["events_sum"] for row in by_server if destinations.match(row["remote_host"], row["remote_ip"]))
    return float(messaging / sum(row["events_sum"] for row in by_server))
