"""The investigation as the oracle reads it, on days and at hours that one can count by hand."""

from __future__ import annotations

from typing import Any

from tests.oracle import Options, detect
from tests.oracle.test_oracle_verdicts import Record, at, heartbeats

HOUR = 1 / 24
KOLKATA = Options(time_zone="Asia/Kolkata")


def investigation(records: list[Record], options: Options = Options()) -> dict[str, Any]:  # noqa: B008
    """Of the last alert."""
    alerts = detect([*heartbeats(), *records], options).alerts
    found: dict[str, Any] = max(alerts, key=lambda alert: alert["timestamp"])["investigation"]
    return found


def test_hours_of_the_day_count_for_everybody_and_other_hours_and_the_day_itself_do_not() -> None:
    others = [at(-3 + 12 * HOUR, "a"), at(-3 + 12.9 * HOUR, "b"), at(-2 + 12 * HOUR), at(-1 + 13 * HOUR, "a")]
    time = investigation([*others, at(12 * HOUR, "c"), at(12.5 * HOUR, "h")])["time"]
    days = {"active_days": 2, "first_day": "2026-03-29", "last_day": "2026-03-30"}
    assert (time["hour"], time["service_at_this_hour"], time["covered_days"]) == (12, days, 30)


def test_hours_are_those_of_the_time_zone_while_days_are_utc() -> None:
    others = [at(-3 + 18.5 * HOUR, "a"), at(-2 + 18.4 * HOUR, "a"), at(-1 + 19.4 * HOUR, "a")]
    time = investigation([*others, at(19 * HOUR)], KOLKATA)["time"]
    assert (time["hour_utc"], time["hour"], time["weekday"], time["weekend"]) == (19, 0, "Thursday", False)
    days = {"active_days": 2, "first_day": "2026-03-29", "last_day": "2026-03-31"}
    assert (time["local_time"], time["service_at_this_hour"]) == ("2026-04-02T00:30:00+05:30", days)


def test_images_and_parents_count_with_any_service_and_programs_with_their_own() -> None:
    told: Record = {"process_sha256": "AB" * 32, "parent_process_name": "C:\\x\\Boss.exe"}
    elsewhere = [at(-5, "a", remote_host="discord.com", **told), at(-4, remote_host="discord.com", **told)]
    found = investigation(
        [*elsewhere, at(0, **told | {"process_sha256": "ab" * 32, "parent_process_name": "boss.exe"})]
    )
    seen = {"other_hosts": 1, "host_days": 1, "active_days": 2, "first_day": "2026-03-27", "last_day": "2026-03-28"}
    assert found["application"]["binary"] == found["parent"]["parentage"] == seen
    assert found["application"]["program"]["active_days"] == 0
    assert found["missing"] == ["application.signature_status", "application.signer", "parent.causality"]
