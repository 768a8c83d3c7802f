"""The stream's oracle is the backfill's where nothing is late, and says by itself what late records do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import Options, detect
from tests.oracle.stream import DAY, Waiting, detect_stream
from tests.organisations import random_organisation
from tests.transforms.rules.stream.driving import on_time

NOON = 1_772_323_200_000_000 + 40 * DAY + DAY // 2
MINUTE = 60_000_000
OPTIONS = Options(activation_days=0)


def talk(at: int, host: str = "h1", **more: Any) -> dict[str, Any]:
    record = {"event_time": at // 1000, "host_id": host, "process_name": "courier", "remote_host": "api.telegram.org"}
    return record | more


@pytest.mark.parametrize("seed", range(0, 24, 3))
def test_without_late_records_it_says_what_the_backfills_oracle_says(seed: int) -> None:
    organisation = random_organisation(seed)
    waiting = Waiting()
    found = detect_stream(on_time(organisation, seed, waiting.lateness), organisation.options, waiting)
    expected = detect(organisation.records, organisation.options)
    assert [alert | {"late": False} for alert in expected.alerts] == sorted(
        found.alerts, key=lambda alert: [row["alert_id"] for row in expected.alerts].index(alert["alert_id"])
    )
    assert (found.verdicts, found.late, found.too_late) == (expected.verdicts, 0, 0)


def test_a_late_record_of_an_hour_not_judged_is_an_alert_that_says_late() -> None:
    (alert,) = detect_stream([(talk(NOON), NOON + 11 * MINUTE)], OPTIONS, Waiting()).alerts
    assert alert["late"]


def test_a_record_that_arrives_at_the_last_moment_is_not_late() -> None:
    (alert,) = detect_stream([(talk(NOON), NOON + 10 * MINUTE)], OPTIONS, Waiting()).alerts
    assert not alert["late"]


def test_a_late_record_of_a_judged_hour_is_folded() -> None:
    arrivals = [(talk(NOON), NOON), (talk(NOON + MINUTE), NOON + 30 * MINUTE)]
    found = detect_stream(arrivals, OPTIONS, Waiting())
    assert (len(found.activities), found.folded, found.late) == (1, 1, 1)


def test_a_record_older_than_the_horizon_is_too_late_and_teaches() -> None:
    day = 24 * 60 * MINUTE
    old = [(talk(NOON - n * day, f"other{n}"), NOON - day + 1) for n in (3, 4, 5, 6)]
    found = detect_stream([*old, (talk(NOON), NOON)], OPTIONS, Waiting())
    assert found.verdicts == {"too_late": 4, "common_in_organisation": 1}


def test_what_is_learned_late_on_a_day_counts_from_the_next_day_on() -> None:
    day = 24 * 60 * MINUTE
    taught = [(talk(NOON - day - n * day, f"other{n}"), NOON - 60 * MINUTE) for n in (0, 1, 2, 3)]
    found = detect_stream([*taught, (talk(NOON), NOON), (talk(NOON + day), NOON + day)], OPTIONS, Waiting())
    last = {row["hour"] // 24: row["verdict"] for row in found.activities if row["host"] == "h1"}
    assert list(last.values()) == ["alert", "common_in_organisation"]
