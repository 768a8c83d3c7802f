"""Queries in Cortex XDR's XQL about an alert, over its dataset `xdr_data`.

Sources: Cortex XDR administrator guide, "timeframe", "filter" (in double quotes nothing is escaped and `*` stands for
any text), "Supported operators", "extract_time" (in GMT), "incidr"; fields as in `schemas/mappings/xdr.yaml`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Final

from uncommon_im.transforms.rules.alerts.queries.subject import AROUND, QuerySubject

_NOT_LITERAL: Final = re.compile(r'["\x00-\x1f\x7f-\x9f\u2028\u2029]+')
_FIRST_LAST: Final = "min(_time) as first_time, max(_time) as last_time"
_HOSTS: Final = "action_external_hostname, dst_action_external_hostname, dns_query_name"


def images(subject: QuerySubject) -> str:
    """Where the image, or another of its name, was seen: by folder, signer and digest."""
    actor = ("name", "path", "sha256")
    named = ", ".join(f"actor_process_image_{field}" for field in actor)
    named += ", actor_process_signature_status, actor_process_signature_vendor"
    return _query(
        _window(subject),
        f"filter {_program(subject)}",
        f"comp count_distinct(agent_id) as hosts, {_FIRST_LAST} by {named}",
        "sort desc hosts",
        "limit 100",
    )


def parents(subject: QuerySubject) -> str:
    """What starts programs of this name, on how many hosts, and on which."""
    return _query(
        _window(subject),
        "filter event_type = ENUM.PROCESS and event_sub_type = ENUM.PROCESS_START "
        f"and action_process_image_name = {text(subject.process_name)}",
        f"comp count_distinct(agent_id) as hosts, values(agent_hostname) as host_names, {_FIRST_LAST} "
        "by actor_process_image_name, causality_actor_process_image_name",
        "sort desc hosts",
        "limit 100",
    )


def hours(subject: QuerySubject) -> str:
    """On how many hosts the service was used at each hour of the day (UTC) of each day, and whether on this one."""
    return _query(
        _window(subject),
        f"filter {_destination(subject)}",
        'alter hour_utc = extract_time(_time, "HOUR"), day = format_timestamp("%Y-%m-%d", _time)',
        "comp count_distinct(day) as days, count_distinct(agent_id) as hosts, count() as events by hour_utc",
        "sort asc hour_utc",
    )


def around(subject: QuerySubject) -> str:
    """What the host did around the time."""
    return _query(
        _between(subject.moment - AROUND, subject.moment + AROUND),
        f"filter {_host(subject)}",
        "fields _time, event_sub_type, actor_process_image_name, actor_process_os_pid, "
        "action_process_image_command_line, action_file_path, action_external_hostname, dns_query_name, "
        "action_remote_ip, action_upload",
        "sort asc _time",
        "limit 1000",
    )


def others(subject: QuerySubject) -> str:
    """Who else communicates with the service by this program."""
    return _query(
        _window(subject),
        f"filter {_program(subject)} and {_destination(subject)}",
        f"comp sum(action_upload) as bytes_sent, {_FIRST_LAST} "
        "by agent_hostname, actor_effective_username, actor_process_image_path",
        "sort asc first_time",
        "limit 1000",
    )


def text(value: str) -> str:
    """A string in double quotes; what XQL cannot write there is `*`, any text, so that nothing ends the string.

    >>> print(text('a "quoted" \\\\ path'))
    "a *quoted* \\ path"
    """
    return '"' + _NOT_LITERAL.sub("*", value) + '"'


def _query(*stages: str) -> str:
    timeframe, *rest = stages
    return "\n| ".join((f"config {timeframe}", "dataset = xdr_data", *rest))


def _window(subject: QuerySubject) -> str:
    return _between(datetime.combine(subject.first, time(), UTC), datetime.combine(subject.end, time(), UTC))


def _between(first: datetime, last: datetime) -> str:
    return f'timeframe between "{_utc(first)}" and "{_utc(last)}"'


def _utc(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat(' ', 'seconds')} +0000"


def _host(subject: QuerySubject) -> str:
    return f"(agent_id = {text(subject.host_id)} or agent_hostname = {text(subject.host_name)})"


def _program(subject: QuerySubject) -> str:
    name = f"actor_process_image_name = {text(subject.process_name)}"
    return name if subject.sha256 is None else f"({name} or actor_process_image_sha256 = {text(subject.sha256)})"


def _destination(subject: QuerySubject) -> str:
    if subject.domain is None:
        function = "incidr6" if ":" in (subject.address_range or "") else "incidr"
        return f"{function}(action_remote_ip, {text(subject.address_range or '')}) = true"
    listed = f"({text(subject.domain)}, {text('*.' + subject.domain)})"
    return f"coalesce({_HOSTS}) in {listed}"
