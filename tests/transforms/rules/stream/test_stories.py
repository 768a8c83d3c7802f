"""What the stream does with a few records, told by the tests' names. No engine: the worst one is simulated."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import Options
from tests.oracle.stream import Arrival
from tests.running import configuration_of
from tests.transforms.rules.stream.driving import Driven, drive, engine_of, give, read_arrivals
from tests.transforms.rules.stream.engine import Engine
from uncommon_im.transforms.rules.baseline.subjects import NO_HOST
from uncommon_im.transforms.rules.columns.days import rfc3339
from uncommon_im.transforms.rules.events import tally
from uncommon_im.transforms.rules.stream.arrivals import LATE, TOO_LATE, Arrivals
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import Sighting

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
NOON = 20_500 * DAY + 12 * HOUR
WAIT = Lateness(10 * MINUTE, DAY, 30)
OPTIONS = Options(activation_days=0)


def talk(at: int, host: str = "h1", **more: Any) -> dict[str, Any]:
    """A courier talks to Telegram at a time (µs)."""
    record = {"host_id": host, "process_name": "courier", "remote_host": "api.telegram.org"}
    return record | {"event_id": f"{host}-{at}", "event_time": rfc3339(at)} | more


def judged(*arrivals: Arrival, options: Options = OPTIONS, lateness: Lateness = WAIT, seeds: int = 6) -> Driven:
    """What becomes of arrivals; the same under every one of some random engines."""
    runs = [drive(arrivals, configuration_of(options), lateness, seed, batch=2) for seed in range(seeds)]
    for run in runs:
        assert sorted(map(repr, run.engine.verdicts)) == sorted(map(repr, runs[0].engine.verdicts))
        assert facts(run) == facts(runs[0])
    return runs[0]


def facts(driven: Driven) -> list[str]:
    """The alerts without the activity so far, which is as the engine had it."""
    return sorted(repr(alert | {"activity": None}) for alert in driven.engine.alerts)


def verdicts(driven: Driven) -> list[tuple[str, int, str]]:
    """(host, hour of the day, verdict) of every activity."""
    return sorted((row["host"], row["hour"] % 24, row["verdict"]) for row in driven.engine.verdicts)


# What is within the lateness


def test_the_first_of_an_hour_is_the_earliest_not_the_first_to_arrive() -> None:
    found = judged((talk(NOON + 5 * MINUTE), NOON + 5 * MINUTE), (talk(NOON + MINUTE), NOON + 11 * MINUTE))
    (alert,) = found.engine.alerts
    assert (alert["event_id"], alert["late"]) == (f"h1-{NOON + MINUTE}", False)


def test_events_of_one_millisecond_are_told_apart_by_their_microseconds() -> None:
    found = judged((talk(NOON + 900), NOON + 900), (talk(NOON + 100), NOON + 950))
    assert [alert["event_id"] for alert in found.engine.alerts] == [f"h1-{NOON + 100}"]


def test_events_of_one_microsecond_are_told_apart_by_their_ids() -> None:
    found = judged((talk(NOON, event_id="b"), NOON), (talk(NOON, event_id="a"), NOON + 9 * MINUTE))
    assert [alert["event_id"] for alert in found.engine.alerts] == ["a"]


def test_the_last_moment_of_an_hour_and_the_first_of_the_next_are_two_activities() -> None:
    end = NOON + HOUR
    found = judged((talk(end), end), (talk(end - 1), end + 10 * MINUTE - 1))
    assert verdicts(found) == [("h1", 12, "alert"), ("h1", 13, "duplicate")]


def test_what_a_host_showed_in_the_last_moment_of_yesterday_is_known_when_today_is_judged() -> None:
    midnight = 20_501 * DAY
    others = [(talk(midnight - 1, f"other{n}"), midnight + 10 * MINUTE - 1) for n in range(4)]
    found = judged((talk(midnight), midnight), *others)
    assert ("h1", 0, "common_in_organisation") in verdicts(found)


def test_what_a_host_showed_in_the_first_moment_of_today_is_not_known_today() -> None:
    midnight = 20_501 * DAY
    others = [(talk(midnight, f"other{n}"), midnight) for n in range(4)]
    found = judged((talk(midnight + HOUR), midnight + HOUR), *others)
    assert ("h1", 1, "alert") in verdicts(found)


def test_a_record_that_is_delivered_three_times_is_counted_three_times_and_judged_once() -> None:
    found = judged(*[(talk(NOON), NOON + n * MINUTE) for n in (0, 3, 10)])
    assert verdicts(found) == [("h1", 12, "alert")]
    assert found.counts[tally.COMMUNICATIONS] == 3
    assert found.engine.counts["communications.folded"] == 2


def test_a_group_that_is_full_rolls_up_the_later_ones_whatever_their_hosts() -> None:
    talks = [(talk(NOON + n * SECOND, f"host{n}"), NOON + n * SECOND + (7 - n) * MINUTE) for n in range(6)]
    found = judged(*talks, options=Options(activation_days=0, max_alerts_per_group=2))
    assert [row["host"] for row in found.engine.verdicts if row["verdict"] == "alert"] in (
        ["host0", "host1"],
        ["host1", "host0"],
    )
    assert {alert["host"]["id"]: alert["group_saturated"] for alert in found.engine.alerts} == {
        "host0": False,
        "host1": True,
    }


def test_a_clock_that_runs_more_than_an_hour_ahead_is_a_dead_letter_and_teaches_nothing() -> None:
    found = judged((talk(NOON + HOUR + 1), NOON), (talk(NOON + HOUR, "h2"), NOON))
    assert (found.dead, verdicts(found)) == ({"future_timestamp": 1}, [("h2", 13, "alert")])


# What is late


def test_late_and_of_an_hour_not_judged_yet_it_is_judged_at_once_and_says_so() -> None:
    found = judged((talk(NOON), NOON + 10 * MINUTE + 1))
    (alert,) = found.engine.alerts
    assert (alert["late"], alert["timestamp"]) == (True, rfc3339(NOON))
    assert (found.counts[LATE], found.counts[TOO_LATE]) == (1, 0)


def test_late_and_of_an_hour_judged_already_it_is_folded() -> None:
    found = judged((talk(NOON + 20 * MINUTE), NOON + 20 * MINUTE), (talk(NOON), NOON + 45 * MINUTE))
    assert verdicts(found) == [("h1", 12, "alert")]
    assert [alert["late"] for alert in found.engine.alerts] == [False]
    assert found.engine.counts["communications.folded"] == found.counts[LATE] == 1


def test_late_and_before_the_hour_was_due_it_becomes_the_hours_first_event() -> None:
    found = judged((talk(NOON + 20 * MINUTE), NOON + 20 * MINUTE), (talk(NOON), NOON + 25 * MINUTE))
    assert [(alert["event_id"], alert["late"]) for alert in found.engine.alerts] == [(f"h1-{NOON}", True)]
    assert len(found.engine.verdicts) == 1


def test_late_it_teaches_the_days_after_its_arrival() -> None:
    others = [(talk(NOON - DAY, f"other{n}"), NOON - 2 * HOUR) for n in range(4)]
    found = judged(*others, (talk(NOON), NOON), (talk(NOON + DAY + 1), NOON + DAY + 1))
    of_h1 = sorted((row["hour"], row["verdict"]) for row in found.engine.verdicts if row["host"] == "h1")
    assert [verdict for _, verdict in of_h1] == ["alert", "common_in_organisation"]


def test_late_within_the_horizon_to_the_microsecond_it_is_judged() -> None:
    assert [alert["late"] for alert in judged((talk(NOON), NOON + DAY)).engine.alerts] == [True]


def test_older_than_the_horizon_it_only_teaches() -> None:
    others = [(talk(NOON - DAY, f"other{n}"), NOON + 1) for n in range(4)]
    found = judged(*others, (talk(NOON + DAY), NOON + DAY))
    assert [verdict for _, _, verdict in verdicts(found)] == ["common_in_organisation"] + ["too_late"] * 4
    assert found.counts[TOO_LATE] == found.engine.counts["verdicts.too_late"] == 4


def test_older_than_the_horizon_it_hides_no_record_of_the_same_hour_that_is_not() -> None:
    found = judged((talk(NOON), NOON + DAY + 1), (talk(NOON + 30 * MINUTE), NOON + DAY + 5))
    assert verdicts(found) == [("h1", 12, "alert"), ("h1", 12, "too_late")]


def test_a_late_alert_does_not_silence_and_is_not_silenced_by_a_later_one() -> None:
    found = judged((talk(NOON + 2 * HOUR), NOON + 2 * HOUR), (talk(NOON), NOON + 3 * HOUR))
    assert verdicts(found) == [("h1", 12, "alert"), ("h1", 14, "alert")]


def test_a_late_alert_repeats_an_earlier_one() -> None:
    found = judged((talk(NOON), NOON), (talk(NOON + HOUR), NOON + 4 * HOUR))
    assert verdicts(found) == [("h1", 12, "alert"), ("h1", 13, "duplicate")]


def test_a_late_alert_takes_the_place_in_its_group_that_is_left() -> None:
    options = Options(activation_days=0, max_alerts_per_group=1)
    found = judged((talk(NOON + HOUR, "h2"), NOON + HOUR), (talk(NOON), NOON + 2 * HOUR), options=options)
    assert verdicts(found) == [("h1", 12, "rolled_up"), ("h2", 13, "alert")]


# What is kept


def test_after_the_window_a_day_the_horizon_and_the_lateness_of_silence_nothing_is_left() -> None:
    engine = engine_of(configuration_of(OPTIONS), WAIT, seed=1)
    feed(engine, talk(NOON))
    last = WAIT.forgetting(NOON // DAY)
    engine.source = last - 1
    engine.settle()
    assert {name for name, stage in engine.stages.items() if stage.cells} == {"hosts", "baselines"}
    engine.source = last
    engine.settle()
    assert all(not stage.holds for stage in engine.stages.values())


def test_judged_hours_and_what_was_said_are_kept_for_the_horizon_no_longer() -> None:
    engine = engine_of(configuration_of(OPTIONS), WAIT, seed=1)
    feed(engine, talk(NOON))
    engine.source = WAIT.closing((NOON // DAY + 2) * DAY) + 10
    engine.settle()
    assert {name: len(stage.cells) for name, stage in engine.stages.items()} == {
        "instances": 0,
        "hosts": 1,
        "baselines": 4,  # telemetry, the communication, its service, its hour of the day
        "judge": 0,
        "flood": 0,
    }
    (cell,) = engine.stages["hosts"].cells.values()
    state = engine.stages["hosts"].step.codec.decode(cell)
    assert (state.open, state.recent, len(state.days)) == ({}, [], 2)  # the communication and its service


def test_when_a_service_is_used_is_seen_once_a_block_and_kept_with_no_host() -> None:
    records = [talk(NOON + n, f"host{n}") for n in range(50)]
    arrived = read_arrivals(records, [NOON] * 50, Arrivals(configuration_of(OPTIONS).scan, WAIT))
    (seen,) = arrived.hours
    assert seen.sighting == Sighting("default", '["hour_of_day","telegram","12"]', NO_HOST, NOON // DAY, NOON // DAY)
    assert seen.instant == (NOON + WAIT.allowed) // 1000
    assert not any("hour_of_day" in shown.subject for found in arrived.hosts for shown in found.records.shown)


def test_a_subject_of_a_thousand_hosts_keeps_a_few_of_them() -> None:
    engine = engine_of(configuration_of(OPTIONS), WAIT, seed=1)
    feed(engine, *[talk(NOON + n, f"host{n}") for n in range(1000)])
    engine.source = NOON // 1000 + 20 * MINUTE // 1000
    engine.settle()
    sizes = sorted(len(cell) for cell in engine.stages["baselines"].cells.values())
    assert sizes[-1] < 250


def feed(engine: Engine, *records: dict[str, Any]) -> None:
    """Gives records that arrive at noon to an engine, without moving its watermark."""
    arrived = read_arrivals(records, [NOON] * len(records), Arrivals(configuration_of(OPTIONS).scan, WAIT))
    give(engine, arrived)


@pytest.mark.parametrize("lateness", [Lateness(0, 0, 30), Lateness(0, DAY, 30), Lateness(HOUR, 3 * DAY, 30)])
def test_no_lateness_and_much_of_it_give_the_same_to_what_comes_at_once(lateness: Lateness) -> None:
    found = judged((talk(NOON), NOON), (talk(NOON + HOUR, "h2"), NOON + HOUR), lateness=lateness)
    assert verdicts(found) == [("h1", 12, "alert"), ("h2", 13, "alert")]
