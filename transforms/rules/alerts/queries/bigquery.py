"""Queries in BigQuery's SQL about an alert, over a table of native events (specification, section 2).

The table is `DATASET.xdr_events`, the view of Cortex XDR's export in `deploy/bigquery/views`: whoever runs a query sets
DATASET, or the name of another table of native columns.
Source: https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical (escape sequences of string literals).
"""

from __future__ import annotations

from datetime import date, datetime
from ipaddress import ip_network
from json.encoder import encode_basestring
from typing import Final

from uncommon_im.transforms.rules.alerts.queries.subject import AROUND, QuerySubject

TABLE: Final = "`DATASET.xdr_events`"
_FIRST_LAST: Final = "MIN(event_time) AS first, MAX(event_time) AS last"


def images(subject: QuerySubject) -> str:
    """Where the image, or another of its name, was seen: by folder, signer and digest."""
    return (
        "SELECT process_name, process_path, process_signature_status, process_signer, process_sha256,\n"
        f"  COUNT(DISTINCT host_id) AS hosts, COUNT(DISTINCT DATE(event_time)) AS days, {_FIRST_LAST}\n"
        f"FROM {TABLE}\nWHERE {_days(subject)}\n  AND {_program(subject)}\n"
        f"GROUP BY 1, 2, 3, 4, 5\nORDER BY hosts DESC\nLIMIT 100"
    )


def parents(subject: QuerySubject) -> str:
    """What starts programs of this name, on how many hosts, and whether on this one."""
    return (
        "SELECT parent_process_name, causality_process_name, COUNT(DISTINCT host_id) AS hosts,\n"
        f"  LOGICAL_OR(host_id = {text(subject.host_id)}) AS on_this_host, {_FIRST_LAST}\n"
        f"FROM {TABLE}\nWHERE {_days(subject)}\n  AND {_name(subject)}\n"
        "GROUP BY 1, 2\nORDER BY hosts DESC\nLIMIT 100"
    )


def hours(subject: QuerySubject) -> str:
    """On how many days and hosts the service was used at each hour of the day, and how often by this host."""
    return (
        f"SELECT EXTRACT(HOUR FROM event_time AT TIME ZONE {text(subject.time_zone)}) AS hour_of_day,\n"
        "  COUNT(DISTINCT DATE(event_time)) AS days, COUNT(DISTINCT host_id) AS hosts,\n"
        f"  COUNTIF(host_id = {text(subject.host_id)}) AS events_of_this_host\n"
        f"FROM {TABLE}\nWHERE {_days(subject)}\n  AND {_destination(subject)}\n"
        "GROUP BY 1\nORDER BY 1"
    )


def around(subject: QuerySubject) -> str:
    """What the host did around the time, and what of it the process."""
    same = _name(subject) if subject.pid is None else f"{_name(subject)} AND process_pid = {subject.pid}"
    return (
        f"SELECT event_time, {same} AS this_process, event_type, process_name, process_pid,\n"
        "  process_command_line, parent_process_name, remote_host, remote_ip, remote_port, bytes_sent, bytes_received\n"
        f"FROM {TABLE}\nWHERE event_time >= {_moment(subject.moment - AROUND)}\n"
        f"  AND event_time < {_moment(subject.moment + AROUND)}\n  AND host_id = {text(subject.host_id)}\n"
        "ORDER BY event_time\nLIMIT 1000"
    )


def others(subject: QuerySubject) -> str:
    """Who else communicates with the service by this program."""
    return (
        f"SELECT host_id, user_name, process_path, SUM(bytes_sent) AS bytes_sent, {_FIRST_LAST}\n"
        f"FROM {TABLE}\nWHERE {_days(subject)}\n  AND {_program(subject)}\n  AND {_destination(subject)}\n"
        "GROUP BY 1, 2, 3\nORDER BY first\nLIMIT 1000"
    )


def text(value: str) -> str:
    """A string literal: JSON's escape sequences are BigQuery's too.

    >>> print(text('a "quoted" \\\\ path'))
    "a \\"quoted\\" \\\\ path"
    """
    return encode_basestring(value)


def _days(subject: QuerySubject) -> str:
    return f"event_time >= {_midnight(subject.first)} AND event_time < {_midnight(subject.end)}"


def _name(subject: QuerySubject) -> str:
    return f"LOWER(process_name) = {text(subject.process_name.lower())}"


def _program(subject: QuerySubject) -> str:
    if subject.sha256 is None:
        return _name(subject)
    return f"({_name(subject)} OR LOWER(process_sha256) = {text(subject.sha256.lower())})"


def _destination(subject: QuerySubject) -> str:
    if subject.domain is not None:
        return f"ENDS_WITH(CONCAT('.', LOWER(remote_host)), {text('.' + subject.domain)})"
    network = ip_network(subject.address_range or "")
    first, last = (f"NET.IP_FROM_STRING({text(str(network[place]))})" for place in (0, -1))
    return f"NET.SAFE_IP_FROM_STRING(remote_ip) BETWEEN {first} AND {last}"


def _midnight(day: date) -> str:
    return f'TIMESTAMP "{day} 00:00:00+00"'


def _moment(moment: datetime) -> str:
    return f'TIMESTAMP "{moment.isoformat(" ", "seconds")}"'
