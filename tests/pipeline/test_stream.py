"""The stream's graph on Beam's TestStream, led through every due instant, against the stream's oracle.

Beam's in-process engine is none to prove it on: it fires the last timers of a step while the step before still emits.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.oracle import Options
from tests.oracle.stream import Arrival, Waiting, detect_stream
from tests.pipeline.test_backfill_oracle import comparable, oracle_rows, verdict_rows
from tests.running import configuration_of
from tests.streaming import metrics_in_process, on_test_stream
from uncommon_im.transforms.rules.columns.days import rfc3339
from uncommon_im.transforms.rules.stream.lateness import Lateness

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
MIDNIGHT = 20_500 * DAY
NOON = MIDNIGHT + 12 * HOUR
CURL = {"process_name": "curl", "os": "linux", "process_path": "/usr/bin/curl"}
PYTHON = {"process_name": "python3", "process_command_line": "python3 /opt/bot.py", "os": "linux"}


def at(time: int, delay: int = 0, host: str = "h1", **more: Any) -> Arrival:
    """A courier's talk to Telegram that arrives after a delay (both µs)."""
    record = {"event_time": rfc3339(time), "host_id": host, "event_id": f"{host}-{time}", "process_name": "courier"}
    return record | {"remote_host": "api.telegram.org"} | more, time + delay


def others(time: int, delay: int = 0) -> list[Arrival]:
    """Four other hosts do the same."""
    return [at(time, delay, f"other{n}") for n in range(4)]


def start(time: int, delay: int = 0, **more: Any) -> Arrival:
    """The start of the courier's process, as `at`."""
    record, arrival = at(time, delay, event_type="process", process_guid="g1", remote_host=None, **more)
    return record | {"event_id": f"start-{time}"}, arrival


def point(time: int, delay: int = 0, **more: Any) -> Arrival:
    """A talk that says only which process it is of, as `at`."""
    return at(time, delay, process_guid="g1", process_name=None, **more)


STORIES: dict[str, tuple[list[Arrival], list[tuple[str, str]]]] = {
    "one record": ([at(NOON)], [("h1", "alert")]),
    "the same record three times": ([at(NOON), at(NOON, MINUTE), at(NOON, 10 * MINUTE)], [("h1", "alert")]),
    "two of an hour, the later first": ([at(NOON + MINUTE), at(NOON, 10 * MINUTE)], [("h1", "alert")]),
    "ties of one millisecond": ([at(NOON + 999), at(NOON + 1, 10 * MINUTE)], [("h1", "alert")]),
    "two hosts due at the same millisecond": (
        [at(NOON), at(NOON + 1, 0, "h2")],
        [("h1", "alert"), ("h2", "alert")],
    ),
    "the last microsecond of an hour and the first of the next": (
        [at(NOON), at(NOON - 1, 10 * MINUTE)],
        [("h1", "alert"), ("h1", "duplicate")],
    ),
    "yesterday's last microsecond arrives last of all": (
        [at(MIDNIGHT), *others(MIDNIGHT - 1, 10 * MINUTE)],
        [("h1", "common_in_organisation"), *[(f"other{n}", "alert") for n in range(4)]],
    ),
    "today's first microsecond is not yesterday": (
        [*others(MIDNIGHT), at(MIDNIGHT + HOUR)],
        [("h1", "alert"), *[(f"other{n}", "alert") for n in range(4)]],
    ),
    "a question asked before its day is open": (
        [at(MIDNIGHT), *others(MIDNIGHT - MINUTE, 9 * MINUTE)],
        [("h1", "common_in_organisation"), *[(f"other{n}", "alert") for n in range(4)]],
    ),
    "an answer that is there before the activity": (
        [at(NOON), at(NOON + HOUR, 0), at(NOON + 2 * HOUR, 5 * MINUTE)],
        [("h1", "alert"), ("h1", "duplicate"), ("h1", "duplicate")],
    ),
    "answers of two programs of one host": (
        [at(NOON), at(NOON, 10 * MINUTE, **CURL), at(NOON + SECOND, 3 * MINUTE, **PYTHON)],
        [("h1", "alert")] * 3,
    ),
    "a worse variation gets through": (
        [at(NOON, 0, **CURL), at(NOON - MINUTE, 0, process_name="curl", remote_host="discord.com")],
        [("h1", "alert")] * 2,
    ),
    "common on the host after three days": (
        [at(NOON + n * DAY) for n in range(4)],
        [("h1", "alert")] * 3 + [("h1", "common_on_host")],
    ),
    "a leap of the watermark over a month": (
        [at(NOON), at(NOON + 31 * DAY)],
        [("h1", "alert")] * 2,
    ),
    "a leap over the day on which everything is forgotten": (
        [at(NOON), at(NOON + 40 * DAY), at(NOON + 40 * DAY + HOUR)],
        [("h1", "alert")] * 2 + [("h1", "duplicate")],
    ),
    "late and judged at once": ([at(NOON, 10 * MINUTE + 1)], [("h1", "alert")]),
    "late and folded": ([at(NOON + MINUTE), at(NOON, 30 * MINUTE)], [("h1", "alert")]),
    "late and the first of its hour": ([at(NOON + 20 * MINUTE), at(NOON, 25 * MINUTE)], [("h1", "alert")]),
    "late and taught": (
        [*others(NOON - DAY, 20 * HOUR), at(NOON), at(NOON + DAY)],
        [("h1", "alert"), ("h1", "common_in_organisation"), *[(f"other{n}", "alert") for n in range(4)]],
    ),
    "too late and taught": (
        [*others(NOON - 2 * DAY, DAY + 1), at(NOON)],
        [("h1", "common_in_organisation"), *[(f"other{n}", "too_late") for n in range(4)]],
    ),
    "a connection whose process's start comes last of all": (
        [point(NOON), start(NOON - 1, 10 * MINUTE + 1)],
        [("h1", "alert")],
    ),
    "a connection whose process's start comes a millisecond too late": (
        [point(NOON), start(NOON - 1, 10 * MINUTE + 1001)],
        [],
    ),
    "a late connection and a later start, a week before": (
        [point(NOON + 1, 2 * HOUR), point(NOON + 9, 4 * HOUR), start(NOON - 7 * DAY + 9, 7 * DAY + 3 * HOUR)],
        [("h1", "alert")],
    ),
    "one of an hour is whole, another completed, the first of both is that of the hour": (
        [start(NOON - HOUR), point(NOON), at(NOON + MINUTE), point(NOON + HOUR + MINUTE), at(NOON + HOUR)],
        [("h1", "alert"), ("h1", "duplicate")],
    ),
    "yesterday's last microsecond is completed before today is asked about": (
        [start(MIDNIGHT - HOUR, host=f"other{n}") for n in range(4)]
        + [point(MIDNIGHT - 1, 10 * MINUTE, host=f"other{n}") for n in range(4)]
        + [at(MIDNIGHT)],
        [("h1", "common_in_organisation"), *[(f"other{n}", "alert") for n in range(4)]],
    ),
    "a leap over the day on which starts are forgotten": (
        [start(NOON), point(NOON + 6 * DAY), point(NOON + 7 * DAY + 1), point(NOON + 30 * DAY)],
        [("h1", "alert")],
    ),
    "a clock that runs ahead": ([at(NOON, -HOUR - 1), at(NOON, -HOUR, "h2")], [("h2", "alert")]),
}


@pytest.mark.parametrize("story", STORIES)
def test_stepped_through_every_due_instant_a_story_ends_as_the_oracle_says(story: str) -> None:
    arrivals, ending = STORIES[story]
    options = Options(activation_days=0)
    found = on_test_stream(arrivals, configuration_of(options), Lateness(10 * MINUTE, DAY, 30))
    expected = detect_stream(arrivals, options, Waiting(10 * MINUTE, DAY))
    assert sorted((row["host"], row["verdict"]) for row in found.verdicts) == sorted(ending)
    assert verdict_rows(found.verdicts) == oracle_rows(expected.activities)
    late = [(*comparable(alert), alert["late"]) for alert in found.alerts]
    assert Counter(late) == Counter((*comparable(alert), alert["late"]) for alert in expected.alerts)
    assert Counter(letter["reason"] for letter in found.dead_letters) == expected.dead_letters


def test_metrics_count_every_row_of_the_summary_and_measure_delays_and_state() -> None:
    arrivals = [
        at(NOON),
        at(NOON + MINUTE),
        at(NOON - 2 * DAY, DAY + 1, "h2"),
        at(NOON, -2 * HOUR),
        at(NOON, HOUR, "h3"),
    ]
    options = configuration_of(Options(activation_days=0))
    metrics = metrics_in_process(arrivals, options, Lateness(10 * MINUTE, DAY, 30))
    counted = {
        "events.read": 5,
        "events.valid": 4,
        "events.out_of_range": 0,
        "events.dead_letter.future_timestamp": 1,
        "communications": 4,
        "communications.folded": 1,
        "activities": 3,
        "verdicts.alert": 2,
        "verdicts.too_late": 1,
        "alerts.base": 2,
        "alerts.late": 1,
        "late.records": 2,
        "late.too_late": 1,
        "arrival_delay.within_1_s": 2,
        "arrival_delay.within_3600_s": 1,
        "arrival_delay.within_0_s": 1,
    }
    assert {name: metrics.get(name) for name in counted} == counted
    assert (metrics["arrival_delay_ms"].min, metrics["arrival_delay_ms"].max) == (0, DAY // 1000)
    assert metrics["judge_delay_ms"].min == 10 * 60 * 1000 + 3
    for step in ("hosts", "baselines", "judge", "flood"):
        assert metrics[f"{step}.state_bytes"].max > 0
