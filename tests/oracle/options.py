"""The limits of a run, with the defaults of the detector's specification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Options:
    """What a user of the detector can set; `start` and `end` are UTC dates, `end` is exclusive."""

    start: date | None = None
    end: date | None = None
    tenant: str = "default"
    training_days: int = 30
    activation_days: int = 14
    guard_days: int = 3
    max_other_hosts: int = 3
    max_host_days: int = 2
    execution_max_other_hosts: int = 3
    execution_max_host_days: int = 2
    deduplication_hours: int = 24
    max_alerts_per_group: int = 25
    process_lookback_days: int = 7
    operator_ranges: bool = False
    time_zone: str = "UTC"
    exceptions: tuple[dict[str, Any], ...] = ()
    dispositions: tuple[dict[str, Any], ...] = ()
