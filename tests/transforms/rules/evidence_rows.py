"""Evidence as tests of the rules write it: activities of an organisation, a few words each."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tests.transforms.rules.records import DAY
from uncommon_im.schemas.evidence import RARE_ACTIVITY_SCHEMA

HOUR_US = 3_600_000_000
ACTIVITY: dict[str, Any] = {
    "tenant": "t",
    "host": "h1",
    "program": "courier.exe",
    "origin": "courier ltd",
    "script": "",
    "reduced_script": "",
    "service": "telegram",
    "reasons": "",
    "excepted": False,
    "other_hosts": 0,
    "host_days": 0,
    "active_days": 0,
    "first_day": -1,
    "last_day": -1,
    "process_path": "C:\\Courier\\courier.exe",
}


def activity(day: int = 0, hour: int = 9, **more: Any) -> dict[str, Any]:
    """An activity some days after `DAY`."""
    at = (DAY + day) * 24 + hour
    told = ACTIVITY | {"hour": at, "event_time": at * HOUR_US, "event_id": f"{at}-{more.get('host', 'h1')}"} | more
    return dict.fromkeys(RARE_ACTIVITY_SCHEMA.names) | told


def evidence(*activities: dict[str, Any]) -> pa.Table:
    """Activities as a run leaves them."""
    return pa.Table.from_pylist(list(activities), schema=RARE_ACTIVITY_SCHEMA)
