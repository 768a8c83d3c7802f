"""Faults that are seeded into how the oracle's events find their process's start: random organisations tell each.

What tells them is what the pipeline's runs are compared in, so a pipeline with the same fault would not pass.
"""

from __future__ import annotations

import json
import operator
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from tests.oracle import Options, Result, detect
from tests.oracle.events import Event, canonical_json, digest_id
from tests.oracle.instances import COLUMNS, DAY, JOIN, SIGNER, STATUS, Join, in_reach, may_be_completed, taken
from tests.oracle.stream import Waiting, detect_stream
from tests.organisations import Organisation, random_organisation
from tests.pipeline.test_backfill_oracle import comparable, oracle_rows
from tests.transforms.rules.stream.driving import with_late_ones

SEEDS = range(20)
STREAMED = range(12, 20)


def points(event: Event) -> bool:
    return event.columns["event_type"] != "process" and "process_guid" in event.columns


def falling(text: str) -> tuple[int, ...]:
    """Orders texts the other way round."""
    return tuple(-ord(character) for character in text)


def start_of(options: Options) -> int:
    """When what is judged begins (µs)."""
    return 0 if options.start is None else (options.start.toordinal() - 719_163) * DAY


def replacing(_: Event, start: Event) -> dict[str, Any]:
    return {name: start.columns[name] for name in COLUMNS if name in start.columns}


def each_by_itself(event: Event, start: Event) -> dict[str, Any]:
    unsaid = event.columns | {STATUS: None} if event.columns.get(STATUS) == "unknown" else event.columns
    return {
        name: start.columns[name]
        for name in (*COLUMNS, STATUS, SIGNER)
        if name in start.columns and not unsaid.get(name)
    }


def with_id_of_the_completed(event: Event, start: Event) -> dict[str, Any]:
    found = taken(event, start)
    came = json.loads(event.document)
    return found if "event_id" in came else found | {"event_id": digest_id(canonical_json(came | found))}


def without(*columns: str) -> Callable[[Event, Event], dict[str, Any]]:
    def taken_but_for_them(event: Event, start: Event) -> dict[str, Any]:
        return {name: value for name, value in taken(event, start).items() if name not in columns}

    return taken_but_for_them


FAULTS: dict[str, Join] = {
    "nothing is completed": Join(may_be_completed=lambda *_: False),
    "a guid names an instance on every host": Join(instance=lambda e: (e.tenant, e.text("process_guid"))),
    "a guid names an instance in every tenant": Join(instance=lambda e: (e.host, e.text("process_guid"))),
    "guids are compared without case": Join(
        instance=lambda e: (e.tenant, e.host, (e.text("process_guid") or "").lower())
    ),
    "a start a microsecond too old is taken": Join(in_reach=lambda s, e, o: in_reach(s, e, o) or in_reach(s + 1, e, o)),
    "a start as old as the lookback is not taken": Join(in_reach=lambda s, e, o: in_reach(s - 1, e, o)),
    "a start a microsecond after is taken": Join(in_reach=lambda s, e, o: in_reach(s, e, o) or in_reach(s - 1, e, o)),
    "any start after is taken": Join(in_reach=lambda s, e, o: in_reach(min(s, e), e, o)),
    "a start of the same time is not taken": Join(in_reach=lambda s, e, o: s != e and in_reach(s, e, o)),
    "the lookback is always seven days": Join(in_reach=lambda s, e, _: in_reach(s, e, Options())),
    "starts before the range describe nothing": Join(in_reach=lambda s, e, o: in_reach(s, e, o) and s >= start_of(o)),
    "events before the range are not completed": Join(
        may_be_completed=lambda e, o: may_be_completed(e, o) and e.time >= start_of(o)
    ),
    "older starts fill gaps": Join(read=None),
    "the oldest start is read": Join(order=lambda s: (s.time, s.event_id, s.document)),
    "of one time the largest id is read": Join(order=lambda s: (-s.time, falling(s.event_id), s.document)),
    "of one time the smallest content is read": Join(order=lambda s: (-s.time, s.document)),
    "of one id the largest content is read": Join(order=lambda s: (-s.time, s.event_id, falling(s.document))),
    "status and signer are taken each by itself": Join(taken=each_by_itself),
    "what the event says is replaced": Join(taken=replacing),
    "an id is computed of the completed event": Join(taken=with_id_of_the_completed),
    "what cannot be a communication is completed": Join(may_be_completed=lambda e, _: points(e)),
    "only what has no name is completed": Join(may_be_completed=lambda e, o: may_be_completed(e, o) and not e.name),
    **{
        f"{column} is not taken": Join(taken=without(column))
        for column in COLUMNS
        if column != "parent_process_command_line"
    },
    "signatures are not taken": Join(taken=without(STATUS, SIGNER)),
}
"""All columns but the parent's command line are compared, or decide something that is."""
STREAM_FAULTS: dict[str, Join] = {
    "whatever the stream ever has counts": Join(counts=lambda *_: True),
    "a start of the event's own instant does not count": Join(counts=operator.lt),
    **{name: FAULTS[name] for name in ("nothing is completed", "older starts fill gaps", "the oldest start is read")},
}


def facts(result: Result) -> tuple[Any, ...]:
    """What a run of the pipeline is compared in."""
    alerts = Counter((*comparable(alert), alert.get("late")) for alert in result.alerts)
    counts = (result.communications, result.communications_without_process)
    return alerts, oracle_rows(result.activities), result.verdicts, counts


@cache
def organisation_of(seed: int) -> Organisation:
    return random_organisation(seed)


@cache
def in_batch(seed: int, join: Join = JOIN) -> tuple[Any, ...]:
    organisation = organisation_of(seed)
    return facts(detect(organisation.records, organisation.options, join))


@cache
def in_a_stream(seed: int, join: Join = JOIN) -> tuple[Any, ...]:
    organisation, waiting = organisation_of(seed), Waiting()
    arrivals = with_late_ones(organisation, random.Random(seed), waiting)
    return facts(detect_stream(arrivals, organisation.options, waiting, join=join))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_backfill_with_this_fault_gives_other_alerts_verdicts_or_counts(fault: str) -> None:
    assert any(in_batch(seed, FAULTS[fault]) != in_batch(seed) for seed in SEEDS)


@pytest.mark.parametrize("fault", STREAM_FAULTS)
def test_a_stream_with_this_fault_gives_other_alerts_verdicts_or_counts(fault: str) -> None:
    assert any(in_a_stream(seed, STREAM_FAULTS[fault]) != in_a_stream(seed) for seed in STREAMED)


def test_a_join_that_says_the_same_in_other_words_gives_the_same() -> None:
    same = replace(JOIN, order=lambda start: (-start.time, start.event_id, start.document.encode()), read=1)
    assert all(in_batch(seed, same) == in_batch(seed) for seed in range(3))
