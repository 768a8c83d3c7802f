"""Whose process it is, in a stream, told by the tests' names. No engine: the worst one is simulated."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import Options
from tests.oracle.stream import Arrival
from tests.running import configuration_of
from tests.transforms.rules.stream.driving import Driven, engine_of, give, read_arrivals
from tests.transforms.rules.stream.test_stories import DAY, HOUR, MINUTE, NOON, OPTIONS, SECOND, WAIT, judged
from uncommon_im.schemas.event import PROCESS_GUID
from uncommon_im.transforms.rules.columns.days import rfc3339
from uncommon_im.transforms.rules.events import tally
from uncommon_im.transforms.rules.instances.event_rows import EVENT_ROW_SCHEMA
from uncommon_im.transforms.rules.instances.packed import PackedRow, pack_rows, unpack_rows
from uncommon_im.transforms.rules.instances.starts import Starts as Batch
from uncommon_im.transforms.rules.instances.starts import Wanted
from uncommon_im.transforms.rules.stream.arrivals import Arrivals
from uncommon_im.transforms.rules.stream.instances import Instances, InstanceState, columns_of
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import MESSAGES, Completed, Output, PackedStarts, Starts, Unfinished

WEEK = 7 * DAY
BEFORE = NOON - HOUR


def start(at: int, name: str = "courier", **more: Any) -> dict[str, Any]:
    """The start of a process at a time (µs)."""
    record = {"host_id": "h1", "event_type": "process", "process_guid": "g1", "process_name": name}
    return record | {"event_id": f"start-{at}", "event_time": rfc3339(at)} | more


def point(at: int, **more: Any) -> dict[str, Any]:
    """A connection to Telegram that says only which process it is of."""
    record = {"host_id": "h1", "process_guid": "g1", "remote_host": "api.telegram.org"}
    return record | {"event_id": f"point-{at}", "event_time": rfc3339(at)} | more


def now(record: dict[str, Any], delay: int = 0) -> Arrival:
    """A record that arrives so long after it happened."""
    _, _, at = str(record["event_id"]).rpartition("-")
    return record, int(at) + delay


def programs(found: Driven) -> list[str]:
    return sorted(alert["process"]["name"] for alert in found.engine.alerts)


# Which start counts


def test_a_connection_is_completed_from_the_start_of_its_process() -> None:
    found = judged(now(start(BEFORE, process_path="/opt/courier", user_name="ann")), now(point(NOON)))
    (alert,) = found.engine.alerts
    assert (alert["process"]["name"], alert["process"]["path"], alert["user_name"]) == (
        "courier",
        "/opt/courier",
        "ann",
    )
    assert alert["process"]["completed_from"] == {"event_id": f"start-{BEFORE}", "event_time": rfc3339(BEFORE)}
    assert found.counts[tally.COMMUNICATIONS] == 1
    assert found.counts[tally.WITHOUT_PROCESS] == 0


def test_a_connection_whose_process_nobody_describes_is_counted_and_no_communication() -> None:
    found = judged(now(start(BEFORE, process_guid="g2")), now(start(BEFORE, host_id="h2")), now(point(NOON)))
    assert (found.engine.verdicts, found.counts[tally.WITHOUT_PROCESS]) == ([], 1)


def test_with_a_lookback_of_0_nothing_is_completed() -> None:
    found = judged(now(start(BEFORE)), now(point(NOON)), options=Options(activation_days=0, process_lookback_days=0))
    assert (found.engine.verdicts, found.counts[tally.WITHOUT_PROCESS]) == ([], 1)


def test_a_start_that_comes_after_its_connection_and_within_the_lateness_counts() -> None:
    assert programs(judged(now(start(NOON - SECOND), 10 * MINUTE), now(point(NOON)))) == ["courier"]


def test_a_start_counts_to_the_millisecond_of_the_connections_instant_and_not_one_later() -> None:
    in_time, too_late = 10 * MINUTE + SECOND, 10 * MINUTE + SECOND + 1000
    assert programs(judged(now(start(NOON - SECOND), in_time), now(point(NOON)))) == ["courier"]
    assert programs(judged(now(start(NOON - SECOND), too_late), now(point(NOON)))) == []


def test_a_late_connection_has_until_its_arrival_for_its_start() -> None:
    found = judged(now(start(NOON - SECOND), HOUR), now(point(NOON), 2 * HOUR))
    assert [(alert["process"]["name"], alert["late"]) for alert in found.engine.alerts] == [("courier", True)]


def test_a_connection_older_than_the_horizon_is_completed_and_only_teaches() -> None:
    found = judged(now(start(BEFORE)), now(point(NOON), DAY + SECOND))
    assert [(row["program"], row["verdict"]) for row in found.engine.verdicts] == [("courier", "too_late")]


def test_a_start_exactly_as_old_as_the_lookback_counts_and_one_microsecond_more_does_not() -> None:
    assert programs(judged(now(start(NOON - WEEK)), now(point(NOON)))) == ["courier"]
    assert programs(judged(now(start(NOON - WEEK - 1)), now(point(NOON)))) == []


def test_a_start_of_the_same_microsecond_counts_and_one_after_the_connection_does_not() -> None:
    assert programs(judged(now(start(NOON)), now(point(NOON)))) == ["courier"]
    assert programs(judged(now(start(NOON + 1)), now(point(NOON)))) == []


def test_of_two_starts_the_later_one_counts_and_the_older_one_fills_no_gaps() -> None:
    older, newer = start(BEFORE, "old", user_name="ann"), start(BEFORE + 1, "new")
    (alert,) = judged(now(newer), now(older), now(point(NOON))).engine.alerts
    assert (alert["process"]["name"], alert["user_name"]) == ("new", None)


def test_of_starts_of_one_time_the_smallest_event_id_counts_then_the_smallest_content() -> None:
    ids = [start(BEFORE, "b") | {"event_id": f"b-{BEFORE}"}, start(BEFORE, "a") | {"event_id": f"a-{BEFORE}"}]
    assert programs(judged(*map(now, ids), now(point(NOON)))) == ["a"]
    assert programs(judged(now(start(BEFORE, "z")), now(start(BEFORE, "y")), now(point(NOON)))) == ["y"]


def test_repeated_delivery_of_starts_and_connections_changes_nothing() -> None:
    once = judged(now(start(BEFORE)), now(point(NOON)))
    more = judged(*[now(start(BEFORE), n * MINUTE) for n in (0, 5, 90)], *[now(point(NOON), n) for n in (0, MINUTE)])
    assert [alert["alert_id"] for alert in more.engine.alerts] == [alert["alert_id"] for alert in once.engine.alerts]
    assert more.counts[tally.COMMUNICATIONS] == 2


def test_the_first_of_an_hour_is_the_earliest_whether_it_was_whole_or_completed() -> None:
    whole = point(NOON + MINUTE, process_name="courier")
    found = judged(now(start(BEFORE)), now(point(NOON)), now(whole))
    assert [alert["event_id"] for alert in found.engine.alerts] == [f"point-{NOON}"]
    found = judged(now(start(BEFORE)), now(point(NOON + 2 * MINUTE)), now(whole))
    assert [alert["event_id"] for alert in found.engine.alerts] == [f"point-{NOON + MINUTE}"]


def test_what_a_completed_connection_shows_in_yesterdays_last_moment_is_known_when_today_is_judged() -> None:
    midnight = 20_501 * DAY
    others = [
        now(record | {"host_id": f"other{n}"}, 10 * MINUTE - 1)
        for n in range(4)
        for record in (start(midnight - HOUR), point(midnight - 1))
    ]
    first = now(point(midnight, process_name="courier"))
    found = judged(*others, first, lateness=Lateness(10 * MINUTE, DAY, 30))
    (of_h1,) = [row for row in found.engine.verdicts if row["host"] == "h1"]
    assert of_h1["verdict"] == "common_in_organisation"


def test_in_the_last_second_of_the_horizon_and_of_a_day_it_is_folded_into_its_hour() -> None:
    midnight, at_once = 20_501 * DAY, Lateness(0, DAY, 30)
    arrivals = [now(start(BEFORE)), now(point(midnight - 2)), now(point(midnight - 1), DAY)]
    assert len(judged(*arrivals, lateness=at_once).engine.verdicts) == 1


def test_a_start_that_nothing_within_the_horizon_can_need_describes_nothing_that_is_older() -> None:
    reach = WEEK + DAY + 10 * MINUTE
    at = NOON + reach
    kept = judged(now(start(NOON)), now(point(NOON), reach))
    gone = judged(now(start(NOON)), (point(NOON), at + 1000))
    assert [row["verdict"] for row in kept.engine.verdicts] == ["too_late"]
    assert (gone.engine.verdicts, gone.counts[tally.WITHOUT_PROCESS]) == ([], 1)


# What is kept


def test_a_silent_host_leaves_nothing_and_a_living_one_what_is_needed() -> None:
    engine = engine_of(configuration_of(OPTIONS), WAIT, seed=1)
    reader = Arrivals(configuration_of(OPTIONS).scan, WAIT)
    stage = engine.stages["instances"]
    for day in range(30):
        at = NOON + day * DAY
        engine.source = at // 1000
        give(engine, read_arrivals([start(at, process_guid=f"g{day}")], [at], reader))
        engine.settle()
        (kept,) = stage.kept.values()
        assert sum(len(columns_of(MESSAGES.decode(message))[0]) for message in kept) <= 7 + 1 + 2
    engine.source = (NOON + 30 * DAY + WEEK + 3 * DAY) // 1000
    engine.settle()
    assert not stage.holds


def test_a_timer_of_a_period_is_never_put_off_by_starts_of_the_next() -> None:
    step = Instances(WAIT, WEEK)
    one, other = (step.keeping("k", MESSAGES.encode(Starts(["g"], [0], [at], [b""]))) for at in (0, DAY // 1000))
    assert one is not None
    assert other is not None
    assert (one.timer, one.instant + DAY // 1000) == (1 - other.timer, other.instant)


def test_an_event_that_still_waits_keeps_the_starts_that_it_can_need() -> None:
    step, waits = Instances(WAIT, WEEK), NOON // 1000
    event = Unfinished("g", NOON - DAY, NOON, waits, b"\x90")
    old = Starts(["g"], [NOON - DAY - WEEK], [0], [b"\x90"])
    cell = step.codec.encode(InstanceState([event], waits))
    long_after = waits + 3 * DAY // 1000
    kept, _ = step.tidy("k", cell, [MESSAGES.encode(old)], long_after)
    assert [columns_of(MESSAGES.decode(message)) for message in kept] == [(["g"], [NOON - DAY - WEEK], [0], [b"\x90"])]
    assert step.tidy("k", None, [MESSAGES.encode(old)], long_after) == ([], None)


def test_starts_that_are_packed_say_what_they_said_each_once() -> None:
    step = Instances(WAIT, WEEK)
    starts = Starts(["g", "h"], [NOON, NOON + 1], [9, 8], [b"\x90", b"\x91\xc0"])
    again = Starts(["g"], [NOON], [7], [b"\x90"])
    kept, tidying = step.tidy("k", None, map(MESSAGES.encode, (starts, again)), 0)
    (packed,) = map(MESSAGES.decode, kept)
    assert isinstance(packed, PackedStarts)
    assert columns_of(packed) == (["g", "h"], [NOON, NOON + 1], [7, 8], [b"\x90", b"\x91\xc0"])
    assert tidying is not None


# One rule


@st.composite
def starts_and_events(draw: st.DrawFn) -> tuple[list[PackedRow], list[PackedRow]]:
    """Starts and events of few instances, at few times, with few ids."""
    moments = st.sampled_from([NOON + n for n in (-WEEK - 1, -WEEK, -2, -1, 0, 1)])
    details = st.fixed_dictionaries({"event_id": st.sampled_from(["a", "b", None]), "user_name": st.sampled_from("xy")})
    rows = [
        [
            {"tenant": "t", "host": "h", "host_id": "h", PROCESS_GUID: guid, "event_time": time} | more
            for guid, time, more in draw(st.lists(st.tuples(st.sampled_from("gh"), moments, details), max_size=size))
        ]
        for size in (8, 3)
    ]
    tables = [pa.Table.from_pylist(these, EVENT_ROW_SCHEMA) for these in rows]
    starts, events = (list(pack_rows(table)) for table in tables)
    assert [table.to_pylist() for table in map(unpack_rows, (starts, events))] == [t.to_pylist() for t in tables]
    return starts, events


@given(starts_and_events())
def test_the_stream_chooses_the_start_that_the_backfill_chooses(rows: tuple[list[PackedRow], list[PackedRow]]) -> None:
    starts, events = rows
    table = unpack_rows(starts)
    chosen, place = Wanted(unpack_rows(events), WEEK).among([Batch(table, lambda some: table.take(pa.array(some)))])
    expected = [None if at < 0 else chosen.slice(at, 1).to_pylist()[0] for at in place.tolist()]
    columns = ([s.guid for s in starts], [s.time for s in starts], [0] * len(starts), [s.content for s in starts])
    waiting = [Unfinished(event.guid, event.time, NOON, NOON // 1000, event.content) for event in events]
    outcomes = Instances(WAIT, WEEK).fire('["t","h"]', InstanceState(waiting), 2**60, [Starts(*columns)])
    assert [described(outcome) for outcome in outcomes] == expected


def described(outcome: Any) -> dict[str, Any] | None:
    assert isinstance(outcome, Output)
    assert isinstance(outcome.message, Completed)
    if outcome.message.start is None:
        return None
    time, content = outcome.message.start
    return unpack_rows([PackedRow("t", "h", outcome.message.event.guid, time, content)]).to_pylist()[0]
